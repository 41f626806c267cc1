"""Flows of learning: train a model on the materials of a store, and predict new compositions with it."""

import base64
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from jobflow import Flow, JobStore, Maker

from tachylite.descriptors.registry import Convention
from tachylite.engines.workdir import content_key, use_workdir
from tachylite.flows.local import run_here
from tachylite.flows.stages import held_at, melt_steps
from tachylite.flows.steps import follow
from tachylite.flows.steps.base import EngineMaker, Starts
from tachylite.jobs.descriptors import compute_missing_descriptors
from tachylite.jobs.learning import collect_table, predict_states, read_table, train_model
from tachylite.jobs.starts import make_structures
from tachylite.learning.model_file import SavedModel, from_bytes, to_bytes
from tachylite.learning.tables import DIFFUSIVITY
from tachylite.schemas import Failure
from tachylite.schemas.learning import Prediction
from tachylite.schemas.start import PackedStart
from tachylite.stores.queries import MaterialFilter


@dataclass
class LearningMaker(Maker):
    """Compute descriptors, freeze a table of them, train learners on it and keep the best.

    The flow's output holds `model` (the `Model`) and `archive` (the file of `tachylite.learning.model_file`, base64).
    """

    name: str = "learning"
    species: str = "Li"
    target: str = DIFFUSIVITY
    learners: Sequence[str] = ()
    """If not given, the best one that the number of rows allows, and the published ones."""
    without: Sequence[str] = ()
    """Descriptors to leave out."""
    symbolic_regression: bool = False
    """Whether SISSO looks for formulas as well."""
    convention: Convention = "exact"

    def make(
        self, table: str | Path | None = None, *, store: str | Path | None = None, **filters: Unpack[MaterialFilter]
    ) -> Flow:
        """Learn from a file, or else from a store, by default the one that the flow runs with.

        `filters` choose the materials, as in `find_materials`; choose one engine, since the forces of several disagree.
        `store` is a folder or file as of `open_store`, for jobs that run without the store, as those of jobflow-remote.
        """
        without = list(self.without)
        if table is not None:
            freezing = read_table(str(table), self.target, self.species, self.convention, without)
            steps = [freezing]
        else:
            place = None if store is None else str(Path(store).expanduser().absolute())
            computing = compute_missing_descriptors(self.species, self.convention, filters, place)
            freezing = collect_table(self.species, self.convention, without, filters, place, computing.output)
            steps = [computing, freezing]
        training = train_model(
            freezing.output["parquet"], list(self.learners), self.symbolic_regression, freezing.output["skipped"]
        )
        return Flow([*steps, training], output=training.output, name=self.name)


@dataclass
class PredictionMaker(EngineMaker):
    """Melt structures with an engine, bring them to a temperature, and predict them with a model.

    The flow's output is a list with a `Prediction` or a `Failure` for every structure. The diffusivity that the run
    itself gives stands in the prediction.
    """

    name: str = "prediction"
    model: SavedModel = field(kw_only=True)

    def make(self, structures: Starts, temperature_k: float) -> Flow:
        """Melt as the protocol does, then hold at this temperature, where it is another."""
        protocol = held_at(self.protocol, temperature_k)
        flows, outputs = follow(EngineMaker("prediction", self.engine, protocol, self.seed), protocol.steps, structures)
        melt, reached = outputs[melt_steps(protocol)[-1].name], outputs[protocol.steps[-1].name]
        engine = self.engine if isinstance(self.engine, str) else self.engine.name
        source = f"{engine}, protocol {self.protocol.name}"
        archive = base64.b64encode(to_bytes(self.model)).decode()
        predicting = predict_states(archive, melt["results"], reached["results"], reached["trajectories"], source)
        return Flow([*flows, predicting], output=predicting.output, name=self.name)


def run_learning(
    maker: LearningMaker, store: JobStore, table: str | Path | None = None, **filters: Unpack[MaterialFilter]
) -> SavedModel:
    """Learn on this machine; the flow's documents stay in the store. Errors as of the jobs."""
    flow = maker.make(table, **filters)
    responses = run_here(flow, store)
    archive = responses[flow.jobs[-1].uuid][1].output["archive"]
    return from_bytes(base64.b64decode(archive), "the model")


def run_prediction(
    formulas: Sequence[str],
    temperature_k: float,
    maker: PredictionMaker,
    *,
    store: JobStore,
    workdir: Path,
) -> list[Prediction | Failure]:
    """Pack, melt, anneal and predict formulas as one cohort; after an interruption the same call continues it."""
    protocol, seed = maker.protocol, maker.seed
    first = make_structures([PackedStart(formula=formula) for formula in formulas], protocol, seed)
    making = maker.make([first.output[index] for index in range(len(formulas))], temperature_k)
    flow = Flow([first, making], output=making.output, name=", ".join(formulas))
    campaign = content_key([*formulas, f"{temperature_k:g}", protocol.model_dump_json(), str(seed), repr(maker.engine)])
    with use_workdir(workdir, campaign):
        responses = run_here(flow, store, campaign)
    shutil.rmtree(workdir / campaign, ignore_errors=True)
    predictions: list[Prediction | Failure] = responses[making.output.uuid][1].output
    return predictions
