"""Orientational order of tetrahedral groups in crystals and at random."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.physics.crystals import cristobalite, frames_of

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import Frames, take_frames
from tachylite.physics.structure.orientation import analyse_orientation

CORNERS = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / 3**0.5
EDGE, SIDE = 5.0, 4
"""Groups stand on a simple cubic lattice, 64 of them, far enough from each other."""


def phosphates(turns: Array, shape: Array = CORNERS) -> Frames:
    """Groups turned by matrices (n_frames, 64, 3, 3), with bonds of 1.5 A; shape (4, 3) or (n_frames, 64, 4, 3)."""
    sites = EDGE * np.stack(np.meshgrid(*[np.arange(SIDE)] * 3), axis=-1).reshape(-1, 3)
    ligands = 1.5 * np.broadcast_to(shape, (*turns.shape[:2], 4, 3)) @ turns
    groups = np.concatenate([np.zeros((*turns.shape[:2], 1, 3)), ligands], axis=2) + sites[:, None]
    return take_frames(groups.reshape(len(turns), -1, 3), EDGE * SIDE * np.eye(3), [15, 8, 8, 8, 7] * SIDE**3)


def random_turns(n_frames: int) -> Array:
    turns = Rotation.random(n_frames * SIDE**3, random_state=0).as_matrix()
    return np.asarray(turns.reshape(n_frames, -1, 3, 3))


CUTOFFS = {"P-O": 2.0, "N-P": 2.0}


def test_groups_turned_alike_are_in_order_however_the_whole_is_turned() -> None:
    turn = Rotation.random(random_state=3).as_matrix()
    groups = analyse_orientation(phosphates(np.tile(turn, (1, SIDE**3, 1, 1))), CUTOFFS, "P", ["O", "N"])
    assert groups.tetrahedrality.value == pytest.approx(1)
    assert {rank: order.value for rank, order in groups.order.items()} == pytest.approx({3: 1, 4: 1})
    assert groups.fraction.value == 1
    assert groups.order[3].error == np.inf, "one frame does not say how it scatters"


def test_upright_and_inverted_groups_differ_in_the_odd_rank_only() -> None:
    signs = np.where(np.arange(SIDE**3) % 2, 1, -1)[:, None, None] * np.eye(3)
    groups = analyse_orientation(phosphates(signs[None]), CUTOFFS, "P", ["O", "N"])
    assert groups.order[4].value == pytest.approx(1)
    assert groups.order[3].value == pytest.approx(-1 / 63), "as many up as down: the pairs of 64 groups"


def test_groups_turned_at_random_have_no_order() -> None:
    groups = analyse_orientation(phosphates(random_turns(200)), CUTOFFS, "P", ["O", "N"])
    for rank, order in groups.order.items():
        assert abs(order.value) < 4 * order.error
        assert order.error * 200**0.5 == pytest.approx(groups.by_chance[rank], rel=0.25)


def test_random_bonds_make_no_tetrahedra_on_average() -> None:
    shape = np.random.default_rng(1).normal(size=(50, SIDE**3, 4, 3))
    shape /= np.linalg.norm(shape, axis=-1, keepdims=True)
    # two ligands of one group may come near each other, but only bonds to the centre count
    groups = analyse_orientation(phosphates(np.tile(np.eye(3), (50, SIDE**3, 1, 1)), shape), CUTOFFS, "P", ["O", "N"])
    assert abs(groups.tetrahedrality.value) < 4 * groups.tetrahedrality.error
    assert groups.tetrahedrality.error < 0.02


def test_silica_has_regular_tetrahedra_in_four_orientations() -> None:
    groups = analyse_orientation(frames_of(cristobalite()), {"O-Si": 2.0}, "Si", ["O"])
    assert groups.tetrahedrality.value > 0.99
    assert -1 / 3 - 1e-9 <= groups.order[3].value < 0.9


def test_missing_elements_cutoffs_and_groups_are_refused() -> None:
    frames = phosphates(random_turns(1))
    with pytest.raises(InputError, match="Si of"):
        analyse_orientation(frames, CUTOFFS, "Si", ["O"])
    with pytest.raises(InputError, match="N-P has no bond length"):
        analyse_orientation(frames, {"O-P": 2.0}, "P", ["O", "N"])
    with pytest.raises(InputError, match="no frame has two P with four of O"):
        analyse_orientation(frames, CUTOFFS, "P", ["O"])
