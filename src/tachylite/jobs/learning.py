"""From materials in a store to a table, from the table to a model, from melts to predictions."""

import base64
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from jobflow import JobConfig, JobStore, job

from tachylite.descriptors import DESCRIPTORS, Convention, Description
from tachylite.errors import InputError
from tachylite.jobs.description import describe_melt, described_states, store_of_job
from tachylite.learning.dataset import Dataset, dataset_from_bytes, dataset_to_bytes, make_dataset
from tachylite.learning.model_file import SavedModel, from_bytes, to_bytes
from tachylite.learning.tables import DIFFUSIVITY, DIFFUSIVITY_UNIT, read_dataset
from tachylite.learning.training import describe_dataset, train
from tachylite.schemas import Failure, Trajectory
from tachylite.schemas.description import DescribedState
from tachylite.schemas.learning import Prediction
from tachylite.schemas.steps.hold import HoldResult
from tachylite.stores.queries import MaterialFilter, newest_entries, read_materials

_PER_CM2_S = 1e3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """One state of a material."""

    formula: str
    temperature_k: float
    diffusivity_cm2_s: float
    n_frames: int
    descriptors: Mapping[str, float]
    """Means over the frames."""


@job(data="parquet")
def read_table(path: str, target: str, species: str, convention: Convention, without: Sequence[str]) -> dict[str, Any]:
    """Freeze a table from a file; the output holds `dataset` (its card), `skipped` and `parquet` (base64)."""
    dataset = read_dataset(Path(path), target=target, species=species, convention=convention, without=without)
    return _frozen(dataset, [])


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

    Every melt and anneal of the materials that are `filters` for is a row, described as the mean over its frames; those
    without a diffusivity of the species are skipped with the reason. `store` is as of `describe_materials`; its output,
    given as `after`, is what this job waits for.
    """
    opened = store_of_job(store)
    found = list(training_rows(opened, species, convention, **filters))
    rows = [one for one in found if isinstance(one, Row)]
    skipped = [one for one in found if isinstance(one, Failure)]
    names = [name for name in DESCRIPTORS if name not in without]
    dataset = make_dataset(
        {name: [row.descriptors[name] for row in rows] for name in names},
        {name: DESCRIPTORS[name].unit for name in names},
        [row.formula for row in rows],
        [row.temperature_k for row in rows],
        [_PER_CM2_S * row.diffusivity_cm2_s for row in rows],
        target_name=DIFFUSIVITY,
        target_unit=DIFFUSIVITY_UNIT,
        species=species,
        convention=convention,
        source=f"store {opened.name}",
    )
    return _frozen(dataset, skipped)


@job(data="archive")
def train_model(parquet: str, learners: Sequence[str], formulas: bool, skipped: Sequence[Failure]) -> dict[str, Any]:
    """Train on a frozen table; the output holds `model` (the card) and `archive` (the file in base64)."""
    dataset = dataset_from_bytes(base64.b64decode(parquet), "the dataset")
    saved = train(dataset, learners, formulas=formulas, skipped=skipped, tell=log.info)
    return {"model": saved.card, "archive": base64.b64encode(to_bytes(saved)).decode()}


@job
def predict_melts(
    archive: str,
    melts: Sequence[HoldResult],
    states: Sequence[HoldResult],
    trajectories: Sequence[Trajectory | None],
    source: str,
) -> list[Prediction | Failure]:
    """Describe the states that melts led to, with their trajectories, and predict them with a model (base64).

    The diffusivity of the same run stands beside the prediction; a melt that failed is the failure that is named.
    """
    saved = from_bytes(base64.b64decode(archive), "the model")
    return [
        predict_melt(saved, state if melt.status == "completed" else melt, one, source)
        for melt, state, one in zip(melts, states, trajectories, strict=True)
    ]


def predict_melt(
    saved: SavedModel, melt: HoldResult, trajectory: Trajectory | None, source: str
) -> Prediction | Failure:
    """Predict one state, or say why that is not possible."""
    species = saved.card.data.species
    where = f"{melt.formula} at {melt.temperature_k:g} K"
    try:
        found = describe_melt(melt, trajectory, species, saved.card.data.convention)
        prediction = predict_description(saved, found, melt.formula, melt.temperature_k, source)
    except InputError as error:
        return Failure(stage=where, reason=str(error))
    simulated = next((one for one in melt.diffusivities if one.species == species), None)
    return prediction.model_copy(update={"simulated": simulated})


def predict_description(
    saved: SavedModel, found: Description, formula: str, temperature_k: float, source: str
) -> Prediction:
    """Predict what was described in the model's convention; InputError as of `SavedModel.predict`."""
    values = {name: estimate.mean for name, estimate in found.values.items()}
    return saved.predict(temperature_k, values, formula, source=source, n_frames=found.n_frames)


def training_rows(
    store: JobStore, species: str, convention: Convention, **filters: Unpack[MaterialFilter]
) -> Iterator[Row | Failure]:
    """Rows of the materials that are filters for, and those that are none with their reasons.

    In the order of the materials' ids, so that a table does not depend on when they were made.
    """
    entries = sorted(newest_entries(store, **filters), key=lambda entry: str(entry["output"]["material_id"]))
    materials = read_materials(store, entries)
    for material, state, described in described_states(store, materials, species, convention):
        yield _row(material.formula, state, described, species)


def _row(formula: str, state: HoldResult, described: DescribedState, species: str) -> Row | Failure:
    measured = next((one for one in state.diffusivities if one.species == species), None)
    known = measured.diffusivity_cm2_s if measured is not None else None
    if described.reason is None and known is not None:
        return Row(formula, state.temperature_k, known, described.n_frames, described.values)
    unmeasured = (measured and measured.reason) or f"no diffusivity of {species} was measured"
    return Failure(stage=f"{formula} at {state.temperature_k:g} K", reason=described.reason or unmeasured)


def _frozen(dataset: Dataset, skipped: Sequence[Failure]) -> dict[str, Any]:
    coded = base64.b64encode(dataset_to_bytes(dataset)).decode()
    return {"dataset": describe_dataset(dataset), "skipped": list(skipped), "parquet": coded}
