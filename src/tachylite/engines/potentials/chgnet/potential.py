"""CHGNet as a TorchSim model."""

from typing import Any

import torch
from torch import Tensor
from torch_sim.state import SimState

from tachylite.engines.potentials.chgnet.assemble import assemble
from tachylite.engines.potentials.chgnet.check import check_known_energy
from tachylite.engines.potentials.chgnet.compiled import CompiledGatedMLP
from tachylite.engines.potentials.chgnet.geometry import Geometry
from tachylite.engines.potentials.chgnet.graph import Graph, build_graph
from tachylite.engines.potentials.chgnet.weights import load_weights
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.model import NeighborModel, keep_freed_memory
from tachylite.engines.potentials.neighbors import collect


class ChgnetPotential(NeighborModel):
    """Energy, forces and stress of CHGNet for a batch of periodic systems.

    The function is CHGNet's own (DOI 10.1038/s42256-023-00716-3), arranged so that a step of molecular
    dynamics costs little: weights are frozen, forces and stress come from one backward pass, neighbours,
    bonds and angles are found on the device for the whole batch, and the first layer of every perceptron is
    applied per atom and per bond instead of per edge and per angle. On a CPU the rest of the perceptrons is
    compiled for the processor at first use, where there is a C compiler.

    On the CPU the result for a given batch is the same bit for bit in every process with the same number of
    threads, whenever the neighbour list was built.

    `weights` is "0.3.0", "r2scan" or "0.2.0" (in the wheel of chgnet) or the path of a checkpoint;
    `precision` is that of the network, while geometry, sums over atoms and results are in double precision;
    the neighbour list reaches by `skin` (A) beyond the cutoff. Raises InputError for weights that do
    not exist or do not reproduce the energy of the package chgnet.
    """

    def __init__(
        self,
        weights: str = "0.3.0",
        *,
        device: str | torch.device = "cpu",
        precision: torch.dtype = torch.float32,
        compute_stress: bool = True,
        skin: float = 1.0,
    ) -> None:
        checkpoint = load_weights(weights)
        super().__init__(checkpoint.atom_cutoff, skin, device, compute_stress=compute_stress)
        self.weights = checkpoint
        self._network = assemble(self.weights, self._device, precision)
        self._reference = self.weights.reference_energies.to(self._device, torch.float64)
        self._precision = precision
        if self._device.type == "cpu":
            keep_freed_memory()
        check_known_energy(self, self.weights)
        self.reset()

    @property
    def is_compiled(self) -> bool:
        """Whether the gated perceptrons are compiled for this processor: faster, but other last digits."""
        return isinstance(self._network.atom_convs[0].gated, CompiledGatedMLP)

    @property
    def supported_elements(self) -> tuple[int, ...]:
        """Atomic numbers that the weights were trained on."""
        return self.weights.elements

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3.

        A system with positions or a cell that are not finite, or a collapsed cell, gets NaN; the others are
        not affected.
        """
        pairs = self.neighbors.pairs(state)
        graph = build_graph(pairs, len(state.positions), self.weights.bond_cutoff)
        geometry = Geometry.from_pairs(pairs, graph)
        sites, tape = self._network.forward(
            pairs.distances, geometry.angles, state.atomic_numbers, self._has_angles(state, graph), graph
        )
        energies = sites.to(torch.float64) + self._reference[state.atomic_numbers - 1]
        if not self._compute_forces:
            return collect(state, pairs, energies, None, compute_stress=False)
        gradient = geometry.gradient(*self._network.backward(graph, tape))
        return collect(state, pairs, energies, gradient, compute_stress=self._compute_stress)

    def _has_angles(self, state: SimState, graph: Graph) -> Tensor:
        """1 for the atoms (n_atoms,) of systems that have angles, else 0."""
        systems = torch.zeros(len(state.cell), dtype=self._precision, device=self._device)
        systems[state.system_idx[graph.end_center[graph.left]]] = 1
        return systems[state.system_idx]


def load(model: str | None, device: torch.device) -> LoadedPotential:
    """Load CHGNet: `model` is a version of the wheel (0.3.0 if not given), or a checkpoint file."""
    chgnet = ChgnetPotential(model or "0.3.0", device=device)
    return LoadedPotential(
        potential=chgnet,
        name=f"CHGNet {chgnet.weights.name}",
        sha256=chgnet.weights.sha256,
        elements=frozenset(chgnet.supported_elements),
        precision="float32, compiled" if chgnet.is_compiled else "float32",
        packages=("chgnet",),
    )
