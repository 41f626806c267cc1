"""The batched engine: one model, TorchSim's integrators, many members at once, on a GPU or the CPU."""

import functools
import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monty.json import MSONable
from pydantic import TypeAdapter

from tachylite.engines.base import Answer
from tachylite.engines.quiet import import_torch_sim
from tachylite.engines.workdir import alone_in, content_key, write_atomically
from tachylite.errors import InputError
from tachylite.schemas import Provenance, Relaxation, Request, Run, State, Trajectory

if TYPE_CHECKING:
    from tachylite.engines.batch import Potential

_RUNS = TypeAdapter(list[Run])
_RELAXATIONS = TypeAdapter(list[Relaxation])


@dataclass(frozen=True)
class TorchSimEngine(MSONable):
    """Molecular dynamics and relaxation with a TorchSim potential.

    `model` is a version of the weights or a path to them, where the potential has any; `device` is `cpu`,
    `cuda` or `auto`; a batch holds at most `batch_atoms` atoms; a checkpoint is written every
    `checkpoint_every` steps.
    """

    potential: str = "chgnet"
    model: str | None = None
    device: str = "auto"
    batch_atoms: int = 4000
    checkpoint_every: int = 500

    @classmethod
    def from_options(cls, potential: str, options: dict[str, Any]) -> "TorchSimEngine":
        """Build from `get_engine`'s options; raises InputError for an unknown one."""
        allowed = [name for name in cls.__dataclass_fields__ if name != "potential"]
        unknown = sorted(set(options) - set(allowed))
        if unknown:
            raise InputError(f"engine {potential!r} has no option {unknown[0]!r}; options are {', '.join(allowed)}")
        return cls(potential=potential, **options)

    @property
    def name(self) -> str:
        """The name that `get_engine` knows."""
        return self.potential

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
            engine=self.name,
            model=model.name,
            model_sha256=model.sha256,
            device=str(model.potential.device),
            dtype=model.precision,
            seed=seed,
            versions={p: importlib.metadata.version(p) for p in packages},
        )

    def run(self, requests: Sequence[Request], workdir: Path) -> list[Answer]:
        """Run molecular dynamics; answers in the order of the requests, failures as data."""
        answers: dict[int, Answer] = {}
        for indices in self._batches(requests):
            batch = [requests[i] for i in indices]
            answers.update(zip(indices, self._run_batch(batch, workdir), strict=True))
        return [answers[i] for i in range(len(requests))]

    def relax(
        self, states: Sequence[State], workdir: Path, *, relax_cell: bool, labels: Sequence[str]
    ) -> list[Relaxation]:
        """Relax to zero force (and, with the cell, zero stress) by FIRE; failures as data."""
        model = self._model()
        from tachylite.engines.relaxation import relax_batch

        key = content_key("relax", self._identity(), [s.model_dump() for s in states], relax_cell)
        path = workdir / f"relax-{key}.json"
        if path.exists():
            stored = _RELAXATIONS.validate_json(path.read_bytes())
            return [r.model_copy(update={"label": label}) for r, label in zip(stored, labels, strict=True)]
        results = relax_batch(
            list(states),
            model.potential,
            relax_cell=relax_cell,
            labels=list(labels),
            provenance=self.provenance(),
        )
        write_atomically(path, _RELAXATIONS.dump_json(results))
        return results

    def _model(self) -> "_Model":
        return _load(self.potential, self.model, self.device)

    def _identity(self) -> list[Any]:
        """What decides the forces, and so may not change between a checkpoint and its continuation."""
        model = self._model()
        return [self.potential, model.sha256, str(model.potential.device), model.precision]

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
        model = self._model()
        from tachylite.engines.dynamics import run_batch
        from tachylite.engines.guards import Limits

        content = [r.model_dump(exclude={"label"}) for r in requests]
        folder = workdir / f"run-{content_key(self._identity(), content, self.checkpoint_every)}"
        finished = folder / "runs.json"
        with alone_in(folder):
            if finished.exists():
                runs = _RUNS.validate_json(finished.read_bytes())
                return [_stored(run, folder, request.label) for run, request in zip(runs, requests, strict=True)]
            answers = run_batch(
                requests,
                model.potential,
                folder,
                provenance=self.provenance(),
                checkpoint_every=self.checkpoint_every,
                limits=Limits(),
            )
            for answer in answers:
                if answer.trajectory is not None:
                    answer.trajectory.save(folder / f"{answer.trajectory.sha256}.h5")
            write_atomically(finished, _RUNS.dump_json([a.run for a in answers]))
            for leftover in (*folder.glob("chunk-*.npz"), *folder.glob("checkpoint.pt")):
                leftover.unlink()
        return answers


def _stored(run: Run, folder: Path, label: str) -> Answer:
    path = folder / f"{run.trajectory_id}.h5"
    trajectory = None if run.trajectory_id is None else Trajectory.load(path)
    return Answer(run=run.model_copy(update={"label": label}), trajectory=trajectory)


@dataclass(frozen=True)
class _Model:
    """A potential ready for use, and what a document says of it."""

    potential: "Potential"
    name: str
    sha256: str | None
    elements: frozenset[int]
    precision: str
    packages: tuple[str, ...] = ()


@functools.cache
def _load(potential: str, model: str | None, device: str) -> _Model:
    import_torch_sim()
    import torch

    try:
        where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    except RuntimeError as error:
        raise InputError(f"unknown device {device!r}; devices are auto, cpu, cuda, cuda:0, ...") from error
    if potential == "chgnet":
        from tachylite.engines.potentials.chgnet.potential import ChgnetPotential

        chgnet = ChgnetPotential(model or "0.3.0", device=where)
        return _Model(
            potential=chgnet,
            name=f"CHGNet {chgnet.weights.name}",
            sha256=chgnet.weights.sha256,
            elements=frozenset(chgnet.supported_elements),
            precision="float32",
            packages=("chgnet",),
        )
    from tachylite.engines.potentials.lennard_jones import LennardJonesPotential

    if model is not None:
        raise InputError(f"engine {potential!r} has no model {model!r}; leave the option out")
    argon = LennardJonesPotential(device=where)
    return _Model(argon, "Lennard-Jones argon", None, frozenset({18}), "float64")
