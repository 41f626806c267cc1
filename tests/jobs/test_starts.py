"""The first structures: as many atoms as the protocol says, in the volume that it says, the same in any company."""

from inspect import unwrap

import numpy as np
import pytest
from ase.build import bulk
from pymatgen.io.ase import AseAtomsAdaptor

from tachylite.cli.campaigns.surfaces import SurfaceOptions
from tachylite.engines.materials_project import starting_volume
from tachylite.errors import InputError
from tachylite.jobs.starts import make_structure, make_structures, pack_formula
from tachylite.physics.composition import parse_formula
from tachylite.physics.substitution import Replacement
from tachylite.schemas import Protocol, State
from tachylite.schemas.start import InterfaceStart, PackedStart, SlabStart, StructureStart, SubstitutedStart


def protocol(n_atoms: int = 16, volume_factor: float = 1.3) -> Protocol:
    steps = [{"kind": "hold", "name": "melt", "temperature_k": 3000}]
    packing = {"n_atoms": n_atoms, "volume_factor": volume_factor}
    return Protocol.model_validate({"name": "test", "packing": packing, "steps": steps})


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tachylite.engines.materials_project.materials_project_key", lambda: None)


def shortest_distance(state: State) -> float:
    distances = state.atoms.get_all_distances(mic=True)
    return float(distances[np.triu_indices(len(distances), k=1)].min())


@pytest.mark.parametrize(("formula", "n_atoms", "counts"), [("Li3PO4", 15, (6, 2, 8)), ("Ar", 15, (15,))])
def test_whole_formula_units_nearest_to_the_number_of_atoms(
    formula: str, n_atoms: int, counts: tuple[int, ...]
) -> None:
    state = pack_formula(formula, protocol(n_atoms), seed=1)
    symbols = state.atoms.get_chemical_symbols()
    assert tuple(symbols.count(symbol) for symbol in dict.fromkeys(parse_formula(formula).unit)) == counts
    assert state.velocities is None
    assert shortest_distance(state) > 1.5


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_the_volume_is_that_of_the_dense_phase_times_the_factor(factor: float) -> None:
    state = pack_formula("Li3PO4", protocol(volume_factor=factor), seed=1)
    dense = starting_volume(parse_formula("Li3PO4")).volume_a3_per_atom
    assert state.volume_a3 == pytest.approx(16 * dense * factor)


def test_a_formula_starts_from_the_same_structure_in_whatever_company() -> None:
    alone = unwrap(make_structures)([PackedStart(formula="Li3PO4")], protocol(), 5)
    together = unwrap(make_structures)([PackedStart(formula="Ar"), PackedStart(formula="Li3PO4")], protocol(), 5)
    assert together[1] == alone[0]
    assert pack_formula("Li3PO4", protocol(), seed=6) != alone[0]


def test_a_structure_is_taken_as_it_is() -> None:
    state = State.from_atoms(bulk("Cu", cubic=True))
    start = StructureStart(source="cu.cif", state=state)
    assert unwrap(make_structures)([start], protocol(), 5) == [state]
    assert start.counts(100) == {"Cu": 4}


def test_atoms_are_replaced_and_nothing_else_changes() -> None:
    host = State.from_atoms(bulk("NaCl", "rocksalt", 5.64, cubic=True).repeat(2))
    replacements = [Replacement(element="Na", by="K", fraction=0.25), Replacement(element="Na", by="Li", fraction=0.5)]
    start = SubstitutedStart(host=host, replacements=replacements)
    state = make_structure(start, protocol(), 1)
    symbols = state.atoms.get_chemical_symbols()
    assert {symbol: symbols.count(symbol) for symbol in set(symbols)} == start.counts(100)
    assert start.counts(100) == {"Na": 8, "K": 8, "Li": 16, "Cl": 32}
    assert np.allclose(state.positions, host.positions)
    assert [s for s in symbols if s == "Cl"] == ["Cl"] * 32
    chlorine = np.array(host.atoms.get_chemical_symbols()) == "Cl"
    assert all(np.array(symbols)[chlorine] == "Cl")
    assert make_structure(start, protocol(), 1) == state != make_structure(start, protocol(), 2)


def layered(face: str, gap_a: float = 2.0) -> tuple[SlabStart, InterfaceStart, InterfaceStart]:
    """Slab, interface with a packed glass, and with a given one, of lithium."""
    options = SurfaceOptions(
        slabs=["li"], face=face, thickness_a=8.0, width_a=8.0, gap_a=gap_a, molecules=["CO2=2"], largest_mismatch=0.1
    )
    lithium = "li.cif", AseAtomsAdaptor.get_structure(bulk("Li", "bcc", 3.44))
    glass = "glass.xyz", pack_formula("Li2O", protocol(60, 1.0), 1).structure
    (slab,) = options.slab_starts([lithium])
    packed, given = options.interface_starts(lithium, ["Li2O"], [glass])
    return slab, packed, given


def test_slabs_under_gas_and_interfaces_are_what_they_say() -> None:
    for start in layered("110"):
        state = make_structure(start, protocol(), 3)
        symbols = state.atoms.get_chemical_symbols()
        assert {symbol: symbols.count(symbol) for symbol in set(symbols)} == start.counts(100)
        assert state == make_structure(start, protocol(), 3)
        cell = np.array(state.cell)
        assert cell[2, :2].tolist() == cell[:2, 2].tolist() == [0, 0]
        assert shortest_distance(state) > 1.1


@pytest.mark.parametrize("face", ["110", "111"])
def test_a_glass_stands_a_gap_away_from_both_sides_of_the_slab(face: str) -> None:
    """The packed one is as dense as the protocol says, the given one on its own cross-section but for the strain."""
    _, packed, given = layered(face, gap_a=2.5)
    for start in (packed, given):
        state = make_structure(start, protocol(volume_factor=1.2), 3)
        n_slab = len(start.crystal.numbers)
        heights, height = np.array(state.positions)[:, 2], state.cell[2][2]
        top = heights[:n_slab].max()
        assert heights[:n_slab].min() == pytest.approx(0, abs=1e-9)
        assert heights[n_slab:].min() - top >= 2.5 - 1e-9
        assert height - heights[n_slab:].max() >= 2.5 - 1e-6
        area, n_glass = state.volume_a3 / height, len(state.numbers) - n_slab
        if start is packed:
            dense = starting_volume(parse_formula("Li2O")).volume_a3_per_atom
            assert (height - top - 5.0) * area / n_glass == pytest.approx(1.2 * dense)
            assert n_glass * dense == pytest.approx(8.0 * area, rel=0.1)
        else:
            assert start.strain is not None
            own = area / float(np.prod(np.array(start.strain.partner) + 1))
            assert own == pytest.approx(n_glass / 60 * pack_formula("Li2O", protocol(60, 1.0), 1).volume_a3 ** (2 / 3))
    assert packed.strain is None
    assert given.title.startswith(f"li.cif ({face}) | glass.xyz (crystal strained by ")


def test_a_substitution_that_cannot_be_neutral_is_refused() -> None:
    host = State.from_atoms(bulk("NaCl", "rocksalt", 5.64, cubic=True))
    start = SubstitutedStart(host=host, replacements=[Replacement(element="Na", by="Mg", fraction=1.0)])
    with pytest.raises(InputError, match="MgCl cannot be neutral"):
        make_structure(start, protocol(), 1)
