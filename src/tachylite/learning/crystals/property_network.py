"""Networks that are trained to give one number for a crystal, from scratch or after another property."""

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.crystals.graph import Graph
from tachylite.learning.crystals.network import AtomNetwork, NetworkSettings, invariants
from tachylite.schemas import State

SIZES = ("small", "yu2025")

_WIDTH = 64
"""Of the vector that stands for a crystal, and of the perceptron behind it."""


def network_settings(size: str, elements: Sequence[int], mean_neighbors: float) -> NetworkSettings:
    """Settings of a size: `small` for one processor, or `yu2025` as published; InputError for another one."""
    if size not in SIZES:
        raise InputError(f"there is no network of size '{size}'; choose one of {', '.join(SIZES)}")
    shape = functools.partial(
        NetworkSettings, elements=tuple(sorted(elements)), mean_neighbors=mean_neighbors, layer_norm=False
    )
    if size == "small":
        return shape(hidden="16x0e + 16x1o + 16x2e", n_layers=2, cutoff_a=5.0, radial_widths=(32,))
    hidden = "32x0e + 32x0o + 32x1e + 32x1o + 32x2e + 32x2o"
    return shape(hidden=hidden, n_layers=3, cutoff_a=8.0, radial="gaussian", n_radial=10)


@dataclass(frozen=True)
class Schedule:
    """How a network is trained."""

    learning_rate: float
    batch: int
    epochs: int
    patience: int
    """Epochs without a smaller error of the crystals kept aside, after which it ends."""


PRETRAINING = Schedule(learning_rate=5e-4, batch=16, epochs=60, patience=10)
FINE_TUNING = Schedule(learning_rate=3e-4, batch=32, epochs=200, patience=25)
"""Rates and batches of Yu et al. 2025."""

_ASIDE = 0.12
"""Of the chemical systems of the training set, which decide when it ends."""
_LARGEST_GRADIENT = 1.0
_AT_ONCE = 32
"""Crystals of one prediction; of more, memory is filled and nothing gained."""


class PropertyNetwork(nn.Module):
    """One number for each crystal: invariants of its atoms, their mean, other inputs beside it, and a perceptron."""

    def __init__(self, settings: NetworkSettings, n_inputs: int = 0) -> None:
        super().__init__()
        self.atoms = AtomNetwork(settings)
        n_invariants = sum(mul for mul, _ in self.atoms.hidden)
        self.pool = nn.Sequential(nn.Linear(n_invariants, _WIDTH), nn.SiLU())
        self.head = nn.Sequential(
            nn.Linear(_WIDTH + n_inputs, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, 1)
        )

    def forward(self, graph: Graph, inputs: Tensor) -> Tensor:
        """Values (n_crystals,) from the graph and other inputs (n_crystals, n_inputs)."""
        values: Tensor = self.head(torch.cat([self.pooled(graph), inputs], dim=1))[:, 0]
        return values

    def pooled(self, graph: Graph) -> Tensor:
        """What stands for each crystal, shape (n_crystals, 64)."""
        atoms = invariants(self.atoms(graph)[-1], self.atoms.hidden)
        vectors: Tensor = self.pool(graph.mean(atoms))
        return vectors


@dataclass
class TrainedNetwork:
    """A network with the mean and the standard deviations of what it was trained on."""

    network: PropertyNetwork
    offset: float
    scale: float
    input_mean: Array
    input_scale: Array

    def predict(self, graphs: Sequence[Graph], inputs: Array) -> Array:
        """Values (n,) of crystals with other inputs (n, p)."""
        standard = torch.tensor((inputs - self.input_mean) / self.input_scale, dtype=torch.float32)
        with torch.inference_mode():
            parts = [self.network(Graph.join([graphs[i] for i in rows]), standard[rows]) for rows in _parts(graphs)]
        return self.offset + self.scale * torch.cat(parts).double().numpy()

    def pooled(self, graphs: Sequence[Graph]) -> Array:
        """What stands for each crystal before other inputs are joined, shape (n, 64)."""
        with torch.inference_mode():
            parts = [self.network.pooled(Graph.join([graphs[i] for i in rows])) for rows in _parts(graphs)]
        return torch.cat(parts).double().numpy()


def _parts(graphs: Sequence[Graph]) -> list[list[int]]:
    """Indices of graphs that are computed together."""
    return [list(rows) for rows in batched(range(len(graphs)), _AT_ONCE)]


