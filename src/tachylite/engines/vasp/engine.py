"""The engine that has VASP compute the forces: each member alone, in a folder of its own."""

import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from monty.json import MSONable
from pydantic import Field

from tachylite.engines.base import MAX_FORCE_EV_A, Answer
from tachylite.engines.interruption import interruptible
from tachylite.engines.options import checked_options
from tachylite.engines.vasp.inputs import md_set, write_inputs
from tachylite.engines.vasp.setup import check_potcars, incar_updates, settings, vasp_command
from tachylite.engines.workdir import alone_in, content_key, finish, write_atomically
from tachylite.errors import InputError
from tachylite.schemas import Provenance, Relaxation, Request, Run, Segment, State, Trajectory

if TYPE_CHECKING:
    from tachylite.engines.vasp.dynamics import RunInProgress

LAYOUT = 1
"""Of what is kept in a work folder; another number is another piece of work."""

PACKAGES = ("tachylite", "atomate2", "custodian", "pymatgen-core")


@dataclass(frozen=True)
class VaspEngine(MSONable):
    """Molecular dynamics with MPMorph's settings, energies with those of the Materials Project.

    `encut_ev` and `spin_polarized` are those of molecular dynamics; a call of VASP makes at most `chunk_steps`
    of its steps. `potcar_functional` names VASP's release of POTCARs, `PBE` the one that the Materials Project
    uses.
    """

    encut_ev: Annotated[float, Field(gt=0)] = 520.0
    spin_polarized: bool = False
    chunk_steps: Annotated[int, Field(gt=0)] = 2000
    potcar_functional: Literal["PBE", "PBE_52", "PBE_54", "PBE_64"] = "PBE"

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> "VaspEngine":
        """Build from `get_engine`'s options; raises InputError for an unknown one or a value that is not allowed."""
        return cls(**checked_options("vasp", cls, options, hidden=""))

    @property
    def name(self) -> str:
        """The name that `get_engine` knows."""
        return "vasp"

    @property
    def batches(self) -> bool:
        """Every member has a job of its own."""
        return False

    def check_elements(self, symbols: Sequence[str]) -> None:
        """Raise InputError, naming them, for elements without a POTCAR."""
        check_potcars(symbols, self.potcar_functional)

    def provenance(self, seed: int | None = None) -> Provenance:
        """Describe functional, settings and versions; that of VASP itself is in the documents of its runs."""
        return Provenance(
            engine="vasp",
            model=self.potcar_functional,
            device=settings().VASP_CMD,
            dtype="float64",
            seed=seed,
            versions={package: importlib.metadata.version(package) for package in PACKAGES},
            options=self._deciding_options(),
        )

    def run(self, requests: Sequence[Request], workdir: Path) -> list[Answer]:
        """Run molecular dynamics, one request after the other; failures as data."""
        return [self._run(request, workdir) for request in requests]

    def relax(
        self,
        states: Sequence[State],
        workdir: Path,
        *,
        relax_cell: bool,
        labels: Sequence[str],
        max_force_ev_a: float = MAX_FORCE_EV_A,
    ) -> list[Relaxation]:
        """Relax and compute as the Materials Project does, one state after the other; failures as data.

        Its criterion is the energy; another `max_force_ev_a` than the usual one takes its place.
        """
        limit = None if max_force_ev_a == MAX_FORCE_EV_A else max_force_ev_a
        return [
            self._relax(state, workdir, relax_cell=relax_cell, label=label, max_force_ev_a=limit)
            for state, label in zip(states, labels, strict=True)
        ]

    def write_first_inputs(self, request: Request, folder: Path) -> None:
        """Write the inputs of the first call of VASP for a request; velocities are drawn as `run` draws them.

        Raises InputError where a POTCAR is missing.
        """
        check_potcars(request.state.elements, self.potcar_functional)
        write_inputs(self._flight(request, folder).next_set(), folder)

    def _deciding_options(self) -> dict[str, Any]:
        """What may change an answer, the usual left out: how long a chunk is does not."""
        usual = {one.name: one.default for one in fields(self)}
        options = {name: getattr(self, name) for name in ("encut_ev", "spin_polarized")}
        changed = {name: value for name, value in options.items() if value != usual[name]}
        updates = incar_updates()
        return changed | ({"incar": updates} if updates else {})

    def _identity(self) -> list[Any]:
        return [LAYOUT, self.potcar_functional, self._deciding_options()]

    def _flight(self, request: Request, folder: Path) -> "RunInProgress":
        from tachylite.engines.vasp.dynamics import RunInProgress

        return RunInProgress(request, folder, self._md_set, self.chunk_steps, settings().VASP_CUSTODIAN_MAX_ERRORS)

    def _md_set(self, state: State, segment: Segment, begin: int, steps: int) -> Any:
        return md_set(
            state,
            segment,
            begin,
            steps,
            encut_ev=self.encut_ev,
            spin_polarized=self.spin_polarized,
            potcar_functional=self.potcar_functional,
        )

    def _run(self, request: Request, workdir: Path) -> Answer:
        from tachylite.engines.vasp.dynamics import check_cell

        content = request.model_dump(exclude={"label"})
        folder = workdir / f"run-{content_key(self._identity(), content)}"
        finished = folder / "run.json"
        with alone_in(folder):
            if finished.exists():
                run = Run.model_validate_json(finished.read_bytes()).model_copy(update={"label": request.label})
                frames = folder / f"{run.trajectory_id}.h5"
                return Answer(run, None if run.trajectory_id is None else Trajectory.load(frames))
            flight = self._flight(request, folder)
            flight.resume()
            if flight.done < flight.total:
                flight.reason = _problem(lambda: check_cell(request.state)) or self._obstacle(request.state)
            with interruptible() as interruption:
                flight.run(interruption)
            answer = flight.answer(self.provenance())
            # what has failed is tried again when it is asked for again: the reason may be the machine's
            if answer.run.status == "completed":
                if answer.trajectory is not None:
                    write_atomically(folder / f"{answer.trajectory.sha256}.h5", answer.trajectory.h5md)
                finish(finished, answer.run.model_dump_json().encode())
        return answer

    def _relax(
        self, state: State, workdir: Path, *, relax_cell: bool, label: str, max_force_ev_a: float | None
    ) -> Relaxation:
        from tachylite.engines.vasp.relaxation import VaspRelaxation

        folder = workdir / f"relax-{content_key(self._identity(), state.model_dump(), relax_cell, max_force_ev_a)}"
        finished = folder / "relaxation.json"
        with alone_in(folder):
            if finished.exists():
                stored = Relaxation.model_validate_json(finished.read_bytes())
                return stored.model_copy(update={"label": label})
            descent = VaspRelaxation(
                state,
                folder,
                label,
                relax_cell,
                self.potcar_functional,
                settings().VASP_CUSTODIAN_MAX_ERRORS,
                max_force_ev_a,
            )
            descent.resume()
            descent.reason = self._obstacle(state)
            with interruptible() as interruption:
                descent.run(interruption)
            relaxation = descent.answer(label, self.provenance())
            if relaxation.status == "converged":
                finish(finished, relaxation.model_dump_json().encode())
        return relaxation

    def _obstacle(self, state: State) -> str | None:
        """Why VASP cannot be called for a state, if it cannot."""
        return _problem(vasp_command) or _problem(lambda: self.check_elements(state.elements))


def _problem(check: Callable[[], object]) -> str | None:
    try:
        check()
    except InputError as error:
        return str(error)
    return None
