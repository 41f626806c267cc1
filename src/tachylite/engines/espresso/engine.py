"""The engine of Quantum ESPRESSO: every member in a folder of its own, several of them side by side."""

import functools
import hashlib
import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from monty.json import MSONable
from pydantic import Field

from tachylite.engines.answers import keep_answer, keep_relaxation, load_answer, load_relaxation, reason_against
from tachylite.engines.base import MAX_FORCE_EV_A, Answer
from tachylite.engines.espresso.members import available_cores, side_by_side
from tachylite.engines.espresso.settings import LevelOfTheory, Smearing
from tachylite.engines.espresso.setup import (
    check_pseudopotentials,
    checksum,
    pseudopotential,
    pseudopotential_folder,
    pw_command,
)
from tachylite.engines.interruption import Interruption
from tachylite.engines.registry import changed_options, check_options
from tachylite.engines.workdir import content_key, locked_folder
from tachylite.schemas import Provenance, Request, State
from tachylite.schemas.relaxation import Relaxation

if TYPE_CHECKING:
    from tachylite.engines.espresso.dynamics import PwRun
    from tachylite.engines.espresso.program import Program

LAYOUT = 3
"""Version of the files in a work folder; it is part of the folder's name."""

_MAX_CRASHES = 2
"""Crashes of pw.x after which a member ends; one that made no step ends it at once in dynamics."""

PACKAGES = ("tachylite", "ase")

_LEVEL = {
    "ecutwfc": "ecutwfc_ry",
    "smearing": "smearing",
    "smearing_ev": "smearing_ev",
    "kspacing": "kspacing_per_a",
    "spin": "spin",
}
"""Options that make the level of theory, and its fields."""


