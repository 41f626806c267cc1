"""Jobs of learning: freeze a table, train models on it, predict simulated states."""

import base64
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Unpack

from jobflow import JobConfig, JobStore, job

from tachylite.descriptors.registry import Convention
from tachylite.jobs.descriptors import store_of_job
from tachylite.learning.dataset import Dataset, dataset_from_bytes, dataset_to_bytes
from tachylite.learning.model_file import from_bytes, to_bytes
from tachylite.learning.states import TrainingRow, dataset_from_rows, make_training_row, predict_state
from tachylite.learning.tables import read_dataset
from tachylite.learning.training import make_dataset_card, train
from tachylite.schemas import Failure, Trajectory
from tachylite.schemas.learning import Prediction
from tachylite.schemas.steps.hold import HoldResult
from tachylite.stores.descriptors import iter_state_descriptors
from tachylite.stores.queries import MaterialFilter, newest_entries, read_materials

log = logging.getLogger(__name__)


@job(data="parquet")
def read_table(path: str, target: str, species: str, convention: Convention, without: Sequence[str]) -> dict[str, Any]:
    """Freeze a table from a file; the output holds `dataset` (its card), `skipped` and `parquet` (base64)."""
    dataset = read_dataset(Path(path), target=target, species=species, convention=convention, without=without)
    return _freeze(dataset, [])


@job(data="parquet", config=JobConfig(expose_store=True))
def collect_table(
    species: str,
    convention: Convention,
    without: Sequence[str],
    filters: MaterialFilter,
    store: str | None = None,
    after: object = None,
) -> dict[str, Any]:
    """Freeze a table of the diffusivities in a store; output as of `read_table`.

    Every melt and anneal of the materials that match is a row, with its descriptors as means over the frames; those
    without a diffusivity of the species are skipped with the reason. `store` is as of `compute_missing_descriptors`;
    its output, given as `after`, is what this job waits for.
    """
    opened = store_of_job(store)
    entries = list(training_rows(opened, species, convention, **filters))
    rows = [entry for entry in entries if isinstance(entry, TrainingRow)]
    skipped = [entry for entry in entries if isinstance(entry, Failure)]
    return _freeze(dataset_from_rows(rows, species, convention, without, f"store {opened.name}"), skipped)


@job(data="archive")
def train_model(
    parquet: str, learners: Sequence[str], symbolic_regression: bool, skipped: Sequence[Failure]
) -> dict[str, Any]:
    """Train on a frozen table; the output holds `model` (the card) and `archive` (the file in base64)."""
    dataset = dataset_from_bytes(base64.b64decode(parquet), "the dataset")
    saved = train(dataset, learners, symbolic_regression=symbolic_regression, skipped=skipped, log=log.info)
    return {"model": saved.card, "archive": base64.b64encode(to_bytes(saved)).decode()}


@job
def predict_states(
    archive: str,
    melts: Sequence[HoldResult],
    states: Sequence[HoldResult],
    trajectories: Sequence[Trajectory | None],
    source: str,
) -> list[Prediction | Failure]:
    """Predict the states that melts led to, with their trajectories, by a model (its file in base64).

    The diffusivity of the same run stands beside the prediction; a melt that failed is the failure that is named.
    """
    saved = from_bytes(base64.b64decode(archive), "the model")
    return [
        predict_state(saved, state if melt.status == "completed" else melt, trajectory, source)
        for melt, state, trajectory in zip(melts, states, trajectories, strict=True)
    ]


def training_rows(
    store: JobStore, species: str, convention: Convention, **filters: Unpack[MaterialFilter]
) -> Iterator[TrainingRow | Failure]:
    """Make rows of the states of the materials that match; a state that gives none is a failure with the reason.

    In the order of the materials' ids, so that a table does not depend on when they were made.
    """
    entries = sorted(newest_entries(store, **filters), key=lambda entry: str(entry["output"]["material_id"]))
    materials = read_materials(store, entries)
    for material, state, descriptors in iter_state_descriptors(store, materials, species, convention):
        yield make_training_row(material.formula, state, descriptors, species)


def _freeze(dataset: Dataset, skipped: Sequence[Failure]) -> dict[str, Any]:
    encoded = base64.b64encode(dataset_to_bytes(dataset)).decode()
    return {"dataset": make_dataset_card(dataset), "skipped": list(skipped), "parquet": encoded}