def graphs_of(states: Sequence[State], settings: NetworkSettings) -> list[Graph]:
    """Graphs of crystals, for a network of these settings."""
    return [Graph.of(state, settings.cutoff_a) for state in states]


def fit_network(
    settings: NetworkSettings,
    graphs: Sequence[Graph],
    inputs: Array,
    values: Array,
    systems: NDArray[np.str_],
    schedule: Schedule,
    *,
    seed: int,
    start: Mapping[str, Tensor] | None = None,
    checkpoint: Path | None = None,
    report: Callable[[int, float], None] = lambda epoch, error: None,
) -> TrainedNetwork:
    """Train on crystals with other inputs (n, p), values (n,) and chemical systems (n,).

    Some of the chemical systems are kept aside; the weights are those with the least mean absolute error on them.
    `start` has weights of another property, from which the atoms and their pooling begin. With a file `checkpoint`,
    which every epoch is written to, an interrupted training goes on to the same weights. `report` hears epoch and
    error.
    """
    names = np.unique(systems)
    chosen = np.random.default_rng(seed).choice(names, max(1, round(_ASIDE * len(names))), replace=False)
    aside = np.isin(systems, chosen)
    torch.manual_seed(seed)
    trained = _untrained(settings, inputs[~aside], values[~aside])
    network = trained.network
    if start is not None:
        network.load_state_dict({name: w for name, w in start.items() if not name.startswith("head")}, strict=False)
    optimizer = torch.optim.AdamW(network.parameters(), lr=schedule.learning_rate)
    training = _Training(network, optimizer, copy.deepcopy(network.state_dict()))
    if checkpoint is not None and checkpoint.exists():
        training.load(checkpoint)
    judges = [graphs[i] for i in np.flatnonzero(aside).tolist()]
    while training.epoch < schedule.epochs and training.since < schedule.patience:
        order = np.random.default_rng([seed, training.epoch]).permutation(np.flatnonzero(~aside))
        for rows in np.array_split(order, -(-len(order) // schedule.batch)):
            _step(trained, training.optimizer, [graphs[i] for i in rows.tolist()], inputs[rows], values[rows])
        error = float(np.abs(trained.predict(judges, inputs[aside]) - values[aside]).mean())
        training.end_epoch(error)
        report(training.epoch, error)
        if checkpoint is not None:
            training.save(checkpoint)
    network.load_state_dict(training.best)
    return trained


@dataclass
class _Training:
    """A network in training."""

    network: PropertyNetwork
    optimizer: torch.optim.Optimizer
    best: dict[str, Tensor]
    """Weights with the least error so far."""
    error_of_best: float = float("inf")
    since: int = 0
    """Epochs since then."""
    epoch: int = 0

    def end_epoch(self, error: float) -> None:
        """Count an epoch, and keep its weights where none had a smaller error."""
        self.epoch, self.since = self.epoch + 1, self.since + 1
        if error < self.error_of_best:
            self.best, self.error_of_best, self.since = copy.deepcopy(self.network.state_dict()), error, 0

    def save(self, path: Path) -> None:
        """Write everything that the next epoch follows from."""
        content = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "progress": (self.error_of_best, self.since, self.epoch),
        }
        unfinished = path.with_name(path.name + ".unfinished")
        torch.save(content, unfinished)
        unfinished.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; nothing in it is executed."""
        content = torch.load(path, weights_only=True)
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.best = content["best"]
        self.error_of_best, self.since, self.epoch = content["progress"]


def _untrained(settings: NetworkSettings, inputs: Array, values: Array) -> TrainedNetwork:
    """A network with random weights, and the scales of the training set."""
    deviation = inputs.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    network = PropertyNetwork(settings, inputs.shape[1])
    return TrainedNetwork(network, float(values.mean()), float(values.std()) or 1.0, inputs.mean(axis=0), scale)


def _step(
    trained: TrainedNetwork, optimizer: torch.optim.Optimizer, graphs: Sequence[Graph], inputs: Array, values: Array
) -> None:
    """One step towards the values (n,) of a batch."""
    standard = torch.tensor((inputs - trained.input_mean) / trained.input_scale, dtype=torch.float32)
    wanted = torch.tensor((values - trained.offset) / trained.scale, dtype=torch.float32)
    loss = torch.nn.functional.smooth_l1_loss(trained.network(Graph.join(graphs), standard), wanted)
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(trained.network.parameters(), _LARGEST_GRADIENT)
    optimizer.step()
