"""Which frames are learned from: sound, independent and new ones, of one level of theory."""

from dataclasses import replace

import numpy as np
import pytest
from tests.learning.potentials.potential_samples import copper, frame

from tachylite.errors import InputError
from tachylite.learning.potentials.selection import common_level, is_physical, select_frames, thin
from tachylite.schemas.evaluation import LabelledFrame


def oscillation(n: int, memory: float, seed: int = 0) -> list[LabelledFrame]:
    """Frames whose forces are a Gauss-Markov process with a correlation of exp(-n / memory)."""
    generator, one, keep = np.random.default_rng(seed), frame(), np.exp(-1 / memory)
    forces = generator.normal(size=(8, 3))
    frames = []
    for _ in range(n):
        forces = keep * forces + np.sqrt(1 - keep**2) * generator.normal(size=(8, 3))
        frames.append(replace(one, label=replace(one.label, forces_ev_a=forces)))
    return frames


@pytest.mark.parametrize("memory", [3, 10])
def test_frames_are_as_far_apart_as_forces_remember(memory: float) -> None:
    frames = oscillation(600, memory)
    lag = 600 / len(thin(frames))
    assert lag == pytest.approx(memory, rel=0.4)
    assert len(thin(oscillation(600, 1e-3))) == 600


def test_a_run_that_remembers_to_its_end_gives_a_few_frames() -> None:
    assert len(thin([frame()] * 40)) == 2
    assert len(thin([frame()])) == 1


def test_what_no_simulation_gives_is_left_out_and_counted() -> None:
    sound = list(copper(2, 3))
    near = frame(a=1.2)
    torn = replace(sound[0], label=replace(sound[0].label, forces_ev_a=np.full((8, 3), 90.0)))
    nothing = replace(sound[0], label=replace(sound[0].label, forces_ev_a=np.full((8, 3), np.nan)))
    assert [is_physical(f) for f in (sound[0], near, torn, nothing)] == [True, False, False, False]
    chosen, left_out = select_frames([*sound, near, torn, nothing])
    assert (len(chosen), left_out.unphysical) == (6, 3)
    with pytest.raises(InputError, match="none of 2 frames is sound"):
        select_frames([near, torn])


def test_a_copy_in_another_file_is_left_out() -> None:
    frames = list(copper(2, 3))
    moved = np.array(frames[0].state.positions) + 0.005
    far_image = np.array(frames[1].state.positions) + np.array(frames[1].state.cell)[0]
    copies = [
        replace(
            frames[index],
            state=frames[index].state.model_copy(update={"positions": positions.tolist()}),
            trajectory="copy",
        )
        for index, positions in ((0, moved), (1, far_image))
    ]
    chosen, left_out = select_frames([*frames, *copies])
    assert (len(chosen), left_out.duplicates) == (6, 2)
    assert [f.trajectory for f in chosen] == [f.trajectory for f in frames]


def test_a_number_is_spread_over_all_frames() -> None:
    chosen, left_out = select_frames(copper(6, 6), at_most=6)
    assert {f.trajectory for f in chosen} == {f"run {t}" for t in range(6)}
    assert left_out.beyond_limit == 30


def test_two_levels_of_theory_are_refused() -> None:
    with pytest.raises(InputError, match=r"labels of 2 levels of theory \(EMT; PBE\); a potential learns from one"):
        common_level([frame(), frame(level="PBE")])
    with pytest.raises(InputError, match="one that is not stated"):
        common_level([frame(), frame(level=None)])
    assert common_level([frame(level=None)]) == "one that is not stated"
