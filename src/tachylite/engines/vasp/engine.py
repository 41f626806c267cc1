"""The VASP engine: runs each member by itself, in a folder of its own."""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from monty.json import MSONable
from pydantic import Field

from tachylite.engines.answers import keep_answer, keep_relaxation, load_answer, load_relaxation, reason_against
from tachylite.engines.base import MAX_FORCE_EV_A, Answer
from tachylite.engines.espresso.settings import METAL_KSPACING
from tachylite.engines.interruption import interruptible
from tachylite.engines.registry import changed_options, check_options
from tachylite.engines.vasp.inputs import md_set, write_inputs
from tachylite.engines.vasp.setup import PotcarFunctional, check_potcars, incar_updates, settings, vasp_command
from tachylite.engines.workdir import content_key, locked_folder
from tachylite.errors import InputError
from tachylite.schemas import Provenance, Request, Segment, State
from tachylite.schemas.relaxation import Relaxation

if TYPE_CHECKING:
    from tachylite.engines.vasp.dynamics import VaspRun

LAYOUT = 2
"""Version of the files in a work folder; it is part of the folder's name."""

PACKAGES = ("tachylite", "atomate2", "custodian", "pymatgen-core")


@dataclass(frozen=True)
class VaspEngine(MSONable):
    """Molecular dynamics with MPMorph's settings, energies with those of the Materials Project.

    `encut_ev` and `spin_polarized` are those of molecular dynamics; a call of VASP makes at most `chunk_steps`
    of its steps. `potcar_functional` names VASP's release of POTCARs, `PBE` the one that the Materials Project
    uses. With `level` espresso, settings are those of the espresso engine: PBE without +U and without corrections,
    k-points at most `kspacing` apart, in 1/A with 2 pi included.
    """

    encut_ev: Annotated[float, Field(gt=0)] = 520.0
    spin_polarized: bool = False
    chunk_steps: Annotated[int, Field(gt=0)] = 2000
    potcar_functional: PotcarFunctional = "PBE"
    level: Literal["materials-project", "espresso"] = "materials-project"
    kspacing: Annotated[float, Field(gt=0)] = METAL_KSPACING

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> "VaspEngine":
        """Build from `get_engine`'s options; raises InputError for an unknown one or a value that is not allowed."""
        return cls(**check_options("vasp", cls, options, hidden=""))

    @property
    def name(self) -> str:
        """The name that `get_engine` knows."""
        return "vasp"

    @property
    def batches(self) -> bool:
        """False: every member has a job of its own."""
        return False

    def check_elements(self, symbols: Sequence[str]) -> None:
        """Raise InputError, naming them, for elements without a POTCAR."""
        check_potcars(symbols, self.potcar_functional)

    def provenance(self, seed: int | None = None) -> Provenance:
        """Describe functional, settings and versions; the version of VASP is in the documents of its runs."""
        return Provenance(
            engine="vasp",
            model=self.potcar_functional,
            device=settings().VASP_CMD,
            dtype="float64",
            seed=seed,
            versions={package: importlib.metadata.version(package) for package in PACKAGES},
            options=self._result_changing_options(),
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

        Its criterion is the energy; a `max_force_ev_a` other than the default replaces it.
        """
        limit = None if max_force_ev_a == MAX_FORCE_EV_A else max_force_ev_a
        return [
            self._relax(state, workdir, relax_cell=relax_cell, label=label, max_force_ev_a=limit)
            for state, label in zip(states, labels, strict=True)
        ]

    def write_first_inputs(self, request: Request, folder: Path) -> str | None:
        """Write the inputs of the first call of VASP for a request; velocities are drawn as `run` draws them.

        Where a POTCAR is missing, POTCAR.spec with the symbols of the potentials, one a line, is written instead, and
        the returned line says so. Raises InputError for an element that the Materials Project has no potential for.
        """
        input_set = self._chunked_run(request, folder).next_set()
        try:
            check_potcars(request.state.elements, self.potcar_functional)
        except InputError as missing:
            try:
                write_inputs(input_set, folder, potcar_spec=True)
            except KeyError:
                raise missing from None
            return f"POTCAR.spec: no POTCARs are set up here; it names the potentials of POTCAR, one a line ({missing})"
        write_inputs(input_set, folder)
        return None

    def _result_changing_options(self) -> dict[str, Any]:
        """Options with other than default values that may change a result; the length of a chunk does not."""
        changed = changed_options(self, ("encut_ev", "spin_polarized", "level", "kspacing"))
        updates = incar_updates()
        return changed | ({"incar": updates} if updates else {})

    def _identity(self) -> list[Any]:
        return [LAYOUT, self.potcar_functional, self._result_changing_options()]

    def _chunked_run(self, request: Request, folder: Path) -> "VaspRun":
        from tachylite.engines.vasp.dynamics import VaspRun

        crashes = settings().VASP_CUSTODIAN_MAX_ERRORS
        return VaspRun(request, folder, self.chunk_steps, crashes, make_set=self._md_set)

    def _md_set(self, state: State, segment: Segment, begin: int, steps: int) -> Any:
        return md_set(
            state,
            segment,
            begin,
            steps,
            encut_ev=self.encut_ev,
            spin_polarized=self.spin_polarized,
            potcar_functional=self.potcar_functional,
            plain_kspacing_per_a=self._plain_kspacing,
        )

    @property
    def _plain_kspacing(self) -> float | None:
        return self.kspacing if self.level == "espresso" else None

    def _run(self, request: Request, workdir: Path) -> Answer:
        from tachylite.engines.vasp.dynamics import check_request

        content = request.model_dump(exclude={"label"})
        folder = workdir / f"run-{content_key(self._identity(), content)}"
        with locked_folder(folder):
            if (finished := load_answer(folder, request.label)) is not None:
                return finished
            chunked = self._chunked_run(request, folder)
            chunked.resume()
            if chunked.done < chunked.total:
                chunked.reason = reason_against(lambda: check_request(request)) or self._obstacle(request.state)
            with interruptible() as interruption:
                chunked.run(interruption)
            answer = chunked.answer(self.provenance())
            keep_answer(folder, answer)
        return answer

    def _relax(
        self, state: State, workdir: Path, *, relax_cell: bool, label: str, max_force_ev_a: float | None
    ) -> Relaxation:
        from tachylite.engines.vasp.relaxation import VaspRelaxation

        folder = workdir / f"relax-{content_key(self._identity(), state.model_dump(), relax_cell, max_force_ev_a)}"
        with locked_folder(folder):
            if (finished := load_relaxation(folder, label)) is not None:
                return finished
            relaxation = VaspRelaxation(
                state,
                folder,
                label,
                relax_cell,
                self.potcar_functional,
                settings().VASP_CUSTODIAN_MAX_ERRORS,
                max_force_ev_a,
                self._plain_kspacing,
            )
            relaxation.resume()
            relaxation.reason = self._obstacle(state)
            with interruptible() as interruption:
                relaxation.run(interruption)
            document = relaxation.answer(label, self.provenance())
            keep_relaxation(folder, document)
        return document

    def _obstacle(self, state: State) -> str | None:
        """Reason why VASP cannot be called for a state, or None."""
        return reason_against(vasp_command) or reason_against(lambda: self.check_elements(state.elements))
