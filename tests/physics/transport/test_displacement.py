"""Unwrapping undoes wrapping, in skewed and changing cells, and refuses what cannot be followed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.transport.displacement import unwrap

CELLS = st.sampled_from([np.eye(3) * 8, np.array([[8.0, 0, 0], [3, 7, 0], [-2, 1, 9]])])


@given(CELLS, st.integers(0, 1000), st.floats(0.0, 0.39))
def test_unwrapping_undoes_wrapping(cell: Array, seed: int, largest: float) -> None:
    rng = np.random.default_rng(seed)
    fractional = np.cumsum(rng.uniform(-largest, largest, (20, 4, 3)), axis=0)
    wrapped = (fractional - np.floor(fractional)) @ cell
    unwrapped = unwrap(wrapped, cell)
    expected = (fractional - np.floor(fractional[0])) @ cell
    np.testing.assert_allclose(unwrapped, expected, atol=1e-9)


def test_unwrapping_follows_a_changing_cell() -> None:
    cells = np.eye(3) * np.linspace(8, 9, 30)[:, None, None]
    fractional = np.linspace(0, 3, 30)[:, None, None] * np.ones((2, 3))
    unwrapped = unwrap((fractional % 1) @ cells, cells)
    np.testing.assert_allclose(unwrapped, fractional @ cells, atol=1e-9)


def test_a_step_of_half_a_cell_is_refused() -> None:
    positions = np.zeros((3, 2, 3))
    positions[2, 1, 0] = 4.0
    with pytest.raises(InputError, match=r"atom 1 moves by 0\.50 of the cell between frames 1 and 2"):
        unwrap(positions, np.eye(3) * 8)
