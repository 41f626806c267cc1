"""Potentials of MatGL: M3GNet, TensorNet and CHGNet as TorchSim models."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tachylite.engines.potentials.crystals import check_crystals
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.matgl_weights import MatglWeights, find_weights, read_weights
from tachylite.engines.potentials.model import NeighborModel, keep_freed_memory
from tachylite.engines.potentials.neighbors import Pairs, collect
from tachylite.errors import InputError

if TYPE_CHECKING:
    from torch_sim.state import SimState

KNOWN_ENERGIES = {
    # TensorNet-MatPES-PBE-v2025.1-PES, converted for MatGL 4
    "7a19cdedb00a40505b58ff64546ca46b111923fa86a149757f941962cb3bf523": -4.692407,
}
"""Energy in eV/atom of Li2O (antifluorite, a = 4.63 A) by SHA-256 of the weights, from PESCalculator of matgl 4.1.2."""

TOLERANCE = 1e-4
"""eV/atom."""


class MatglPotential(NeighborModel):
    """Energy, forces and stress of a MatGL potential for a batch of periodic systems.

    The network is MatGL's own (M3GNet, DOI 10.1038/s43588-022-00349-3; TensorNet, DOI 10.48550/arXiv.2306.06482;
    CHGNet, DOI 10.1038/s42256-023-00716-3). It is called once for the whole batch, with frozen weights, on a graph
    whose edges come from a neighbour list that is kept while atoms move little; forces and stress come from one
    backward pass to the pair vectors. MatGL's CHGNet compares every bond with every other, in time and memory
    that grow with the square of the batch, so it is called for one member after the other, with a common backward
    pass.

    `precision` is that of the network, while geometry, reference energies of the elements, sums over pairs and
    results are in double precision; the neighbour list reaches by `skin` (A) beyond the cutoff.
    """

    def __init__(
        self,
        weights: MatglWeights,
        *,
        device: str | torch.device = "cpu",
        precision: torch.dtype = torch.float32,
        compute_stress: bool = True,
        skin: float = 1.0,
    ) -> None:
        super().__init__(weights.cutoff, skin, device, compute_stress=compute_stress)
        self._network = weights.network.to(device=self._device, dtype=precision)
        self._kind = weights.kind
        self._precision = precision
        self._species = weights.species.to(self._device)
        self._references = weights.references.to(self._device)
        self._scale = weights.scale
        if self._device.type == "cpu":
            keep_freed_memory()

    def forward(self, state: "SimState", **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3.

        A system with positions or a cell that are not finite, or a collapsed cell, gets NaN; the others are
        not affected.
        """
        pairs = self.neighbors.pairs(state)
        species = self._species[state.atomic_numbers]
        vectors = pairs.vectors.detach().requires_grad_(self._compute_forces)
        with torch.set_grad_enabled(self._compute_forces):
            graph = _Graph.mirrored(species, state.system_idx, pairs, vectors, self._precision)
            parts = graph.members(len(state.cell)) if self._kind == "CHGNet" else [graph]
            energies = torch.cat([self._energies(part) for part in parts])
        gradient = None
        if self._compute_forces:
            (gradient,) = torch.autograd.grad(energies.sum(), vectors, allow_unused=True, materialize_grads=True)
        results = collect(state, pairs, self._references[species], gradient, compute_stress=self._compute_stress)
        results["energy"] += energies.detach()
        return results

    def _energies(self, graph: "_Graph") -> Tensor:
        """Output of the network for every system of a graph, (n_systems,) in eV, double precision."""
        line_graph = self._line_graph(graph) if self._kind == "M3GNet" else None
        # the network adds to every edge the difference of two positions, so that these are zero here
        output = self._network(
            g=SimpleNamespace(
                node_type=graph.species,
                pos=graph.vectors.new_zeros(len(graph.species), 3),
                edge_index=graph.edges,
                pbc_offshift=graph.vectors,
                pbc_offset=graph.images,
                batch=graph.system_idx,
                num_graphs=graph.n_systems,
            ),
            l_g=line_graph,
        )
        self._network.feature_dict = {}
        energies: Tensor = self._scale * output.view(-1).to(torch.float64)
        return energies

    def _line_graph(self, graph: "_Graph") -> dict[str, Tensor]:
        """Pairs of edges of one atom within the cutoff for angles; MatGL builds them with a loop over atoms."""
        from matgl.graph._compute import create_line_graph_torch

        vectors = graph.vectors.detach()
        line_graph: dict[str, Tensor] = create_line_graph_torch(
            graph.edges, vectors.norm(dim=1), vectors, len(graph.species), self._network.threebody_cutoff
        )
        return line_graph


