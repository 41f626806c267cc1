"""Ways to learn the amorphization enthalpy, on the same folds: python -m benchmarks.amorphization_enthalpy FOLDER.

323 compounds of Yu et al. 2025, five folds by chemical system, three times; every choice within the training rows.
Predictions of every learner are kept in FOLDER, and the same command goes on from there: seconds for most, an hour and
a half of one core for the networks (`networks` as a second word; their pretraining takes half of it). The composition
features are Magpie's by matminer (pip install matminer).
"""

import csv
import gzip
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from benchmarks.common import publish, table
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tachylite.arrays import Array
from tachylite.configs.datasets import data_folder
from tachylite.learning.crystals.embedding import Embedding
from tachylite.learning.crystals.network import NetworkSettings
from tachylite.learning.crystals.property_network import (
    FINE_TUNING,
    PRETRAINING,
    fit_network,
    graphs_of,
    network_settings,
)
from tachylite.learning.crystals.training import REPEATS, fit_regression, mean_over_systems, predict_held_out
from tachylite.learning.splits import Rows, grouped_folds
from tachylite.readers.crystals import read_each_crystal
from tachylite.schemas import State

ENTHALPIES, CRYSTALS = "yu2025/dft_enthalpy_data.csv", "mp_crystals/mp_structures_yu.jsonl.gz"
LISTED, MODULI = "yu2025/finetune_input.csv", "mp_crystals/mp_structures_log_gvrh.jsonl.gz"
OMAT = "models/nequix/nequix-omat-1.pt"
TITLE = "Amorphization enthalpy, folds by chemical system"
PAIRED, CURVE = "Beside the forest on the ten listed features", "Learning curve of the Gaussian process, two layers"
TREES = 300

type Fit = Callable[[Array, Array, Array], Array]
"""Predictions from training rows, training values and test rows."""


class Compounds:
    """Crystals, enthalpies in eV/atom, chemical systems, and inputs of learners by name."""

    def __init__(self, folder: Path) -> None:
        with (data_folder() / ENTHALPIES).open(encoding="utf-8") as file:
            enthalpies = {row["material_id"]: float(row["Amorphization Enthalpy"]) for row in csv.DictReader(file)}
        crystals = read_each_crystal(data_folder() / CRYSTALS)
        chosen = [(name, state) for name, state in crystals if name in enthalpies and isinstance(state, State)]
        self.names = [name for name, _ in chosen]
        self.states = [state for _, state in chosen]
        self.values = np.array([enthalpies[name] for name in self.names])
        self.systems = np.array(["-".join(sorted(state.elements)) for state in self.states])
        self.folder = folder

    def kept(self, name: str, compute: Callable[[], Array]) -> Array:
        """An array that is computed once."""
        path = self.folder / f"{name}.npy"
        if not path.exists():
            np.save(path, compute())
        array: Array = np.load(path)
        return array

    def layers(self, number: int) -> Array:
        """Features of the first layers of Nequix OMat."""
        embedding = Embedding.of_nequix(data_folder() / OMAT, number)
        return self.kept(f"omat_{number}", lambda: embedding.features(self.states))

    def listed(self) -> Array:
        """The ten features that the paper lists; the mean where one is missing."""
        with (data_folder() / LISTED).open(encoding="utf-8") as file:
            rows = {row.pop("material_id"): list(row.values())[2:] for row in csv.DictReader(file)}
        missing = [""] * len(next(iter(rows.values())))
        values = np.array([[float(v) if v else np.nan for v in rows.get(name, missing)] for name in self.names])
        return np.where(np.isnan(values), np.nanmean(values, axis=0), values)

    def magpie(self) -> Array:
        """Statistics of elemental properties by composition."""
        return self.kept("magpie", lambda: magpie_features(self.states))

    def chgnet(self) -> Array:
        """Mean and standard deviation over the atoms of what CHGNet knows of them."""
        return self.kept("chgnet", lambda: chgnet_features(self.states))


def magpie_features(states: Sequence[State]) -> Array:
    """Of compositions, by matminer."""
    from matminer.featurizers.composition import ElementProperty
    from pymatgen.core import Composition

    featurizer = ElementProperty.from_preset("magpie")
    return np.array([featurizer.featurize(Composition(state.formula)) for state in states], dtype=float)


