"""Train the model of the amorphization enthalpy that ships with the package: train.py [FILE [small|yu2025]].

Enthalpies of 323 compounds by density functional theory (Yu et al. 2025), their crystals of the Materials Project, and
the weights of Nequix that have learned OMat24; a minute of one core. Without FILE the package's own file is written.
With a size, five networks are trained instead, from random weights: half an hour of one core for `small`, days for
`yu2025`; stopped, the same command goes on from the checkpoints beside FILE.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tachylite.configs.datasets import data_folder
from tachylite.learning.crystals.embedding import Embedding
from tachylite.learning.crystals.ensemble_training import train_ensemble
from tachylite.learning.crystals.model import CrystalPropertyModel
from tachylite.learning.crystals.property_network import FINE_TUNING, network_settings
from tachylite.learning.crystals.shipped import SHIPPED
from tachylite.learning.crystals.training import Crystals, train_crystal_property
from tachylite.readers.crystals import read_each_crystal
from tachylite.schemas import State

LAYERS = 2
"""A third one lowers the error by 0.8 +- 0.4 meV/atom, and takes twice as long."""
MEAN_NEIGHBORS = 30.0
"""Within 5 A, roughly; only scales the sums of messages."""
SOURCE = "melt-quench DFT of Yu, Sun and Luo 2025; crystals of the Materials Project (CC BY 4.0, DOI 10.1063/1.4812323)"


def training_set() -> Iterator[tuple[State, float]]:
    """Crystals and enthalpies in eV/atom, each compound once."""
    with (data_folder() / "yu2025/dft_enthalpy_data.csv").open(encoding="utf-8") as file:
        enthalpies = {row["material_id"]: float(row["Amorphization Enthalpy"]) for row in csv.DictReader(file)}
    for name, state in read_each_crystal(data_folder() / "mp_crystals/mp_structures_yu.jsonl.gz"):
        if name in enthalpies and isinstance(state, State):
            yield state, enthalpies[name]


def main() -> None:
    """Train, say how well, and write the file."""
    states, values = zip(*training_set(), strict=True)
    crystals = Crystals(states, np.array(values), "amorphization enthalpy", "eV/atom", SOURCE)
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED["amorphization-enthalpy"]
    if len(sys.argv) > 2:
        model = networks(crystals, sys.argv[2], file)
    else:
        embedding = Embedding.of_nequix(data_folder() / "models/nequix/nequix-omat-1.pt", LAYERS)
        model = train_crystal_property(crystals, embedding, log=print)
    print(model.card.model_dump_json(indent=2))
    model.save(file)


def networks(crystals: Crystals, size: str, file: Path) -> CrystalPropertyModel:
    """Five networks of a size; they know the elements of the training set."""
    elements = {number for state in crystals.states for number in state.numbers}
    settings = network_settings(size, sorted(elements), MEAN_NEIGHBORS)
    checkpoints = file.with_suffix(".checkpoints")
    checkpoints.mkdir(parents=True, exist_ok=True)
    return train_ensemble(crystals, settings, FINE_TUNING, checkpoints=checkpoints, log=print)


if __name__ == "__main__":
    main()