@dataclass(frozen=True)
class _Graph:
    """A graph with every pair as two directed edges, sorted by the atom where they start, hence by system.

    `edges` (2, n_edges) are atom indices, `vectors` (n_edges, 3) in A point from the first to the second; an edge
    and its opposite have opposite labels in `images` (n_edges, 1), which MatGL compares to tell them apart.
    """

    species: Tensor
    system_idx: Tensor
    n_systems: int
    edges: Tensor
    vectors: Tensor
    images: Tensor

    @classmethod
    def mirrored(
        cls, species: Tensor, system_idx: Tensor, pairs: Pairs, vectors: Tensor, precision: torch.dtype
    ) -> "_Graph":
        starts = torch.cat([pairs.first, pairs.second])
        order = starts.argsort(stable=True)
        labels = torch.arange(1, len(vectors) + 1, dtype=torch.int32, device=vectors.device)
        return cls(
            species=species,
            system_idx=system_idx,
            n_systems=len(pairs.broken),
            edges=torch.stack([starts, torch.cat([pairs.second, pairs.first])])[:, order],
            vectors=torch.cat([vectors, -vectors])[order].to(precision),
            images=torch.cat([labels, -labels])[order, None],
        )

    def members(self, n_systems: int) -> list["_Graph"]:
        """Split into one graph per system."""
        atoms = torch.bincount(self.system_idx, minlength=n_systems).tolist()
        edges = torch.bincount(self.system_idx[self.edges[0]], minlength=n_systems).tolist()
        graphs, atom, edge = [], 0, 0
        for n_atoms, n_edges in zip(atoms, edges, strict=True):
            own = slice(edge, edge + n_edges)
            graphs.append(
                _Graph(
                    species=self.species[atom : atom + n_atoms],
                    system_idx=self.system_idx.new_zeros(n_atoms),
                    n_systems=1,
                    edges=self.edges[:, own] - atom,
                    vectors=self.vectors[own],
                    images=self.images[own],
                )
            )
            atom, edge = atom + n_atoms, edge + n_edges
        return graphs


def load(model: str | None, device: torch.device) -> LoadedPotential:
    """Load a MatGL potential from its folder, or by its name from the hub of MatGL.

    Raises InputError for a model that does not exist, is not a potential, or is misread by the installed matgl.
    """
    if model is None:
        raise InputError("engine 'matgl' needs a model: matgl:FOLDER with model.json, model.pt and state.pt")
    weights = read_weights(find_weights(model))
    potential = MatglPotential(weights, device=device)
    _check(potential, weights, model)
    potential.reset()
    return LoadedPotential(
        potential=potential,
        name=weights.name if weights.kind in weights.name else f"{weights.kind} {weights.name}",
        sha256=weights.sha256,
        elements=weights.elements,
        precision="float32",
        packages=("matgl",),
    )


def _check(potential: MatglPotential, weights: MatglWeights, model: str) -> None:
    """Compare with the known energy of these weights, or with measured properties of crystals."""
    from ase.build import bulk
    from torch_sim.io import atoms_to_state

    expected = KNOWN_ENERGIES.get(weights.sha256)
    if expected is not None:
        crystal = bulk("OLi2", "fluorite", a=4.63)
        energy = float(potential(atoms_to_state([crystal], potential.device, torch.float64))["energy"]) / len(crystal)
        if not abs(energy - expected) < TOLERANCE:
            raise InputError(
                f"weights {model} are misread: Li2O has {energy:.4f} instead of {expected:.4f} eV/atom; "
                "install the version of matgl that tachylite was tested with"
            )
    elif not check_crystals(potential, weights.elements, potential.device, model) and weights.written_by_older:
        raise InputError(
            f"weights {model} were written for an older matgl, and with so few elements nothing tells whether they "
            "are misread; convert them, or install the version of matgl that wrote them"
        )