def chgnet_features(states: Sequence[State]) -> Array:
    """Of the atoms after CHGNet's last convolution."""
    from chgnet.model import CHGNet

    network = CHGNet.load(verbose=False)
    features = []
    for state in states:
        answer = network.predict_structure(state.structure, return_atom_feas=True)
        assert isinstance(answer, dict)
        atoms = np.asarray(answer["atom_fea"])
        features.append(np.concatenate([atoms.mean(axis=0), atoms.std(axis=0)]))
    return np.array(features)


def forest(train: Array, values: Array, test: Array) -> Array:
    """Random forest."""
    predicted: Array = RandomForestRegressor(TREES, random_state=0).fit(train, values).predict(test)
    return predicted


def ridge(train: Array, values: Array, test: Array) -> Array:
    """Ridge regression, its penalty chosen by leaving one out."""
    learner = make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 6, 25)))
    predicted: Array = learner.fit(train, values).predict(test)
    return predicted


def mean(train: Array, values: Array, test: Array) -> Array:
    """The mean of the training set."""
    return np.full(len(test), values.mean())


def in_folds(compounds: Compounds, inputs: Array, fit: Fit) -> Array:
    """Predictions (repeats, n) of held-out compounds."""
    predicted = np.empty((REPEATS, len(compounds.values)))
    for seed in range(REPEATS):
        for train, test in grouped_folds(compounds.systems, "chemical system", seed=seed):
            predicted[seed, test] = fit(inputs[train], compounds.values[train], inputs[test])
    return predicted


def process(compounds: Compounds, inputs: Array) -> Array:
    """The same by the package's Gaussian process."""
    systems, values = compounds.systems, compounds.values
    return np.array([predict_held_out(inputs, values, systems, seed).values for seed in range(REPEATS)])


def pretrained(compounds: Compounds) -> dict[str, torch.Tensor]:
    """Weights of a small network that has learned the logarithm of the shear modulus of 9,850 crystals."""
    path = compounds.folder / "pretrained.pt"
    if path.exists():
        weights: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
        return weights
    with gzip.open(data_folder() / MODULI, "rt", encoding="utf-8") as lines:
        moduli = {entry["id"]: float(entry["log10_G_VRH"]) for entry in map(json.loads, lines)}
    chosen = [(s, moduli[name]) for name, s in read_each_crystal(data_folder() / MODULI) if isinstance(s, State)]
    states, values = [state for state, _ in chosen], np.array([value for _, value in chosen])
    systems = np.array(["-".join(sorted(state.elements)) for state in states])
    settings = small_settings()
    network = fit_network(
        settings,
        graphs_of(states, settings),
        np.empty((len(states), 0)),
        values,
        systems,
        PRETRAINING,
        seed=0,
        checkpoint=compounds.folder / "pretraining.pt",
        report=lambda epoch, error: print(f"pretraining {epoch}: {error:.4f}", flush=True),
    )
    torch.save(network.network.state_dict(), path)
    return network.network.state_dict()


def small_settings() -> NetworkSettings:
    """Of all elements up to plutonium."""
    return network_settings("small", range(1, 95), 30.0)


def networks(compounds: Compounds, start: dict[str, torch.Tensor] | None, name: str) -> Array:
    """Predictions (repeats, n) by networks trained in every fold; each fold is kept."""
    settings = small_settings()
    graphs, nothing = graphs_of(compounds.states, settings), np.empty((len(compounds.values), 0))
    predicted = np.empty((REPEATS, len(compounds.values)))
    for seed in range(REPEATS):
        for number, (train, test) in enumerate(grouped_folds(compounds.systems, "chemical system", seed=seed)):

            def one(train: Rows = train, test: Rows = test, seed: int = seed) -> Array:
                own = [graphs[i] for i in train]
                values, systems = compounds.values[train], compounds.systems[train]
                fitted = fit_network(
                    settings, own, nothing[train], values, systems, FINE_TUNING, seed=seed, start=start
                )
                return fitted.predict([graphs[i] for i in test], nothing[test])

            predicted[seed, test] = compounds.kept(f"{name}_{seed}_{number}", one)
            print(name, seed, number, np.abs(predicted[seed, test] - compounds.values[test]).mean(), flush=True)
    return predicted


