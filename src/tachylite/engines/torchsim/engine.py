"""The batched engine: one model, TorchSim's integrators, many members at once, on a GPU or the CPU."""

import functools
import importlib.metadata
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from monty.json import MSONable
from pydantic import Field, TypeAdapter

from tachylite.engines.base import MAX_FORCE_EV_A, Answer
from tachylite.engines.options import checked_options
from tachylite.engines.potentials.loading import LoadedModel, load_model
from tachylite.engines.torchsim.guards import Guards
from tachylite.engines.workdir import alone_in, content_key, finish, write_atomically
from tachylite.errors import InputError
from tachylite.schemas import Provenance, Relaxation, Request, Run, State, Trajectory

if TYPE_CHECKING:
    from tachylite.engines.torchsim.batch import Potential

LAYOUT = 2
"""Of what is kept in a work folder; another number is another piece of work."""

_RUNS = TypeAdapter(list[Run])
_RELAXATIONS = TypeAdapter(list[Relaxation])


@dataclass(frozen=True)
class TorchSimEngine(MSONable):
    """Molecular dynamics and relaxation with a TorchSim potential.

    `model` is a version of the weights or a path to them, where the potential has any; `device` is `cpu`,
    `cuda` or `auto`; a batch holds at most `batch_atoms` atoms; a checkpoint is written every
    `checkpoint_every` steps; `guards` say when a member of a batch ends before its time; `repulsion` adds that
    of the nuclei at short distances (`zbl`), for hot melts.
    """

    potential: str = "chgnet"
    model: str | None = None
    device: str = "auto"
    batch_atoms: Annotated[int, Field(gt=0)] = 4000
    checkpoint_every: Annotated[int, Field(gt=0)] = 500
    guards: Guards = field(default_factory=Guards)
    repulsion: Literal["zbl"] | None = None

    @classmethod
    def from_options(cls, potential: str, options: dict[str, Any]) -> "TorchSimEngine":
        """Build from `get_engine`'s options; raises InputError for an unknown one or a value that is not allowed."""
        return cls(**(checked_options(potential, cls, options, hidden="potential") | {"potential": potential}))

    @property
    def name(self) -> str:
        """The name that `get_engine` knows."""
        return self.potential if self.model is None else f"{self.potential}:{self.model}"

    @property
    def batches(self) -> bool:
        """A cohort is one job."""
        return True

    def check_elements(self, symbols: Sequence[str]) -> None:
        """Raise InputError, naming them, for elements the model does not know."""
        from ase.data import atomic_numbers

        missing = sorted(s for s in set(symbols) if atomic_numbers[s] not in self._model().elements)
        if missing:
            raise InputError(f"the {self.name} model does not know {', '.join(missing)}; choose another engine")

    def provenance(self, seed: int | None = None) -> Provenance:
        """Describe model, weights and versions."""
        model = self._model()
        packages = ("tachylite", "torch", "torch-sim-atomistic", *model.packages)
        return Provenance(
            engine=self.potential,
            model=model.name,
            model_sha256=model.sha256,
            device=str(model.potential.device),
            dtype=model.precision,
            seed=seed,
            versions={p: importlib.metadata.version(p) for p in packages},
            options=self._deciding_options(),
        )

    def run(self, requests: Sequence[Request], workdir: Path) -> list[Answer]:
        """Run molecular dynamics; answers in the order of the requests, failures as data."""
        answers: dict[int, Answer] = {}
        for indices in self._batches(requests):
            batch = [requests[i] for i in indices]
            answers.update(zip(indices, self._run_batch(batch, workdir), strict=True))
        return [answers[i] for i in range(len(requests))]

    def relax(
        self,
        states: Sequence[State],
        workdir: Path,
        *,
        relax_cell: bool,
        labels: Sequence[str],
        max_force_ev_a: float = MAX_FORCE_EV_A,
    ) -> list[Relaxation]:
        """Relax until no force is larger (and, with the cell, to zero stress) by FIRE and L-BFGS; failures as data."""
        potential = self._potential()
        from tachylite.engines.torchsim.relaxation import relax_batch

        content = [s.model_dump() for s in states]
        folder = workdir / f"relax-{content_key(LAYOUT, self._identity(), content, relax_cell, max_force_ev_a)}"
        finished = folder / "relaxations.json"
        with alone_in(folder):
            if not finished.exists():
                results = relax_batch(
                    list(states),
                    potential,
                    folder,
                    relax_cell=relax_cell,
                    labels=list(labels),
                    max_force_ev_a=max_force_ev_a,
                    provenance=self.provenance(),
                    checkpoint_every=self.checkpoint_every,
                )
                # pydantic's JSON would lose the energy of one that diverged, which is not a number
                finish(finished, json.dumps([r.model_dump() for r in results]).encode())
            stored = _RELAXATIONS.validate_python(json.loads(finished.read_bytes()))
        return [r.model_copy(update={"label": label}) for r, label in zip(stored, labels, strict=True)]

    def _model(self) -> LoadedModel:
        return load_model(self.potential, self.model, self.device)

    def _potential(self) -> "Potential":
        return _load_potential(self.potential, self.model, self.device, self.repulsion)

    def _deciding_options(self) -> dict[str, Any]:
        """Options, other than the usual ones, that may change an answer, spelt as on the command line."""
        options: dict[str, Any] = {} if self.repulsion is None else {"repulsion": self.repulsion}
        for guard in fields(Guards):
            value = getattr(self.guards, guard.name)
            if value != guard.default:
                # JSON knows no infinity
                options[f"guards.{guard.name}"] = value if math.isfinite(value) else str(value)
        return options

    def _identity(self) -> list[Any]:
        """What decides the forces, and so may not change between a checkpoint and its continuation."""
        model = self._model()
        return [
            self.potential,
            model.name,
            model.sha256,
            str(model.potential.device),
            model.precision,
            self.repulsion,
        ]

    def _batches(self, requests: Sequence[Request]) -> list[list[int]]:
        """Requests with the same schedule go together, up to the size of a batch."""

        def schedule(index: int) -> str:
            segments = [s.model_dump(exclude={"temperature_k", "end_temperature_k"}) for s in requests[index].segments]
            return content_key(segments)

        batches = []
        for _, group in groupby(sorted(range(len(requests)), key=schedule), key=schedule):
            batch: list[int] = []
            atoms = 0
            for index in group:
                size = len(requests[index].state.numbers)
                if batch and atoms + size > self.batch_atoms:
                    batches.append(batch)
                    batch, atoms = [], 0
                batch.append(index)
                atoms += size
            batches.append(batch)
        return batches

    def _run_batch(self, requests: list[Request], workdir: Path) -> list[Answer]:
        potential = self._potential()
        from tachylite.engines.torchsim.dynamics import run_batch

        content = [r.model_dump(exclude={"label"}) for r in requests]
        key = content_key(LAYOUT, self._identity(), content, self._deciding_options())
        folder = workdir / f"run-{key}"
        finished = folder / "runs.json"
        with alone_in(folder):
            if finished.exists():
                runs = _RUNS.validate_json(finished.read_bytes())
                return [_stored(run, folder, request.label) for run, request in zip(runs, requests, strict=True)]
            answers = run_batch(
                requests,
                potential,
                folder,
                provenance=self.provenance(),
                checkpoint_every=self.checkpoint_every,
                guards=self.guards,
            )
            for answer in answers:
                if answer.trajectory is not None:
                    write_atomically(folder / f"{answer.trajectory.sha256}.h5", answer.trajectory.h5md)
            finish(finished, _RUNS.dump_json([a.run for a in answers]))
        return answers


@functools.cache
def _load_potential(family: str, model: str | None, device: str, repulsion: Literal["zbl"] | None) -> "Potential":
    bare = load_model(family, model, device).potential
    if repulsion is None:
        return bare
    from tachylite.engines.potentials.zbl import with_zbl

    return with_zbl(bare)


def _stored(run: Run, folder: Path, label: str) -> Answer:
    path = folder / f"{run.trajectory_id}.h5"
    trajectory = None if run.trajectory_id is None else Trajectory.load(path)
    return Answer(run=run.model_copy(update={"label": label}), trajectory=trajectory)
