"""Frames to learn from and to test on: no trajectory on both sides where there are enough, and a fingerprint."""

from pathlib import Path

import pytest
from tests.learning.potentials.potential_samples import copper, frame

from tachylite.errors import InputError
from tachylite.learning.potentials.training_set import TrainingSet, describe, fingerprint
from tachylite.readers.labels import read_labelled_frames


def test_whole_trajectories_are_held_out() -> None:
    frames = TrainingSet.of(copper())
    training, test = ({f.trajectory for f in part} for part in (frames.training, frames.test))
    assert not training & test
    assert (len(frames.training), len(frames.test)) == (30, 6)
    assert {f.trajectory for f in TrainingSet.of(copper(), seed=4).test} != test


def test_of_few_trajectories_the_ends_are_held_out() -> None:
    frames = TrainingSet.of(copper(2, 10))
    assert [f.trajectory for f in frames.test] == ["run 0"] * 2 + ["run 1"] * 2
    assert frames.test[1] is copper(2, 10)[9]


def test_given_test_frames_are_the_test_set() -> None:
    frames = TrainingSet.of(copper(3, 5), [frame(3.9, seed=7, trajectory="other")])
    assert (len(frames.training), len(frames.test)) == (15, 1)
    with pytest.raises(InputError, match="levels of theory"):
        TrainingSet.of(copper(3, 5), [frame(level="PBE")])


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(InputError, match="2 frames to learn from and 1 to test on are too few; give more"):
        TrainingSet.of(copper(1, 3))


def test_written_and_read_it_is_the_same_set(tmp_path: Path) -> None:
    frames = TrainingSet.of(copper(3, 5))
    frames.write(tmp_path)
    again = read_labelled_frames(tmp_path / "training.xyz")
    assert fingerprint(again) == fingerprint(frames.training)
    ours, theirs = describe(frames.training), describe(again)
    assert theirs.force_rms_ev_a == pytest.approx(ours.force_rms_ev_a, rel=1e-6)
    assert (theirs.level, theirs.trajectories, theirs.temperature_k) == ("EMT", ours.trajectories, ours.temperature_k)
    assert fingerprint(again[:-1]) != fingerprint(again)


def test_what_a_set_holds() -> None:
    described = describe(copper())
    assert (described.n_frames, described.n_atoms, described.elements) == (36, 288, ["Cu"])
    assert described.volume_a3_per_atom.low == pytest.approx(3.5**3 / 4)
    assert described.temperature_k is not None
    assert described.level == "EMT"
