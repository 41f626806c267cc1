"""Every potential keeps the contract; a wrong one does not. A new family is one line in `POTENTIALS`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from ase import Atoms
from tests.engines.potentials.sample_structures import melt, state_of
from tests.reference_data import reference, require

from tachylite.engines.contract import check_contract
from tachylite.engines.potentials.loading import load_potential

UNEP = "models/UNEP-v1.txt"
TENSORNET = "models/TensorNet-MatPES-PBE-v2025.1-PES"

IONIC = [melt("Li3PO4", 2, 12.0, seed=4), melt("NaCl", 3, 24.0, seed=6)]
METALLIC = [melt("Cu3Al", 2, 13.0, seed=1, closest=2.2), melt("Ni", 5, 12.0, seed=2, closest=2.2)]
ARGON = [melt("Ar", 12, 30.0, seed=0, closest=3.0), melt("Ar", 7, 40.0, seed=1, closest=3.0)]
FEW = [melt("ArKr", 2, 30.0, seed=0, closest=3.0), melt("ArKr", 1, 40.0, seed=1, closest=3.0)]
CROWDED = [melt("Li3PO4", 2, 4.0, seed=4, closest=0.8), melt("CuZr", 3, 6.0, seed=2, closest=1.5)]


@dataclass(frozen=True)
class Case:
    """A potential, structures of its elements, the precision it computes in."""

    engine: str
    structures: list[Atoms]
    precision: str = "float64"
    needs: str | None = None
    change: Callable[[Any], Any] = lambda potential: potential

    def make(self) -> Any:
        if self.needs is not None:
            require(self.needs)
        family, _, model = self.engine.partition(":")
        return self.change(load_potential(family, model or None, "cpu").potential)


def in_double(_: Any) -> Any:
    from tachylite.engines.potentials.chgnet.potential import ChgnetPotential

    return ChgnetPotential(precision=torch.float64)


def zbl_alone(_: Any) -> Any:
    from tachylite.engines.potentials.zbl import ZblPotential

    return ZblPotential()


def with_zbl(potential: Any) -> Any:
    from tachylite.engines.potentials import zbl

    return zbl.with_zbl(potential)


def with_d3(potential: Any) -> Any:
    from tachylite.engines.potentials.dispersion import with_dispersion
    from tachylite.engines.potentials.dispersion_parameters import DAMPINGS

    return with_dispersion(potential, DAMPINGS["PBE"])


POTENTIALS = {
    "chgnet": Case("chgnet", IONIC, "float32"),
    "chgnet in double precision": Case("chgnet", IONIC, change=in_double),
    "lennard-jones": Case("lennard-jones", ARGON),
    "repulsion of nuclei": Case("lennard-jones", CROWDED, change=zbl_alone),
    "lennard-jones with repulsion of nuclei": Case("lennard-jones", ARGON, change=with_zbl),
    "lennard-jones with dispersion": Case("lennard-jones", ARGON, change=with_d3),
    "dispersion of several elements": Case("ase:emt", METALLIC, change=with_d3),
    "matgl": Case(f"matgl:{reference(TENSORNET)}", IONIC, "float32", needs=TENSORNET),
    "nep": Case(f"nep:{reference(UNEP)}", METALLIC, needs=UNEP),
    "ase:emt": Case("ase:emt", METALLIC),
}


@pytest.mark.parametrize("name", POTENTIALS)
def test_keeps_the_contract(name: str) -> None:
    case = POTENTIALS[name]
    check_contract(case.make(), case.structures, precision=case.precision)


type Answer = dict[str, torch.Tensor]


@dataclass
class Altered:
    """Argon, and what a mistake makes of its answers."""

    mistake: Callable[[Any, Answer], Any]
    argon: Any = field(default_factory=lambda: load_potential("lennard-jones", None, "cpu").potential)
    dtype: torch.dtype = torch.float64
    ageing: float = 0.0
    since_reset: int | None = None

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def __call__(self, state: Any) -> Answer:
        answer: Answer = self.argon(state)
        self.mistake(state, answer)
        if self.since_reset is not None:
            answer["energy"] = answer["energy"] + self.ageing * self.since_reset
            self.since_reset += 1
        return answer

    def reset(self) -> None:
        self.since_reset = 0
        self.argon.reset()


def change(**factors: float) -> Callable[[Any, Answer], None]:
    """A mistake in signs or units."""

    def mistake(_: Any, answer: Answer) -> None:
        for name, factor in factors.items():
            answer[name] = answer[name] * factor

    return mistake


def add(extra: Callable[[Any], Any]) -> Callable[[Any, Answer], None]:
    """Energy that should not be there, per system."""

    def mistake(state: Any, answer: Answer) -> None:
        answer["energy"] = answer["energy"] + extra(state)

    return mistake


def forces_of_the_next_atom(_: Any, answer: Answer) -> None:
    answer["forces"] = answer["forces"].roll(1, dims=0)


def no_stress(_: Any, answer: Answer) -> None:
    del answer["stress"]


def squeezed(_: Any, answer: Answer) -> None:
    answer["energy"] = answer["energy"][:, None]


def rounded(_: Any, answer: Answer) -> None:
    answer["forces"] = answer["forces"].float()


def wraps_its_input(state: Any, _: Answer) -> None:
    state.positions.remainder_(1.0)


def field_along_x(state: Any, answer: Answer) -> None:
    answer["energy"] = answer["energy"].index_add(0, state.system_idx, -0.1 * state.positions[:, 0])
    answer["forces"] = answer["forces"] + torch.tensor([0.1, 0, 0])
    moments = torch.zeros_like(answer["stress"])
    moments[:, 0].index_add_(0, state.system_idx, -0.1 * state.positions)
    answer["stress"] = answer["stress"] + (moments + moments.mT) / 2 / state.volume[:, None, None]


def sees_its_direction(state: Any, answer: Answer) -> None:
    edge = state.row_vector_cell[:, 0, 0]
    answer["energy"] = answer["energy"] + 0.1 * edge
    answer["stress"][:, 0, 0] += 0.1 * edge / state.volume


def first_of_each(state: Any) -> Any:
    starts = torch.bincount(state.system_idx).cumsum(0) - torch.bincount(state.system_idx)
    return state.masses[starts]


def gives_up(_: Any, answer: Answer) -> None:
    if answer["energy"].isnan().any():
        raise RuntimeError("no neighbours")


def spreads(_: Any, answer: Answer) -> None:
    if answer["energy"].isnan().any():
        answer["forces"] = answer["forces"] * torch.nan


def hides(_: Any, answer: Answer) -> None:
    answer["energy"] = answer["energy"].nan_to_num()


WRONG = {
    "sign of stress": (change(stress=-1), "stress xx is not the derivative of the energy"),
    "stress in GPa": (change(stress=160.2), "stress xx is not the derivative"),
    "sign of forces": (change(forces=-1), "forces are not the derivative of the energy"),
    "forces in Hartree per bohr": (change(forces=0.0194), "forces are not the derivative"),
    "forces of another atom": (forces_of_the_next_atom, "forces are not the derivative"),
    "no stress": (no_stress, "no 'stress'; it has energy, forces"),
    "a dimension too many": (squeezed, r"energy has shape \(2, 1\) instead of \(2,\)"),
    "single precision": (rounded, "forces is torch.float32 instead of torch.float64"),
    "input changed": (wraps_its_input, "changed the positions"),
    "an outer field": (field_along_x, "moving all atoms together changes the energy"),
    "a direction in space": (sees_its_direction, "turning the structure changes the energy"),
    "order of atoms": (add(first_of_each), "renumbering atoms changes the energy"),
    "energy of the cell": (add(lambda _: 1e-3), "repeating the cell changes the energy"),
    "company": (add(lambda state: 1e-3 * (len(state.cell) > 1)), "a batch changes the energy"),
    "an exception for one": (gives_up, "a member with a position that is not a number raises RuntimeError: no neigh"),
    "one broken, all broken": (spreads, "structure 2: a member with a position .* beside it changes the forces"),
    "broken without a word": (hides, "has energy 0.0 instead of NaN"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named(name: str) -> None:
    mistake, message = WRONG[name]
    with pytest.raises(AssertionError, match=message):
        check_contract(Altered(mistake), FEW)


def test_other_units_are_seen_where_the_energy_is_known() -> None:
    known = [float(energy) for energy in Altered(change())(state_of(FEW))["energy"]]
    check_contract(Altered(change()), FEW, known_energies_ev=known)
    with pytest.raises(AssertionError, match=r"the energy is .* instead of .* eV: units or weights"):
        check_contract(Altered(change(energy=23.06, forces=23.06, stress=23.06)), FEW, known_energies_ev=known)


def test_what_came_before_must_not_count() -> None:
    with pytest.raises(AssertionError, match=r"reset\(\) or what came before changes the energy"):
        check_contract(Altered(change(), ageing=1e-3), FEW)


def test_no_mistake_is_found_where_there_is_none() -> None:
    check_contract(Altered(change()), FEW)


def test_one_structure_is_not_enough() -> None:
    with pytest.raises(ValueError, match="1 structures"):
        check_contract(Altered(change()), FEW[:1])
