"""What `tachylite run` was asked for, checked before anything is computed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from tachylite.configs import load_protocol
from tachylite.engines import Engine, get_engine
from tachylite.errors import InputError
from tachylite.jobs.material import material_id
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.schemas import Material, Protocol
from tachylite.schemas.run import reduced_formula


@dataclass(frozen=True)
class Member:
    """One formula of the cohort."""

    formula: str
    """As written."""
    reduced: str
    material_id: str


@dataclass(frozen=True)
class Plan:
    """A cohort, and how it is computed."""

    members: list[Member]
    protocol: Protocol
    engine: Engine
    seed: int
    crystals: dict[str, Structure]
    """By reduced formula."""

    def without(self, materials: Iterable[Material]) -> list[Member]:
        """Members that none of these materials answers; a crystal asks for energies above it."""
        answered = {one.material_id for one in materials if one.answers(above_crystal=one.formula in self.crystals)}
        return [member for member in self.members if member.material_id not in answered]


def make_plan(
    formulas: Sequence[str],
    protocol: str,
    engine: str,
    crystals: Sequence[Path],
    n_atoms: int | None,
    seed: int,
    options: Mapping[str, Any],
    *,
    dry_run: bool = False,
) -> Plan:
    """Check what was asked for, and load what it names.

    `options` go to the engine. Raises InputError for an unknown formula, element, protocol, engine or option, a
    composition given twice, and a crystal that cannot be read or is of none of the formulas.
    """
    parsed = [parse_formula(formula) for formula in formulas]
    chosen = load_protocol(protocol)
    if n_atoms is not None:
        chosen = chosen.model_copy(update={"packing": chosen.packing.model_copy(update={"n_atoms": n_atoms})})
    counts = [atom_counts(formula, chosen.packing.n_atoms) for formula in parsed]
    reduced = [reduced_formula(count) for count in counts]
    _refuse_twice(reduced)
    structures = dict(read_crystal(path, reduced) for path in crystals)
    forces = get_engine(engine, **options)
    if not (dry_run and forces.name == "vasp"):  # which writes POTCAR.spec where there are no POTCARs
        forces.check_elements(sorted({symbol for count in counts for symbol in count}))
    members = [
        Member(formula, name, material_id(name, sum(count.values()), chosen, forces, seed))
        for formula, name, count in zip(formulas, reduced, counts, strict=True)
    ]
    return Plan(members, chosen, forces, seed, structures)


def read_crystal(path: Path, formulas: Sequence[str]) -> tuple[str, Structure]:
    """Read a crystal and find the reduced formula it belongs to.

    Raises InputError for a file that pymatgen does not read as an ordered crystal, and for another composition.
    """
    if not path.is_file():
        raise InputError(f"crystal file {path} does not exist")
    try:
        structure = Structure.from_file(path)
    except Exception as error:  # every format of pymatgen fails in its own way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"crystal file {path} cannot be read: {reason}") from None
    if not structure.is_ordered:
        raise InputError(f"crystal file {path} has partly occupied sites; give an ordered structure")
    found = structure.composition.reduced_formula
    if found not in formulas:
        raise InputError(f"crystal file {path} is {found}, and not {' or '.join(formulas)}")
    return found, structure


def _refuse_twice(formulas: Sequence[str]) -> None:
    for name in formulas:
        if formulas.count(name) > 1:
            raise InputError(f"{name} is given {formulas.count(name)} times; another sample of it is another --seed")


def check_program(plan: Plan) -> None:
    """Look for the program that the engine calls before anything is computed; a dry run and `submit` do without it."""
    from tachylite.engines.espresso.engine import EspressoEngine

    if isinstance(plan.engine, EspressoEngine):
        plan.engine.check_program()
    if plan.engine.name == "vasp":
        from tachylite.engines.vasp.setup import vasp_command

        vasp_command()
