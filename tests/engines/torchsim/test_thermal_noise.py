"""Random numbers of a member: normal, its own, and the same whoever is with it."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tachylite.engines.torchsim.thermal_noise import THERMOSTAT, VELOCITIES, Noise, draw

CPU = torch.device("cpu")
SEEDS = st.integers(-(2**63), 2**63)


@settings(max_examples=20)
@given(SEEDS, SEEDS, st.integers(0, 10**9))
def test_a_member_has_the_same_noise_alone_and_in_company(seed: int, other: int, step: int) -> None:
    alone = Noise([seed], [3], CPU, torch.float64).at(step)
    together = Noise([other, seed, other], [2, 3, 4], CPU, torch.float64)
    together.at(max(step - 1, 0))
    assert torch.equal(together.at(step)[2:5], alone)


def test_numbers_are_normal_and_independent_of_step_purpose_and_seed() -> None:
    noise = Noise([7], [100], CPU, torch.float64)
    steps = np.stack([noise.at(step).numpy() for step in range(200)])
    assert stats.kstest(steps.ravel(), "norm").pvalue > 1e-3
    others = [draw(7, VELOCITIES, 16, 100), draw(8, THERMOSTAT, 16, 100), draw(7, THERMOSTAT, 16, 100, block=1)]
    first = draw(7, THERMOSTAT, 16, 100)
    assert np.array_equal(first, steps[:16])
    for other in (*others, steps[16:32], steps[1:17]):
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.08, "4,800 numbers correlate by 0.014"
