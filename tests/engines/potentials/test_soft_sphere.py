import subprocess
import sys

import numpy as np

from tachylite.engines.potentials.soft_sphere import remove_overlaps
from tachylite.schemas import State


def pair(first: tuple[float, float, float], second: tuple[float, float, float]) -> State:
    return State(numbers=[29, 29], positions=[first, second], cell=(10 * np.eye(3)).tolist())


def distance(state: State) -> float:
    difference = np.subtract(*np.array(state.positions))
    return float(np.linalg.norm(difference - 10 * np.round(difference / 10)))


def test_a_pair_is_pushed_to_its_diameter_across_a_face() -> None:
    relaxed = remove_overlaps(pair((0.2, 5, 5), (9.8, 5, 5)), ["Cu"], np.array([[2.0]]))
    assert 0.98 * 2.0 <= distance(relaxed) < 2.2
    assert np.allclose(np.array(relaxed.positions)[:, 1:], 5.0)


def test_what_does_not_overlap_stays() -> None:
    state = pair((1, 1, 1), (4, 4, 4))
    relaxed = remove_overlaps(state, ["Cu"], np.array([[2.0]]))
    assert np.allclose(relaxed.positions, state.positions)


def test_each_pair_has_its_own_diameter() -> None:
    state = State(numbers=[3, 8, 8], positions=[(2, 5, 5), (2.5, 5, 5), (3, 5, 5)], cell=(12 * np.eye(3)).tolist())
    diameters = np.array([[2.5, 1.9], [1.9, 2.4]])
    positions = np.array(remove_overlaps(state, ["Li", "O"], diameters).positions)
    between = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    assert between[0, 1] >= 0.98 * 1.9
    assert between[0, 2] >= 0.98 * 1.9
    assert between[1, 2] >= 0.98 * 2.4


def test_import_is_silent() -> None:
    code = "from tachylite.engines.potentials.loading import import_torch_sim; import_torch_sim()"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
