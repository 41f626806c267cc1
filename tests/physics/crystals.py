"""Crystals with known rings, angles and reflections, as frames."""

from typing import Any

import numpy as np
from ase.build import bulk
from ase.spacegroup import crystal

from tachylite.physics.frames import Frames, take_frames


def frames_of(atoms: Any) -> Frames:
    return take_frames(atoms.positions[None], atoms.cell.array, atoms.numbers)


def diamond(repeats: int = 1) -> Any:
    return bulk("C", "diamond", 3.567) * ((repeats,) * 3)


def quartz() -> Any:
    """Alpha quartz (Levien, Prewitt and Weidner 1980)."""
    sites = [(0.4697, 0.0, 2 / 3), (0.4135, 0.2669, 0.7858)]
    return crystal(["Si", "O"], sites, spacegroup=154, cellpar=[4.916, 4.916, 5.4054, 90, 90, 120])


def cristobalite() -> Any:
    """Alpha cristobalite (Dollase 1965)."""
    sites = [(0.30, 0.30, 0.0), (0.2392, 0.1044, 0.1787)]
    return crystal(["Si", "O"], sites, spacegroup=92, cellpar=[4.9717, 4.9717, 6.9223, 90, 90, 90])


def gas(n_frames: int, seed: int = 0) -> Frames:
    positions = np.random.default_rng(seed).random((n_frames, 60, 3)) * 9.0
    return take_frames(positions, 9.0 * np.eye(3), [8] * 36 + [3] * 24)
