"""How many atoms a batch may hold on a GPU: what a potential was measured to need, and what is free."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import floor

import torch
from torch_sim.io import atoms_to_state

from tachylite.engines.torchsim.batch import Potential
from tachylite.errors import InputError
from tachylite.schemas import State

_USED_FRACTION = 0.7
"""Of the memory that is free: a melt may become denser than the state that was measured, with more pairs of atoms."""

_MEASURED_ATOMS = (500, 2000)
"""Sizes of the two batches that are measured."""


def measure_batch_atoms(potential: Potential, states: Sequence[State]) -> int:
    """Atoms that fit on the GPU of a potential, measured with copies of the densest of some states."""
    densest = max(states, key=lambda state: len(state.numbers) / state.volume_a3)
    copies = [max(1, round(atoms / len(densest.numbers))) for atoms in _MEASURED_ATOMS]
    copies[1] = max(copies[1], copies[0] + 1)
    peaks = [(n * len(densest.numbers), _peak_bytes(potential, densest, n)) for n in copies]
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(potential.device)
    return atoms_within(_USED_FRACTION * free, *peaks)


def atoms_within(available_bytes: float, small: tuple[int, float], large: tuple[int, float]) -> int:
    """Atoms whose memory, linear in their number, is available; from two measurements (atoms, bytes). At least 1.

    >>> atoms_within(10e9, (500, 0.6e9), (2000, 2.1e9))
    9900
    """
    per_atom = (large[1] - small[1]) / (large[0] - small[0])
    return max(1, floor((available_bytes - small[1]) / per_atom) + small[0])


def _peak_bytes(potential: Potential, state: State, copies: int) -> float:
    """Largest memory that energy, forces and stress of copies of a state take, beyond what was taken before."""
    batch = atoms_to_state([state.atoms] * copies, potential.device, potential.dtype)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(potential.device)
    before = torch.cuda.memory_allocated(potential.device)
    potential.reset()
    potential(batch)
    potential.reset()
    return float(torch.cuda.max_memory_allocated(potential.device) - before)


@contextmanager
def batch_in_memory(batch_atoms: int) -> Iterator[None]:
    """Compute a batch inside the `with` block; raises InputError, with the way out, where it does not fit."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise InputError(
            f"the GPU has no memory for batches of {batch_atoms:,} atoms; give a smaller one, like "
            f"--option batch_atoms={max(batch_atoms // 2, 1)}"
        ) from error