def main() -> None:
    """Compute what is missing, and publish the tables of all that is there."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    compounds = Compounds(folder)
    magpie, three = compounds.magpie(), compounds.layers(3)
    learners = {
        "mean of the others": lambda: in_folds(compounds, magpie, mean),
        "forest, ten listed features": lambda: in_folds(compounds, compounds.listed(), forest),
        "forest, Magpie": lambda: in_folds(compounds, magpie, forest),
        "Gaussian process, Magpie": lambda: process(compounds, magpie),
        "Gaussian process, CHGNet": lambda: process(compounds, compounds.chgnet()),
        "Gaussian process, Nequix OMat, 1 layer": lambda: process(compounds, compounds.layers(1)),
        "Gaussian process, Nequix OMat, 2 layers": lambda: process(compounds, compounds.layers(2)),
        "Gaussian process, Nequix OMat, 3 layers": lambda: process(compounds, three),
        "ridge, Nequix OMat, 3 layers": lambda: in_folds(compounds, three, ridge),
        "forest, Nequix OMat, 3 layers": lambda: in_folds(compounds, three, forest),
        "Gaussian process, 3 layers and Magpie": lambda: process(compounds, np.hstack([three, magpie])),
    }
    predicted = {name: compounds.kept(name, learner) for name, learner in learners.items()}
    if "networks" in sys.argv[2:]:
        predicted["network, from scratch"] = networks(compounds, None, "scratch")
        predicted["network, shear modulus first"] = networks(compounds, pretrained(compounds), "after_moduli")
        best = "Gaussian process, Nequix OMat, 3 layers"
        together = predicted[best] + predicted["network, shear modulus first"]
        predicted["mean of the process (3 layers) and that network"] = together / 2
    report(compounds, predicted)


def report(compounds: Compounds, predicted: dict[str, Array]) -> None:
    """Tables of scores, of paired differences, and the learning curve."""
    values, systems = compounds.values, compounds.systems
    absolute = {name: np.abs(own - values).mean(axis=0) for name, own in predicted.items()}
    rows, differences = [], []
    for name, own in predicted.items():
        mae = mean_over_systems(absolute[name], systems)
        r2 = 1 - ((own - values) ** 2).mean() / values.var()
        rows.append([name, f"{1000 * mae.value:.1f} ± {1000 * mae.error:.1f}", f"{r2:.3f}"])
        paired = mean_over_systems(absolute[name] - absolute["forest, ten listed features"], systems)
        differences.append([name, f"{1000 * paired.value:+.1f} ± {1000 * paired.error:.1f}"])
    curve = learning_curve(compounds)
    scores = table(["", "MAE, meV/atom", "R²"], rows)
    paired_table = table(["", "MAE less the forest's, meV/atom, paired by compound"], differences)
    points = table(["chemical systems", "MAE, meV/atom"], curve)
    sections = {TITLE: scores, PAIRED: paired_table, CURVE: points}
    publish("amorphization_enthalpy", sections, {TITLE: rows, PAIRED: differences, CURVE: curve})


def learning_curve(compounds: Compounds) -> list[list[str]]:
    """Errors on held-out compounds of processes that have learned from some of the other chemical systems."""
    features, rows = compounds.layers(2), []
    for share in (0.125, 0.25, 0.5, 1.0):
        errors, counts = np.empty((REPEATS, len(compounds.values))), []
        for seed in range(REPEATS):
            generator = np.random.default_rng(seed)
            for train, test in grouped_folds(compounds.systems, "chemical system", seed=seed):
                names = np.unique(compounds.systems[train])
                some = generator.choice(names, round(share * len(names)), replace=False)
                own = train[np.isin(compounds.systems[train], some)]
                model = fit_regression(features[own], compounds.values[own])
                errors[seed, test] = np.abs(model.values(features[test]) - compounds.values[test])
                counts.append(len(some))
        mae = mean_over_systems(errors.mean(axis=0), compounds.systems)
        rows.append([f"{np.mean(counts):.0f}", f"{1000 * mae.value:.1f} ± {1000 * mae.error:.1f}"])
    return rows


if __name__ == "__main__":
    main()
