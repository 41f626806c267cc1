"""Bridges and Qn of crystals with known networks, and of a built chain."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read
from ase.spacegroup import crystal
from tests.physics.crystals import cristobalite, frames_of, quartz
from tests.reference_data import require

from tachylite.measured import Measured
from tachylite.physics.frames import Frames, take_frames
from tachylite.physics.structure.bonds import analyse_bonds
from tachylite.physics.structure.network import Network, NetworkElements, find_network


def network_of(frames: Frames, cutoffs: dict[str, float], elements: NetworkElements | None = None) -> Network:
    network = analyse_bonds(frames, cutoffs, elements).network
    assert network is not None
    return network


def values(shares: dict[int, Measured] | dict[str, Measured]) -> dict[object, float]:
    return {name: share.value for name, share in shares.items()}


def lithium_phosphate() -> Atoms:
    """Beta Li3PO4 (Keffer and others 1967)."""
    ions = [(0.248, 0.328, 0.986), (0.5, 0.843, 0.989)]
    phosphate = [(0, 0.824, 0), (0.209, 0.686, 0.894), (0, 0.106, 0.901), (0, 0.816, 0.316)]
    kinds = ["Li", "Li", "P", "O", "O", "O"]
    return crystal(kinds, ions + phosphate, spacegroup=31, cellpar=[6.115, 5.239, 4.855, 90, 90, 90])


def metaphosphate_chain(n: int) -> Atoms:
    """A straight infinite chain of n PO3, each with two bridging and two other oxygen atoms, and n Li beside it."""
    step = 2.6
    symbols, positions = [], []
    for k in range(n):
        x = k * step
        symbols += ["P", "O", "O", "O", "Li"]
        positions += [(x, 5, 5), (x + step / 2, 5.95, 5), (x, 4.2, 6.25), (x, 4.2, 3.75), (x, 4.2, 8.2)]
    return Atoms(symbols, positions=positions, cell=[n * step, 12, 12], pbc=True)


@pytest.mark.parametrize("silica", [quartz(), cristobalite()])
def test_silica_is_q4_and_all_its_oxygen_bridges(silica: Atoms) -> None:
    network = network_of(frames_of(silica), {"Si-O": 2.0})
    (oxygen,), (silicon,) = network.anions, network.formers
    assert values(oxygen.formers) == {2: 1}
    assert (oxygen.bridging.value, values(oxygen.bridges)) == (1, {"Si-O-Si": 1})
    assert (values(silicon.q), silicon.mean.value, values(silicon.by_anion)) == ({4: 1}, 4, {"O": 4})


def test_a_chain_of_metaphosphate_is_q2() -> None:
    network = network_of(frames_of(metaphosphate_chain(4)), {"P-O": 1.9, "Li-O": 2.5})
    (oxygen,), (phosphorus,) = network.anions, network.formers
    assert values(oxygen.formers) == pytest.approx({1: 2 / 3, 2: 1 / 3})
    assert oxygen.bridging.error == pytest.approx((2 / 9 / 12) ** 0.5), "counted: one frame of twelve atoms"
    assert values(phosphorus.q) == {2: 1}


@pytest.mark.reference("lipon")
def test_nitrogen_bridges_the_chains_of_lithium_phosphonitride() -> None:
    crystal = read(require("lipon") / "Li2PO2N_mp-1020019_CONTCAR.vasp")
    network = network_of(frames_of(crystal), {"P-O": 2.0, "N-P": 2.0, "Li-O": 2.6, "Li-N": 2.6})
    nitrogen, oxygen = network.anions
    (phosphorus,) = network.formers
    assert values(nitrogen.bridges) == {"P-N-P": 1}
    assert (values(oxygen.formers), oxygen.bridging.value) == ({1: 1}, 0)
    assert (values(phosphorus.q), values(phosphorus.by_anion)) == ({2: 1}, {"N": 2, "O": 0})


def test_bridges_are_named_by_their_formers() -> None:
    """Three formers around nitrogen, two different ones around oxygen, and a free oxide ion."""
    symbols = ["N", "P", "P", "P", "O", "B", "O"]
    positions = [(5, 5, 5), (6.7, 5, 5), (4.15, 6.5, 5), (4.15, 3.5, 5), (8.0, 5.8, 5), (9.3, 5.3, 5), (1, 1, 9)]
    atoms = Atoms(symbols, positions=positions, cell=np.eye(3) * 12, pbc=True)
    network = network_of(frames_of(atoms), {"P-N": 2.0, "P-O": 2.0, "B-O": 1.8, "B-N": 1.8})
    nitrogen, oxygen = network.anions
    boron, phosphorus = network.formers
    assert values(nitrogen.bridges) == {"P-N<PP": 1}
    assert (values(oxygen.formers), values(oxygen.bridges)) == ({0: 0.5, 1: 0, 2: 0.5}, {"B-O-P": 0.5})
    assert values(boron.q) == {1: 1}
    assert values(phosphorus.q) == pytest.approx({1: 2 / 3, 2: 1 / 3})
    alone = network_of(frames_of(atoms), {"P-O": 2.0, "B-O": 1.8}, NetworkElements(["B"], ["O"]))
    assert (values(alone.anions[0].formers), values(alone.formers[0].q)) == ({0: 0.5, 1: 0.5}, {0: 1})


def test_the_error_over_frames_is_that_of_their_scatter() -> None:
    """A chain one bond of which is broken in half of the frames, at random."""
    chain = metaphosphate_chain(4)
    broken = chain.positions.copy()
    broken[1] += (0, 4, 0)
    draws = np.random.default_rng(0).random(400) < 0.5
    positions = np.where(draws[:, None, None], broken, chain.positions)
    network = network_of(take_frames(positions, chain.cell.array, chain.numbers), {"P-O": 1.9})
    bridging = network.anions[0].bridging
    assert abs(bridging.value - (4 - 0.5) / 12) < 4 * bridging.error
    assert bridging.error == pytest.approx(0.5 / 12 / 400**0.5, rel=0.3)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (["O-P", "N-P", "Li-O", "Li-N"], (["P"], ["N", "O"])),
        (["O-S", "Li-O"], (["S"], ["O"])),
        (["P-S", "Li-S"], (["P"], ["S"])),
        (["O-Te", "O-V"], (["Te", "V"], ["O"])),
        (["Al-O", "O-Si", "Ca-O", "H-O", "La-O"], (["Al", "Si"], ["O"])),
        (["F-Zr", "Ba-F"], (["Zr"], ["F"])),
    ],
)
def test_formers_and_anions_are_told_from_their_bonds(pairs: list[str], expected: tuple[list[str], list[str]]) -> None:
    elements = find_network(pairs)
    assert elements is not None
    assert (list(elements.formers), list(elements.anions)) == expected


@pytest.mark.parametrize("pairs", [["Cu-Zr"], ["Cl-Na"], ["Si-Si"], ["Li-O"], []])
def test_metals_salts_and_elements_have_no_network(pairs: list[str]) -> None:
    assert find_network(pairs) is None


def test_every_ion_of_rutile_is_counted() -> None:
    """Titanium with six oxygen atoms, each of which has three titanium atoms."""
    rutile = crystal(
        ["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136, cellpar=[4.594, 4.594, 2.959, 90, 90, 90]
    )
    network = network_of(frames_of(rutile), {"Ti-O": 2.3})
    assert (values(network.anions[0].bridges), values(network.formers[0].q)) == ({"Ti-O<TiTi": 1}, {6: 1})


def test_orthophosphate_is_q0() -> None:
    network = network_of(frames_of(lithium_phosphate()), {"P-O": 1.9, "Li-O": 2.3})
    assert values(network.anions[0].formers) == {1: 1}
    assert (values(network.formers[0].q), network.formers[0].mean.value) == ({0: 1}, 0)


def test_a_salt_has_no_network() -> None:
    assert analyse_bonds(frames_of(bulk("NaCl", "rocksalt", 5.64)), {"Na-Cl": 3.2}).network is None
