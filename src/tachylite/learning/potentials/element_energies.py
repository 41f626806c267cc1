"""Energies of the elements between two methods, each of which has its own zero."""

from collections.abc import Sequence

import numpy as np

from tachylite.arrays import Array
from tachylite.schemas.evaluation import LabelledFrame

N_ELEMENTS = 118


def fit_element_energies(frames: Sequence[LabelledFrame], computed_ev: Sequence[float]) -> Array:
    """Energies in eV, (118,) by atomic number from 1 on, which added to every atom bring computed energies to labels.

    `computed_ev` are those of whole frames. By least squares of energies per atom; where the compositions leave a
    choice, the smallest ones. Elements without an atom have 0.
    """
    counts = np.array([np.bincount(frame.state.numbers, minlength=N_ELEMENTS + 1)[1:] for frame in frames])
    atoms = counts.sum(axis=1)
    labels = np.array([frame.label.energy_ev for frame in frames])
    fractions = counts / atoms[:, None]
    energies: Array = np.linalg.lstsq(fractions, (labels - np.asarray(computed_ev)) / atoms, rcond=1e-6)[0]
    return energies
