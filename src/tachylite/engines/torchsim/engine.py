"""The batched engine: molecular dynamics and relaxation of many members at once, on a GPU or the CPU."""

import importlib.metadata
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from monty.json import MSONable
from pydantic import ConfigDict, Field, TypeAdapter

from tachylite.engines.base import MAX_FORCE_EV_A, Answer
from tachylite.engines.potentials.corrections import Dispersion, Repulsion, load_corrected
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.registry import check_options
from tachylite.engines.torchsim.batching import BATCH_ATOMS_ON_CPU, batches_of, fill_batches
from tachylite.engines.workdir import content_key, locked_folder, write_answer, write_atomically
from tachylite.errors import InputError
from tachylite.schemas import Provenance, Request, Run, State, Trajectory
from tachylite.schemas.evaluation import SinglePoint
from tachylite.schemas.relaxation import Relaxation

if TYPE_CHECKING:
    from tachylite.engines.torchsim.batch import Potential

LAYOUT = 5
"""Version of the files in a work folder; it is part of the folder's name."""

_version = cache(importlib.metadata.version)
"""Version of an installed package, whose files are read once."""

_RUNS = TypeAdapter(list[Run])
_RELAXATIONS = TypeAdapter(list[Relaxation])


type Limit = Annotated[float, Field(gt=0)]
"""A positive limit, infinite for none."""


