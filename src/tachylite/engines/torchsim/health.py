"""Checks that end a member whose dynamics has gone wrong, and the last good state of each member."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from ase.data import chemical_symbols, covalent_radii
from numpy.typing import NDArray
from torch import Tensor

from tachylite.arrays import Array
from tachylite.engines.potentials.committee import Committee
from tachylite.engines.potentials.neighbors import VerletList
from tachylite.engines.torchsim.batch import Batch, highest_target_k, state_of
from tachylite.engines.torchsim.engine import Guards
from tachylite.engines.torchsim.recorder import ENERGY, FORCE, VOLUME, temperatures_k
from tachylite.schemas import State

_GOOD_FRACTION = 0.8
"""Fraction of every limit up to which a state counts as good, as problems take some steps to show."""

_SKIN_A = 0.3
"""Between two checks hot atoms move by more than any skin; a thin one keeps the neighbour list small."""


class Health:
    """Compares the members of a batch with the guards every few steps, without changing the batch."""

    def __init__(self, batch: Batch, guards: Guards, committee: Committee | None = None) -> None:
        self.guards, self.committee = guards, committee
        self._stated = np.zeros((len(batch.requests), 2))
        """Sum of squares of the errors of forces that the committee has stated for every request, and their number."""
        self._radii = torch.as_tensor(covalent_radii, dtype=torch.float64, device=batch.state.device)
        longest = 2 * float(self._radii[batch.state.atomic_numbers].max())
        self._neighbors = VerletList(guards.closest_approach * longest / _GOOD_FRACTION, _SKIN_A)
        self.energies_ev = _numpy(batch.state.energy)
        """Potential energy of every member at the last check."""
        self.good_steps = np.full(len(batch.members), -1)
        """Steps done by every member in its last good state; -1 where it had none."""
        self.positions, self.momenta = batch.state.positions.clone(), batch.state.momenta.clone()
        self.cells = batch.state.row_vector_cell.clone()

    def examine(self, batch: Batch, rows: Array, causes: Mapping[int, str]) -> dict[int, str]:
        """Find members (by position in the state) that must end, each with its reason.

        `rows` are those of the steps since the last check, as `tachylite.engines.torchsim.recorder.Recorder.take_rows`
        returns them; `causes` are the potential's reasons for members with NaN.
        """
        with np.errstate(invalid="ignore"):  # values that are not finite are handled below
            ratios, messages = zip(*self._values_over_limits(batch, rows), strict=True)
        finite = _finite(batch) & np.isfinite(rows).all(axis=(0, 1))
        worst = np.max(ratios, axis=0)
        reasons: dict[int, str] = {}
        for index in np.flatnonzero(~(finite & (worst <= 1))).tolist():
            cause = f" ({causes[index]})" if index in causes else ""
            reason = f"diverged: a force or position is not finite{cause}"
            if finite[index]:
                exceeded = (text for ratio, text in zip(ratios, messages, strict=True) if ratio[index] > 1)
                reason = next(exceeded)(index)
            reasons[index] = f"{reason} at step {batch.step} of segment {batch.segment + 1}"
        self._update_good_states(batch, finite & (worst <= _GOOD_FRACTION))
        self.energies_ev = rows[-1, ENERGY].copy()
        return reasons

    def _values_over_limits(self, batch: Batch, rows: Array) -> Iterator[tuple[Array, Callable[[int], str]]]:
        """For each guard, every member's value over the limit, and the reason to give where that exceeds 1."""
        guards = self.guards
        distance, pair = self._closest(batch)
        yield guards.closest_approach / distance, lambda i: f"overlapping atoms: {_describe(batch, *pair(i))}"

        temperature = temperatures_k(batch, rows).mean(axis=0)
        target = np.array([highest_target_k(batch.requests[m]) for m in batch.members])
        highest = np.maximum(guards.temperature_factor * target, target + guards.temperature_margin_k)
        yield (
            temperature / highest,
            lambda i: f"temperature runaway: {temperature[i]:.0f} K instead of {target[i]:.0f} K",
        )

        jumps = np.abs(np.diff(np.vstack([self.energies_ev, rows[:, ENERGY]]), axis=0)).max(axis=0)
        allowed = guards.energy_jump_ev * np.sqrt(_numpy(batch.sizes))
        yield (
            jumps / allowed,
            lambda i: f"energy jump: {jumps[i]:.0f} eV in one step, where {allowed[i]:.0f} eV are much",
        )

        volume = rows[-1, VOLUME]
        start = np.array([batch.requests[m].state.volume_a3 for m in batch.members])
        yield (
            np.maximum(volume / start, start / volume) / guards.volume_factor,
            lambda i: (
                f"the cell {'expands without end' if volume[i] > start[i] else 'collapses'}: "
                f"{volume[i]:.0f} A^3, at the start {start[i]:.0f} A^3"
            ),
        )

        force = rows[:, FORCE].max(axis=0)
        yield (
            force / guards.largest_force_ev_a,
            lambda i: f"extrapolation: a force of {force[i]:.0f} eV/A, beyond what force fields are trained on",
        )

        if self.committee is not None:
            stated, tested = self._ask_committee(batch, self.committee), self.committee.tested_ev_a
            yield (
                stated / (guards.committee_error * tested),
                lambda i: (
                    f"extrapolation: the committee states an error of forces of {stated[i]:.2f} eV/A, "
                    f"on its test frames it was {tested:.2f}"
                ),
            )

    def _ask_committee(self, batch: Batch, committee: Committee) -> Array:
        """Error of the forces of every member that its committee states, eV/A, (n_members,)."""
        stated = committee.stated_errors_ev_a(batch.state, batch.state.forces)
        finite = np.isfinite(stated)
        self._stated[np.array(batch.members)[finite]] += np.stack([stated**2, np.ones_like(stated)], axis=1)[finite]
        return stated

    def stated_error_ev_a(self, request: int) -> float | None:
        """Root mean square, over the checks of a request, of the errors of forces that the committee has stated."""
        squares, number = self._stated[request]
        return float(np.sqrt(squares / number)) if number else None

    def _closest(self, batch: Batch) -> tuple[Array, Callable[[int], tuple[int, int, float]]]:
        """Shortest distance over the sum of covalent radii, (n_members,), and a function for the pair of a member."""
        state = batch.state
        closest = torch.full((len(batch.members),), torch.inf, dtype=torch.float64, device=state.device)
        pairs = self._neighbors.pairs(state)
        radii = self._radii[state.atomic_numbers]
        relative = pairs.distances / (radii[pairs.first] + radii[pairs.second])
        owner = state.system_idx[pairs.first]
        closest.scatter_reduce_(0, owner, relative, "amin")

        def pair(index: int) -> tuple[int, int, float]:
            where = int(torch.where(owner == index, relative, torch.inf).argmin())
            return int(pairs.first[where]), int(pairs.second[where]), float(pairs.distances[where])

        return _numpy(closest), pair

    def last_good(self, batch: Batch, index: int) -> tuple[State, int]:
        """The last good state of a member and the steps done until then; its initial state if there was none."""
        steps = int(self.good_steps[index])
        if steps < 0:
            return batch.requests[batch.members[index]].state, 0
        return state_of(batch, index, self.positions, self.momenta, self.cells), steps

    def keep_only(self, batch: Batch, members: Sequence[int]) -> None:
        """Forget all members but these (by position in the state); to be called before the others leave the batch."""
        atoms = torch.isin(batch.state.system_idx, torch.tensor(members, dtype=torch.int64, device=batch.state.device))
        self.positions, self.momenta = self.positions[atoms], self.momenta[atoms]
        self.energies_ev, self.good_steps = self.energies_ev[members], self.good_steps[members]
        self.cells = self.cells[members]

    def dump(self) -> dict[str, Any]:
        """Content for a checkpoint."""
        return {
            "positions": self.positions,
            "momenta": self.momenta,
            "cells": self.cells,
            "energies_ev": torch.from_numpy(self.energies_ev),
            "good_steps": torch.from_numpy(self.good_steps),
            "stated": torch.from_numpy(self._stated),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Continue from the content of a checkpoint."""
        self.positions, self.momenta, self.cells = saved["positions"], saved["momenta"], saved["cells"]
        self.energies_ev, self.good_steps = _numpy(saved["energies_ev"]), _numpy(saved["good_steps"])
        self._stated = _numpy(saved["stated"])

    def _update_good_states(self, batch: Batch, good: NDArray[np.bool_]) -> None:
        members = torch.from_numpy(good).to(batch.state.device)
        where = members[batch.state.system_idx, None]
        self.positions = torch.where(where, batch.state.positions, self.positions)
        self.momenta = torch.where(where, batch.state.momenta, self.momenta)
        self.cells = torch.where(members[:, None, None], batch.state.row_vector_cell, self.cells)
        self.good_steps = np.where(good, batch.done, self.good_steps)


def _finite(batch: Batch) -> NDArray[np.bool_]:
    state = batch.state
    bad_atoms = ~(torch.isfinite(state.forces) & torch.isfinite(state.positions)).all(dim=1)
    bad = torch.zeros(len(batch.members), dtype=torch.int64, device=state.device)
    bad.index_add_(0, state.system_idx, bad_atoms.to(torch.int64))
    return np.asarray(_numpy(bad) == 0)


def _describe(batch: Batch, first: int, second: int, distance: float) -> str:
    names = " and ".join(chemical_symbols[int(batch.state.atomic_numbers[i])] for i in (first, second))
    return f"{names} are {distance:.2f} A apart"


def _numpy(tensor: Tensor) -> NDArray[Any]:
    return tensor.cpu().numpy().copy()
