"""Potentials as TorchSim models: energies, forces and stresses of a batch of systems in one call.

Every potential takes float64 states, keeps its own neighbour list with a skin and returns float64
`energy` (n_systems,) in eV, `forces` (n_atoms, 3) in eV/A and, when `compute_stress` is set, `stress`
(n_systems, 3, 3) in eV/A^3 with the sign of ASE and TorchSim (pressure = -trace / 3, without kinetic part).
The modules import torch and torch_sim, so they are themselves imported at first use.
"""