@dataclass(frozen=True)
class EspressoEngine(MSONable):
    """PBE with pw.x: single calculations, relaxations, and molecular dynamics in its own steps.

    `ecutwfc` is the cutoff of the wave functions in Ry, `smearing_ev` the width of the `smearing` in eV, `kspacing` the
    largest distance of k-points in 1/A with 2 pi included (None: by the gap), `spin` whether spin is polarised (None:
    for Cr, Mn, Fe, Co, Ni and for pure oxygen). A pressure whose error by the cutoff exceeds `max_pulay_gpa` is
    refused. A call of pw.x makes at most `chunk_steps` of the steps of molecular dynamics, and thermostats act between
    calls. `command` runs pw.x, `pseudo_dir` holds its pseudopotentials; `members_at_once` run side by side (None: one
    for every core).
    """

    ecutwfc: Annotated[float, Field(gt=0)] = 80.0
    smearing: Smearing = "fermi-dirac"
    smearing_ev: Annotated[float, Field(gt=0)] = 0.05
    kspacing: Annotated[float, Field(gt=0)] | None = None
    spin: bool | None = None
    max_pulay_gpa: Annotated[float, Field(gt=0)] = 3.0
    chunk_steps: Annotated[int, Field(gt=0)] = 20
    command: str | None = None
    pseudo_dir: str | None = None
    members_at_once: Annotated[int, Field(gt=0)] | None = None

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> "EspressoEngine":
        """Build from `get_engine`'s options; raises InputError for an unknown one or a value that is not allowed."""
        return cls(**check_options("espresso", cls, options, hidden=""))

    @property
    def name(self) -> str:
        """The name that `get_engine` knows."""
        return "espresso"

    @property
    def batches(self) -> bool:
        """True: a cohort is one job, whose members run side by side."""
        return True

    @property
    def level(self) -> LevelOfTheory:
        """Cutoff, smearing, k-mesh and spin."""
        return LevelOfTheory(**{field: getattr(self, option) for option, field in _LEVEL.items()})

    def check_elements(self, symbols: Sequence[str]) -> None:
        """Raise InputError, naming them and the folder, for elements without a pseudopotential."""
        check_pseudopotentials(symbols, pseudopotential_folder(self.pseudo_dir))

    def provenance(self, seed: int | None = None) -> Provenance:
        """Describe functional, pseudopotentials and settings; documents of results have the version of pw.x."""
        return Provenance(
            engine="espresso",
            model="PBE",
            model_sha256=_checksum_of_folder(pseudopotential_folder(self.pseudo_dir)),
            device=self.command or "pw.x",
            dtype="float64",
            seed=seed,
            versions={package: importlib.metadata.version(package) for package in PACKAGES},
            options=changed_options(self, (*_LEVEL, "chunk_steps", "max_pulay_gpa")),
        )

    def run(self, requests: Sequence[Request], workdir: Path) -> list[Answer]:
        """Run molecular dynamics, members side by side; failures as data."""
        members = [functools.partial(self._run, request, workdir) for request in requests]
        return side_by_side(members, self.members_at_once or available_cores())

    def relax(
        self,
        states: Sequence[State],
        workdir: Path,
        *,
        relax_cell: bool,
        labels: Sequence[str],
        max_force_ev_a: float = MAX_FORCE_EV_A,
    ) -> list[Relaxation]:
        """Relax until no force is larger (and, with the cell, to zero stress), side by side; failures as data.

        A `max_force_ev_a` that no force reaches makes a single calculation of it: energy, forces and stress.
        """
        members = [
            functools.partial(self._relax, state, label, workdir, relax_cell, max_force_ev_a)
            for state, label in zip(states, labels, strict=True)
        ]
        return side_by_side(members, self.members_at_once or available_cores())

    def check_program(self) -> None:
        """Raise InputError, saying where it was looked for, where there is no pw.x."""
        pw_command(self.command)

    def _program(self) -> "Program":
        from tachylite.engines.espresso.program import Program

        return Program(self.command, pseudopotential_folder(self.pseudo_dir), self.level)

    def _chunked_run(self, request: Request, folder: Path, program: "Program", reason: str | None) -> "PwRun":
        from tachylite.engines.espresso.dynamics import PwRun

        return PwRun(
            request,
            folder,
            self.chunk_steps,
            _MAX_CRASHES,
            reason=reason,
            program=program,
            max_pulay_gpa=self.max_pulay_gpa,
        )

    def _missing_pseudopotentials(self, state: State) -> str | None:
        return reason_against(lambda: self.check_elements(state.elements))

    def _missing_program(self) -> str | None:
        return reason_against(self.check_program)

    def _identity(self, symbols: Sequence[str]) -> list[Any]:
        """What determines a result, and so must not change between a call and its continuation."""
        folder = pseudopotential_folder(self.pseudo_dir)
        level = [getattr(self, name) for name in _LEVEL]
        return [LAYOUT, level, self.max_pulay_gpa, {s: checksum(pseudopotential(s, folder)) for s in symbols}]

    def _run(self, request: Request, workdir: Path, interruption: Interruption) -> Answer:
        from tachylite.engines.espresso.program import remove_outdirs

        program, content = self._program(), request.model_dump(exclude={"label"})
        if (reason := self._missing_pseudopotentials(request.state)) is not None:
            return self._chunked_run(request, workdir, program, reason).answer(self.provenance())
        folder = workdir / f"run-{content_key(self._identity(request.state.elements), self.chunk_steps, content)}"
        with locked_folder(folder):
            if (finished := load_answer(folder, request.label)) is not None:
                return finished
            chunked = self._chunked_run(request, folder, program, self._missing_program())
            problem = reason_against(lambda: chunked.run(interruption))
            chunked.reason = chunked.reason or problem
            answer = chunked.answer(self.provenance())
            if keep_answer(folder, answer):
                remove_outdirs(folder)
        return answer

    def _relax(
        self,
        state: State,
        label: str,
        workdir: Path,
        relax_cell: bool,
        max_force_ev_a: float,
        interruption: Interruption,
    ) -> Relaxation:
        from tachylite.engines.espresso.program import remove_outdirs
        from tachylite.engines.espresso.relaxation import PwRelaxation

        relaxation = PwRelaxation(
            self._program(), state, workdir, label, relax_cell, max_force_ev_a, self.max_pulay_gpa
        )
        relaxation.reason = self._missing_pseudopotentials(state)
        if relaxation.reason is not None:
            return relaxation.answer(self.provenance())
        identity = [self._identity(state.elements), state.model_dump(), relax_cell, max_force_ev_a]
        folder = workdir / f"relax-{content_key(identity)}"
        with locked_folder(folder):
            if (finished := load_relaxation(folder, label)) is not None:
                return finished
            relaxation.folder, relaxation.reason = folder, self._missing_program()
            problem = reason_against(lambda: relaxation.run(interruption, _MAX_CRASHES))
            relaxation.reason = relaxation.reason or problem
            document = relaxation.answer(self.provenance())
            if keep_relaxation(folder, document):
                remove_outdirs(folder)
        return document


@functools.cache
def _checksum_of_files(files: tuple[tuple[str, str], ...]) -> str:
    return hashlib.sha256(repr(files).encode()).hexdigest()


def _checksum_of_folder(folder: Path) -> str:
    """One checksum for all pseudopotentials of a folder."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".upf")
    return _checksum_of_files(tuple((path.name, checksum(path)) for path in files))
