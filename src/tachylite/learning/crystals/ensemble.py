"""The mean of networks that have each been trained without some of the chemical systems."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import batched
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.crystals.network import NetworkSettings
from tachylite.learning.crystals.predictor import Arrays, Predicted, arrays_of, prefixed, standardise
from tachylite.learning.crystals.property_network import PropertyNetwork, TrainedNetwork, graphs_of
from tachylite.learning.domain import nearest_distances
from tachylite.learning.learners import Transform
from tachylite.schemas import State

_AT_ONCE = 32
"""Crystals whose graphs are in memory together."""


@dataclass(frozen=True)
class NetworkEnsemble:
    """Networks of one shape; features of a crystal are what the first of them pools over its atoms."""

    members: Sequence[TrainedNetwork]
    transform: Transform
    rows: Array
    """Features of the training crystals, shape (n, p)."""

    @property
    def settings(self) -> NetworkSettings:
        """Shape of every member."""
        return self.members[0].network.atoms.settings

    @property
    def elements(self) -> tuple[int, ...]:
        """Atomic numbers that it can be asked about."""
        return self.settings.elements

    @cached_property
    def _scaling(self) -> tuple[Array, Array]:
        return standardise(self.rows)

    @property
    def standard_rows(self) -> Array:
        """Features of the training crystals (n, p), each with mean 0 and standard deviation 1."""
        mean, scale = self._scaling
        return (self.rows - mean) / scale

    def predict(self, states: Sequence[State], report: Callable[[int], None] = lambda done: None) -> Predicted:
        """Centre, equal spreads, and distance to the nearest training crystal; `report` hears how many are done."""
        (mean, scale), done = self._scaling, 0
        centres, distances = [], []
        for part in batched(states, _AT_ONCE):
            graphs = graphs_of(part, self.settings)
            nothing = np.empty((len(part), 0))
            centres.append(np.mean([member.predict(graphs, nothing) for member in self.members], axis=0))
            distances.append(nearest_distances((self.members[0].pooled(graphs) - mean) / scale, self.standard_rows))
            done += len(part)
            report(done)
        return Predicted(np.concatenate(centres), np.ones(len(states)), np.concatenate(distances))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays by name from which `from_arrays` makes the same."""
        head = {"settings": self.settings.model_dump(), "scaling": [[m.offset, m.scale] for m in self.members]}
        arrays: dict[str, NDArray[Any]] = {
            "networks_head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8),
            "networks_rows": self.rows,
        }
        for number, member in enumerate(self.members):
            weights = {name: tensor.numpy() for name, tensor in member.network.state_dict().items()}
            arrays |= prefixed(f"member{number}", weights)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Arrays, transform: Transform) -> Self:
        """Make one from its `arrays`."""
        head = json.loads(arrays["networks_head"].tobytes())
        settings = NetworkSettings.model_validate(head["settings"])
        members = []
        for number, (offset, scale) in enumerate(head["scaling"]):
            network = PropertyNetwork(settings)
            weights = arrays_of(f"member{number}", arrays)
            network.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
            members.append(TrainedNetwork(network, offset, scale, np.empty(0), np.empty(0)))
        return cls(members, transform, arrays["networks_rows"])