@dataclass(frozen=True)
class Guards:
    """Limits beyond which a member of a batch ends, with the reason and its last good state.

    Measured at 5000 K in steps of 2 fs with CHGNet 0.3.0 (Li3PO4, SiO2, NaCl, Al2O3, Cu20Zr12 and UO2, 30 to
    32 atoms), and over 1,000 structures of its training set, MPtrj (DOI 10.1038/s42256-023-00716-3): melts
    stayed below 33 eV/A and 0.9 sqrt(N) eV a step and above 0.50 covalent radii; the training set reaches
    83 eV/A and 0.59 covalent radii.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    temperature_factor: Limit = 3.0
    """Highest temperature over the highest target of the request; at least `temperature_margin_k` above it."""
    temperature_margin_k: Limit = 3000.0
    """In K; the mean temperature since the last check is compared."""
    closest_approach: Annotated[float, Field(ge=0)] = 0.4
    """Shortest distance of two atoms, as a fraction of the sum of their covalent radii (DOI 10.1039/B801115J)."""
    energy_jump_ev: Limit = 5.0
    """Change of the potential energy in one step, in eV times the square root of the number of atoms.

    The contributions of the atoms, each F v dt, add up like independent random numbers.
    """
    volume_factor: Limit = 3.0
    """Largest volume at constant pressure over that of the start, or the inverse."""
    largest_force_ev_a: Limit = 100.0
    """In eV/A; no potential was trained on larger forces, so beyond them it extrapolates."""
    committee_error: Limit = 2.0
    """Error of forces that the committee of a potential states, over that on its test frames."""


@dataclass(frozen=True)
class TorchSimEngine(MSONable):
    """Molecular dynamics and relaxation with a TorchSim potential.

    `model` is a version of the weights or a path to them, where the potential has any; `device` is `cpu`,
    `cuda` or `auto`; a batch holds at most `batch_atoms` atoms (None: what fits on a GPU, 4,000 on a CPU); a
    checkpoint is written every `checkpoint_every` steps; `guards` are limits beyond which a member ends early;
    `repulsion` adds the repulsion of nuclei at short distances (`zbl`), for hot melts; `dispersion` adds London
    dispersion (`d3`, or `d3@FUNCTIONAL` where the model's functional is not known).
    """

    potential: str = "chgnet"
    model: str | None = None
    device: str = "auto"
    batch_atoms: Annotated[int, Field(gt=0)] | None = None
    checkpoint_every: Annotated[int, Field(gt=0)] = 500
    guards: Guards = field(default_factory=Guards)
    repulsion: Repulsion | None = None
    dispersion: Dispersion | None = None

    @classmethod
    def from_options(cls, potential: str, options: dict[str, Any]) -> "TorchSimEngine":
        """Build from `get_engine`'s options; raises InputError for an unknown one or a value that is not allowed."""
        return cls(**(check_options(potential, cls, options, hidden="potential") | {"potential": potential}))

    @property
    def name(self) -> str:
        """The name that `get_engine` knows."""
        return self.potential if self.model is None else f"{self.potential}:{self.model}"

    @property
    def batches(self) -> bool:
        """True: a whole cohort is one job."""
        return True

    def check_elements(self, symbols: Sequence[str]) -> None:
        """Raise InputError, naming them, for elements that the model was not made for."""
        from ase.data import atomic_numbers

        unknown = sorted(s for s in set(symbols) if atomic_numbers[s] not in self._loaded().elements)
        if unknown:
            raise InputError(f"the {self.name} model does not know {', '.join(unknown)}; choose another engine")

    def provenance(self, seed: int | None = None) -> Provenance:
        """Describe model, weights and versions."""
        loaded = self._loaded()
        packages = ("tachylite", "torch", "torch-sim-atomistic", *loaded.packages)
        return Provenance(
            engine=self.potential,
            model=loaded.name,
            model_sha256=loaded.sha256,
            device=str(loaded.potential.device),
            dtype=loaded.precision,
            seed=seed,
            versions={package: _version(package) for package in packages},
            options=self._result_changing_options(),
        )

    def run(self, requests: Sequence[Request], workdir: Path) -> list[Answer]:
        """Run molecular dynamics; return answers in the order of the requests, failures as data."""
        answers: dict[int, Answer] = {}
        limit = self._batch_limit([request.state for request in requests], workdir)
        from tachylite.engines.torchsim.memory import batch_in_memory

        for indices in batches_of(requests, limit):
            batch = [requests[i] for i in indices]
            with batch_in_memory(limit):
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
        """Relax by FIRE and L-BFGS until no force is larger (and, with the cell, to zero stress); failures as data."""
        if not states:
            return []
        potential, limit = self._potential(), self._batch_limit(states, workdir)
        from tachylite.engines.torchsim.memory import batch_in_memory
        from tachylite.engines.torchsim.relaxation import relax_batch

        content = [s.model_dump() for s in states]
        folder = workdir / f"relax-{content_key(LAYOUT, self._identity(), content, relax_cell, max_force_ev_a)}"
        finished = folder / "relaxations.json"
        with locked_folder(folder), batch_in_memory(limit):
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
                    batch_atoms=limit,
                )
                # pydantic's JSON would lose the energy of one that diverged, which is not a number
                write_answer(finished, json.dumps([r.model_dump() for r in results]).encode())
            stored = _RELAXATIONS.validate_python(json.loads(finished.read_bytes()))
        return [r.model_copy(update={"label": label}) for r, label in zip(stored, labels, strict=True)]

    def single_points(self, states: Sequence[State]) -> list[SinglePoint]:
        """Compute energy, forces and stress of structures as they are; NaN, with the reason, where that fails."""
        potential = self._potential()
        from tachylite.engines.torchsim.single_points import compute_batch

        answers: dict[int, SinglePoint] = {}
        sizes = [len(state.numbers) for state in states]
        for indices in fill_batches(range(len(states)), sizes, self._batch_limit(states)):
            potential.reset()
            answers.update(zip(indices, compute_batch(potential, [states[i] for i in indices]), strict=True))
        return [answers[i] for i in range(len(states))]

    def _loaded(self) -> LoadedPotential:
        return load_corrected(self.potential, self.model, self.device, self.repulsion, self.dispersion)

    def _potential(self) -> "Potential":
        return self._loaded().potential

    def _result_changing_options(self) -> dict[str, Any]:
        """Options with other than default values that may change a result, named as on the command line."""
        terms = {"repulsion": self.repulsion, "dispersion": self.dispersion}
        options: dict[str, Any] = {name: term for name, term in terms.items() if term is not None}
        committee = self._loaded().committee
        if committee is not None:
            options["committee"] = committee.title
        for guard in fields(Guards):
            value = getattr(self.guards, guard.name)
            if value != guard.default:
                # JSON knows no infinity
                options[f"guards.{guard.name}"] = value if math.isfinite(value) else str(value)
        return options

    def _identity(self) -> list[Any]:
        """What determines the forces, and so must not change between a checkpoint and its continuation."""
        loaded = self._loaded()
        return [
            self.potential,
            loaded.name,
            loaded.sha256,
            str(loaded.potential.device),
            loaded.precision,
            self.repulsion,
            *([] if self.dispersion is None else [self.dispersion]),
        ]

    def _batch_limit(self, states: Sequence[State], workdir: Path | None = None) -> int:
        """Atoms of a batch: as asked for, or what fits; the work folder keeps what was measured, for a continuation."""
        potential = self._potential()
        if self.batch_atoms is not None:
            return self.batch_atoms
        if potential.device.type != "cuda" or not states:
            return BATCH_ATOMS_ON_CPU
        from tachylite.engines.torchsim.memory import measure_batch_atoms

        if workdir is None:
            return measure_batch_atoms(potential, states)
        record = workdir / f"batch-{content_key(self._identity(), [state.model_dump() for state in states])}.json"
        if not record.exists():
            write_atomically(record, json.dumps(measure_batch_atoms(potential, states)).encode())
        return int(json.loads(record.read_bytes()))

    def _run_batch(self, requests: list[Request], workdir: Path) -> list[Answer]:
        potential = self._potential()
        from tachylite.engines.torchsim.dynamics import run_batch

        content = [r.model_dump(exclude={"label"}) for r in requests]
        key = content_key(LAYOUT, self._identity(), content, self._result_changing_options())
        folder = workdir / f"run-{key}"
        finished = folder / "runs.json"
        with locked_folder(folder):
            if finished.exists():
                runs = _RUNS.validate_json(finished.read_bytes())
                return [_stored_answer(run, folder, request.label) for run, request in zip(runs, requests, strict=True)]
            answers = run_batch(
                requests,
                potential,
                folder,
                provenance=self.provenance(),
                checkpoint_every=self.checkpoint_every,
                guards=self.guards,
                committee=self._loaded().committee,
            )
            for answer in answers:
                if answer.trajectory is not None:
                    write_atomically(folder / f"{answer.trajectory.sha256}.h5", answer.trajectory.h5md)
            write_answer(finished, _RUNS.dump_json([a.run for a in answers]))
        return answers


def _stored_answer(run: Run, folder: Path, label: str) -> Answer:
    path = folder / f"{run.trajectory_id}.h5"
    trajectory = None if run.trajectory_id is None else Trajectory.load(path)
    return Answer(run=run.model_copy(update={"label": label}), trajectory=trajectory)
