"""Primitive rings of crystals whose rings are known."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from tests.physics.crystals import cristobalite, diamond, frames_of, quartz

from tachylite.errors import InputError
from tachylite.physics.frames import take_frames
from tachylite.physics.structure.rings import RingStatistics, analyse_rings


def nonzero(rings: RingStatistics) -> dict[int, float]:
    return {size: number.value for size, number in rings.rings_per_vertex.items() if number.value}


@pytest.mark.parametrize("repeats", [1, 2])
def test_diamond_has_two_rings_of_six_an_atom_in_any_cell(repeats: int) -> None:
    rings = analyse_rings(frames_of(diamond(repeats)), 1, {"C-C": 1.7})
    assert nonzero(rings) == pytest.approx({6: 2})
    assert (rings.network, rings.n_vertices) == ("C", 2 * repeats**3)


def test_cristobalite_has_rings_of_six_and_quartz_of_eight_too() -> None:
    # the net of silicon in cristobalite is that of diamond; quartz has 6- and 8-rings
    rings = analyse_rings(frames_of(cristobalite()), 1, {"Si-O": 1.8})
    assert rings.network == "Si(O)"
    assert nonzero(rings) == pytest.approx({6: 2})
    small = analyse_rings(frames_of(quartz()), 1, {"Si-O": 1.8})
    large = analyse_rings(frames_of(quartz() * (2, 2, 2)), 1, {"Si-O": 1.8})
    assert nonzero(small) == nonzero(large) == pytest.approx({6: 1, 8: 5})


def test_a_honeycomb_has_half_a_ring_an_atom_and_a_square_net_one_of_four() -> None:
    a = 2.46
    cell = [[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, 9]]
    graphene = Atoms("C2", scaled_positions=[(1 / 3, 2 / 3, 0), (2 / 3, 1 / 3, 0)], cell=cell, pbc=True)
    assert nonzero(analyse_rings(frames_of(graphene), 1, {"C-C": 1.6})) == pytest.approx({6: 0.5})
    square = Atoms("Si", cell=[2.4, 2.4, 9.0], pbc=True)
    assert nonzero(analyse_rings(frames_of(square), 1, {"Si-Si": 2.6})) == pytest.approx({4: 1})


def test_odd_rings_and_triangles_around_one_bridge() -> None:
    angle = 2 * np.pi * np.arange(5) / 5
    pentagon = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    # a second shell makes every vertex three bonds
    positions = np.concatenate([1.2 * pentagon, 2.7 * pentagon])
    rings = analyse_rings(take_frames(positions[None], 12 * np.eye(3), [6] * 10), 1, {"C-C": 1.6})
    assert nonzero(rings) == pytest.approx({5: 0.1})
    # three silicon atoms around one oxygen are no ring; the oxygen has two bonds on the average of all
    corner = 1.6 * np.stack([np.cos(angle[:3] * 5 / 3), np.sin(angle[:3] * 5 / 3), 0 * angle[:3]], axis=1)
    arms = np.concatenate([2 * corner + z for z in ([0, 0, 0.3], [0.3, 0, -0.5], [-0.3, 0, -0.5])])
    positions = np.concatenate([np.zeros((1, 3)), corner, arms])
    rings = analyse_rings(take_frames(positions[None], 14 * np.eye(3), [8] + [14] * 3 + [8] * 9), 1, {"Si-O": 1.9})
    assert (rings.network, nonzero(rings)) == ("Si(O)", {})


def test_a_close_packed_metal_is_no_network() -> None:
    with pytest.raises(InputError, match=r"12\.0 bonds an atom make no network"):
        analyse_rings(frames_of(bulk("Al", "fcc", 4.05)), 1, {"Al-Al": 3.4})


def test_frames_are_averaged() -> None:
    positions = np.repeat(diamond().positions[None], 30, axis=0)
    rings = analyse_rings(take_frames(positions, diamond().cell.array, [6, 6]), 30, {"C-C": 1.7})
    assert nonzero(rings) == pytest.approx({6: 2})
    assert [number.error for number in rings.rings_per_vertex.values()] == pytest.approx([0] * 9)
