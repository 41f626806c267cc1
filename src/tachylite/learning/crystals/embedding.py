"""Features of crystals from the layers of a potential that has learned forces, which stay as they are."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from e3nn import o3
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.crystals.graph import Graph
from tachylite.learning.crystals.network import AtomNetwork, NetworkSettings, invariants
from tachylite.schemas import State

_ATOMS_AT_ONCE = 60
"""Pairs of more do not fit in the processor's cache, and take longer."""


@dataclass(frozen=True)
class Embedding:
    """The first layers of a potential's network; means over the atoms of a crystal of their invariants are features.

    A single number for every channel of every layer: the channel, where it is a scalar, else its length. They do not
    change when a crystal is turned, shifted, or described by another cell.
    """

    source: str
    """The potential, in words."""
    settings: NetworkSettings
    weights: Mapping[str, NDArray[np.float32]]
    """By the names of the network's parameters."""

    @classmethod
    def of_nequix(cls, path: Path, n_layers: int) -> Self:
        """The first layers of Nequix (DOI 10.48550/arXiv.2508.16067), from weights in PyTorch's form.

        Raises InputError for another file, and for more layers than it has besides the last one.
        """
        try:
            with path.open("rb") as file:
                config = json.loads(file.readline())
                tensors = torch.load(file, map_location="cpu", weights_only=True)
            settings = NetworkSettings(
                elements=tuple(sorted(config["atomic_numbers"])),
                hidden=config["hidden_irreps"],
                n_layers=config["n_layers"] - 1,
                l_max=config["lmax"],
                cutoff_a=config["cutoff"],
                n_radial=config["radial_basis_size"],
                radial_widths=(config["radial_mlp_size"],) * config["radial_mlp_layers"],
                envelope_power=int(config["radial_polynomial_p"]),
                mean_neighbors=config["avg_n_neighbors"],
            )
        except Exception as error:  # a file may be damaged in any way
            raise InputError(f"{path} cannot be read as weights of Nequix in PyTorch's form: {error}") from None
        if not 1 <= n_layers <= settings.n_layers:
            raise InputError(f"{path} has {settings.n_layers} layers to take features from; {n_layers} were asked for")
        settings = settings.model_copy(update={"n_layers": n_layers})
        names = dict(AtomNetwork(settings).named_parameters())
        weights = {name: tensors[_name_in_nequix(name)].numpy() for name in names}
        return cls(
            f"Nequix, {path.stem}, first {n_layers} layers", settings.model_copy(update={"n_layers": n_layers}), weights
        )

    @cached_property
    def _network(self) -> AtomNetwork:
        network = AtomNetwork(self.settings)
        network.load_state_dict({name: torch.tensor(array) for name, array in self.weights.items()}, strict=False)
        return network.eval().requires_grad_(False)

    def features(self, states: Sequence[State], report: Callable[[int], None] = lambda done: None) -> Array:
        """Features (n, p) of crystals; `report` hears how many are done. Raises InputError for an unknown element."""
        unknown = {number for state in states for number in state.numbers}.difference(self.settings.elements)
        if unknown:
            raise InputError(f"{self.source} does not know the elements with atomic numbers {sorted(unknown)}")
        rows, done = [], 0
        for part in _parts(states):
            graphs = [Graph.of(state, self.settings.cutoff_a) for state in part]
            rows.append(self._features_of(Graph.join(graphs)))
            done += len(part)
            report(done)
        return np.concatenate(rows)

    def _features_of(self, graph: Graph) -> Array:
        irreps = o3.Irreps(self.settings.hidden)
        with torch.inference_mode():
            means = [graph.mean(invariants(features, irreps)) for features in self._network(graph)]
        return torch.cat(means, dim=1).double().numpy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays by name from which `from_arrays` makes the same embedding."""
        head = json.dumps({"source": self.source, "settings": self.settings.model_dump()})
        return {"head": np.frombuffer(head.encode(), dtype=np.uint8), **self.weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make an embedding from its `arrays`."""
        head = json.loads(arrays["head"].tobytes())
        weights = {name: array for name, array in arrays.items() if name != "head"}
        return cls(head["source"], NetworkSettings.model_validate(head["settings"]), weights)


def _name_in_nequix(name: str) -> str:
    """Name of a parameter in the files of Nequix."""
    if ".radial.weights." in name:
        return name.replace(".radial.weights.", ".radial_mlp.layers.") + ".weights"
    return name.replace("layer_norm.weights", "layer_norm.affine_weight")


def _parts(states: Sequence[State]) -> Iterator[list[State]]:
    """Crystals in groups of not many atoms, in their order."""
    part: list[State] = []
    for state in states:
        if part and sum(len(other.numbers) for other in part) + len(state.numbers) > _ATOMS_AT_ONCE:
            yield part
            part = []
        part.append(state)
    if part:
        yield part
