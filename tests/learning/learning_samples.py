"""Tables with a known law, and a model learned from one."""

from functools import cache

import numpy as np

from tachylite.descriptors.registry import DESCRIPTORS
from tachylite.learning.dataset import Dataset, make_dataset
from tachylite.learning.model_file import SavedModel
from tachylite.learning.training import train
from tachylite.units import KB_EV

ANIONS = ("O", "S", "F", "Cl", "Br", "N")
TEMPERATURES = (1000.0, 1500.0, 2000.0)
PUBLISHED_COLUMNS = tuple(name for name in DESCRIPTORS if name != "density")


def known_law(features: np.ndarray, temperature_k: np.ndarray) -> np.ndarray:
    """10^3 D in cm^2/s: an activation energy that depends on the first feature, a prefactor on the second."""
    energy = 0.25 + 0.05 * features[:, 0]
    return np.asarray(5.0 * np.exp(0.2 * features[:, 1]) * np.exp(-energy / (KB_EV * temperature_k)))


def make_sample(
    n_compositions: int = 30, names: tuple[str, ...] = ("x0", "x1", "x2"), *, species: str = "Li", noise: float = 0.03
) -> Dataset:
    """Li1X1, Li2X1, ... at three temperatures; features beyond the second do nothing."""
    generator = np.random.default_rng(0)
    formulas = [f"{species}{1 + index // len(ANIONS)}{ANIONS[index % len(ANIONS)]}" for index in range(n_compositions)]
    of_composition = generator.normal(size=(n_compositions, len(names)))
    features = np.repeat(of_composition, len(TEMPERATURES), axis=0)
    temperatures = np.tile(TEMPERATURES, n_compositions)
    target = known_law(features, temperatures) * np.exp(noise * generator.normal(size=len(features)))
    return make_dataset(
        dict(zip(names, features.T, strict=True)),
        dict.fromkeys(names, "1"),
        [formula for formula in formulas for _ in TEMPERATURES],
        temperatures.tolist(),
        target.tolist(),
        target_name="D",
        target_unit="10^-3 cm^2/s",
        species=species,
        convention="exact",
        source="sample",
    )


@cache
def trained() -> SavedModel:
    """A Gaussian process learned from the sample, with its card."""
    return train(make_sample(), ["gp"])
