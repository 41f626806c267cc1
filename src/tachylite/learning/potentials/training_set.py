"""Frames to learn from and frames to test on, frozen with a fingerprint."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from tachylite.errors import InputError
from tachylite.learning.potentials.selection import common_level, select_frames
from tachylite.measured import Interval
from tachylite.schemas.evaluation import LabelledFrame
from tachylite.schemas.potential import FrameSet, LeftOut

_TEST_SHARE = 0.2
_ENOUGH_TRAJECTORIES = 5
"""Of fewer, none is held out whole: the end of each is."""
_FEWEST_FRAMES = 10


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Labelled frames of one level of theory; no trajectory has neighbouring frames on both sides."""

    training: Sequence[LabelledFrame]
    test: Sequence[LabelledFrame]
    left_out: LeftOut

    @classmethod
    def of(
        cls,
        frames: Sequence[LabelledFrame],
        test: Sequence[LabelledFrame] | None = None,
        *,
        seed: int = 0,
        at_most: int | None = None,
    ) -> Self:
        """Select frames and keep some to test on, unless those are given.

        With five trajectories or more a fifth of them is held out, chosen by the seed; with fewer, the last fifth of
        each. Raises InputError for labels of two levels of theory, and for fewer than ten frames to learn from.
        """
        common_level([*frames, *(test or [])])
        chosen, left_out = select_frames(frames, at_most)
        if test is None:
            training, held_out = _split(chosen, seed)
        else:
            training, held_out = chosen, select_frames(test)[0]
        if len(training) < _FEWEST_FRAMES or not held_out:
            raise InputError(
                f"{len(training)} frames to learn from and {len(held_out)} to test on are too few; give more labelled "
                f"frames ({_FEWEST_FRAMES} or more to learn from), of more or longer trajectories"
            )
        return cls(training, held_out, left_out)

    @property
    def elements(self) -> list[str]:
        """Symbols of all elements, sorted."""
        return sorted({symbol for frame in self.training for symbol in frame.state.elements})

    def write(self, folder: Path) -> None:
        """Write both parts with all labels as extended XYZ: `training.xyz` and `test.xyz`."""
        from ase.io import write

        for name, frames in (("training", self.training), ("test", self.test)):
            write(folder / f"{name}.xyz", [frame.atoms for frame in frames], format="extxyz")


def _split(frames: Sequence[LabelledFrame], seed: int) -> tuple[list[LabelledFrame], list[LabelledFrame]]:
    names = list(dict.fromkeys(frame.trajectory for frame in frames))
    if len(names) >= _ENOUGH_TRAJECTORIES:
        held_out = _hold_out(Counter(frame.trajectory for frame in frames), seed)
        training = [frame for frame in frames if frame.trajectory not in held_out]
        return training, [frame for frame in frames if frame.trajectory in held_out]
    training, test = [], []
    for name in names:
        own = [frame for frame in frames if frame.trajectory == name]
        first = len(own) - round(_TEST_SHARE * len(own))
        training += own[:first]
        test += own[first:]
    return training, test


def _hold_out(frames_of: Mapping[str, int], seed: int) -> set[str]:
    """Trajectories drawn at random until a fifth of the frames is theirs; one that would exceed that much is passed."""
    wanted = _TEST_SHARE * sum(frames_of.values())
    held_out: set[str] = set()
    for name in np.random.default_rng(seed).permutation(list(frames_of)).tolist():
        if sum(frames_of[own] for own in held_out | {name}) <= 1.2 * wanted:
            held_out.add(name)
    return held_out or {min(frames_of, key=lambda name: frames_of[name])}


def describe(frames: Sequence[LabelledFrame]) -> FrameSet:
    """What a set of frames holds."""
    volumes = [frame.state.volume_a3 / len(frame.state.numbers) for frame in frames]
    temperatures = [frame.temperature_k for frame in frames if frame.temperature_k is not None]
    forces = np.concatenate([frame.label.forces_ev_a.ravel() for frame in frames])
    return FrameSet(
        fingerprint=fingerprint(frames),
        level=common_level(frames),
        n_frames=len(frames),
        n_atoms=sum(len(frame.state.numbers) for frame in frames),
        trajectories=list(dict.fromkeys(frame.trajectory for frame in frames)),
        formulas=sorted({frame.state.formula for frame in frames}),
        elements=sorted({symbol for frame in frames for symbol in frame.state.elements}),
        volume_a3_per_atom=Interval(low=min(volumes), high=max(volumes)),
        temperature_k=Interval(low=min(temperatures), high=max(temperatures)) if temperatures else None,
        force_rms_ev_a=float(np.sqrt((forces**2).mean())),
    )


def fingerprint(frames: Sequence[LabelledFrame]) -> str:
    """SHA-256 of structures and labels, to the digits that files of both keep."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(np.array(frame.state.numbers, dtype=np.int64).tobytes())
        for values, digits in (
            (frame.state.cell, 5),
            (frame.state.positions, 5),
            (frame.label.forces_ev_a, 4),
            ([frame.label.energy_ev], 5),
        ):
            digest.update(np.round(np.asarray(values, dtype=float), digits).tobytes())
    return digest.hexdigest()
