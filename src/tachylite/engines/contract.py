"""What every potential must obey, as a check that anyone can run on a potential of their own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ase import Atoms
from torch_sim.io import atoms_to_state

from tachylite.arrays import Array
from tachylite.engines.torchsim.batch import Potential


@dataclass(frozen=True)
class Tolerances:
    """How far answers may lie from what a law asks for; lengths in A, energies in eV."""

    energy_ev_per_atom: float
    force_ev_a: float
    """Added to the relative one times the largest force."""
    stress_ev_a3: float
    """Added to the relative one times the largest stress."""
    relative: float
    step: float
    """Displacement in A, and strain, of finite differences."""
    derivative_ev_a: float
    """Of a force against a finite difference of energies, added to the relative one."""


TOLERANCES = {
    "float64": Tolerances(1e-9, 1e-7, 1e-9, 1e-7, step=1e-4, derivative_ev_a=1e-5),
    "float32": Tolerances(2e-6, 2e-4, 1e-5, 1e-4, step=2e-3, derivative_ev_a=2e-2),
}
"""By the precision in which a potential computes. Finite differences are of fourth order."""


@dataclass(frozen=True)
class _Answer:
    """What a potential says of one system."""

    energy: float
    forces: Array
    stress: Array


def check_contract(
    potential: Potential,
    structures: Sequence[Atoms],
    *,
    precision: str = "float64",
    known_energies_ev: Sequence[float] | None = None,
    seed: int = 0,
) -> None:
    """Check that a potential obeys the laws that dynamics, relaxation and batches rest on.

    `structures` are periodic and of elements that it knows, two of them at least, of different sizes and with
    forces; disordered ones of some ten atoms show most. `precision` is what it computes in, `float64` or
    `float32`. Units are seen by their relation (forces and stress are derivatives of the energy by A and per A^3)
    and by `known_energies_ev`, where the true energies of the structures are given.

    The laws: shapes, types and units of the answer; forces and stress are derivatives of the energy; nothing
    changes when atoms are moved together, turned, renumbered or moved to periodic images; a repeated cell has
    the energy times the repeats; a batch is its members; a broken member does not touch the others; answers do
    not depend on what came before. Raises AssertionError that names the law and the numbers.
    """
    if len(structures) < 2:
        raise ValueError(f"{len(structures)} structures say nothing of batches; give two of different sizes")
    subject = _Subject(potential, TOLERANCES[precision], np.random.default_rng(seed))
    subject.check_form(structures)
    for index, atoms in enumerate(structures):
        with _named(f"structure {index + 1}, {atoms.get_chemical_formula()}"):
            if known_energies_ev is not None:
                subject.check_energy(atoms, known_energies_ev[index])
            subject.check_forces(atoms)
            subject.check_stress(atoms)
            subject.check_symmetry(atoms)
            subject.check_repeats(atoms)
            subject.check_memory(atoms)
    subject.check_batch(structures)
    subject.check_broken(structures)


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from None


@dataclass(frozen=True)
class _Subject:
    """A potential under examination."""

    potential: Potential
    allowed: Tolerances
    rng: np.random.Generator

    def state(self, structures: Sequence[Atoms]) -> Any:
        return atoms_to_state(list(structures), self.potential.device, self.potential.dtype)

    def ask(self, *structures: Atoms) -> list[_Answer]:
        state = self.state(structures)
        result = self.potential(state)
        owner = state.system_idx.cpu()
        energy, forces, stress = (result[name].detach().cpu().double() for name in ("energy", "forces", "stress"))
        return [
            _Answer(float(energy[i]), forces[owner == i].numpy(), stress[i].numpy()) for i in range(len(structures))
        ]

    def check_form(self, structures: Sequence[Atoms]) -> None:
        """Shapes, types, and an input that is left as it was."""
        state = self.state(structures)
        before = {name: getattr(state, name).clone() for name in ("positions", "cell", "atomic_numbers")}
        result = self.potential(state)
        shapes = {
            "energy": (len(structures),),
            "forces": (sum(map(len, structures)), 3),
            "stress": (len(structures), 3, 3),
        }
        for name, shape in shapes.items():
            _hold(name in result, f"the answer has no {name!r}; it has {', '.join(result)}")
            value = result[name]
            _hold(tuple(value.shape) == shape, f"{name} has shape {tuple(value.shape)} instead of {shape}")
            _hold(value.dtype == self.potential.dtype, f"{name} is {value.dtype} instead of {self.potential.dtype}")
            _hold(not value.requires_grad, f"{name} is not detached from the graph of gradients")
            _hold(bool(value.isfinite().all()), f"{name} is not finite")
        for name, value in before.items():
            _hold(torch.equal(getattr(state, name), value), f"the potential changed the {name} it was given")

    def check_energy(self, atoms: Atoms, known: float) -> None:
        energy = self.ask(atoms)[0].energy
        # known energies have fewer digits than what is computed here
        allowed = max(1e-4, self.allowed.energy_ev_per_atom) * len(atoms)
        _hold(abs(energy - known) < allowed, f"the energy is {energy:.6f} instead of {known:.6f} eV: units or weights")

    def check_forces(self, atoms: Atoms) -> None:
        """Forces against differences of energy: one atom at a time, and all at once."""
        forces = self.ask(atoms)[0].forces
        scale = float(np.abs(forces).max())
        directions = [np.zeros((len(atoms), 3)) for _ in range(min(3, len(atoms)))]
        for direction, atom in zip(directions, self.rng.permutation(len(atoms)), strict=False):
            direction[atom] = _unit(self.rng.standard_normal(3))
        directions.append(_unit(self.rng.standard_normal((len(atoms), 3))))
        for direction in directions:
            slope = -self._slope(_moved, atoms, direction)
            told = float((forces * direction).sum())
            _close(slope, told, self._derivative(scale), "forces are not the derivative of the energy", "eV/A")

    def check_stress(self, atoms: Atoms) -> None:
        """Stress against differences of energy under the six strains."""
        stress, volume = self.ask(atoms)[0].stress, atoms.get_volume()
        scale = float(np.abs(stress).max()) * volume
        for row, column in [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]:
            strain = np.zeros((3, 3))
            strain[row, column] += 0.5
            strain[column, row] += 0.5
            slope = self._slope(_strained, atoms, strain) / volume
            what = f"stress {'xyz'[row]}{'xyz'[column]} is not the derivative of the energy by strain"
            told = float((stress * strain).sum())
            _close(slope, told, self._derivative(scale) / volume, what, "eV/A^3")

    def check_symmetry(self, atoms: Atoms) -> None:
        """Nothing changes when atoms are moved together, turned, renumbered or moved to other images."""
        n, here = len(atoms), self.ask(atoms)[0]
        moved = _moved(atoms, np.tile(self.rng.standard_normal(3) * 10, (n, 1)))
        self._same(here, moved, "moving all atoms together changes")
        wrapped = atoms.copy()
        wrapped.positions += self.rng.integers(-3, 4, (n, 3)) @ atoms.cell.array
        self._same(here, wrapped, "moving atoms to periodic images changes")
        turn, _ = np.linalg.qr(self.rng.standard_normal((3, 3)))
        turn *= np.linalg.det(turn)  # no mirror: the cell stays right-handed
        turned = Atoms(atoms.numbers, positions=atoms.positions @ turn, cell=atoms.cell.array @ turn, pbc=True)
        expected = _Answer(here.energy, here.forces @ turn, turn.T @ here.stress @ turn)
        self._same(expected, turned, "turning the structure changes")
        for order in (np.arange(n)[::-1], self.rng.permutation(n)):
            expected = _Answer(here.energy, here.forces[order], here.stress)
            self._same(expected, atoms[order], "renumbering atoms changes")

    def check_repeats(self, atoms: Atoms) -> None:
        """A repeated cell has the energy times the repeats, the same forces and stress."""
        here = self.ask(atoms)[0]
        expected = _Answer(2 * here.energy, np.tile(here.forces, (2, 1)), here.stress)
        self._same(expected, atoms.repeat((1, 2, 1)), "repeating the cell changes")

    def check_memory(self, atoms: Atoms) -> None:
        """Answers on the way are those that a potential gives which has seen nothing before."""
        path = [atoms]
        for length in (0.02, 0.05, 0.1, 0.2, 1.0, 0.02):
            step = length * _unit(self.rng.standard_normal((len(atoms), 3))) * np.sqrt(len(atoms) / 3)
            path.append(_moved(path[-1], np.clip(step, -0.5, 0.5)))
        self.potential.reset()
        carried = [self.ask(one)[0] for one in path]
        for expected, one in zip(carried, path, strict=True):
            self.potential.reset()
            self._same(expected, one, "reset() or what came before changes")

    def check_batch(self, structures: Sequence[Atoms]) -> None:
        """A batch gives what its members give alone, in any order."""
        order = list(reversed(range(len(structures))))
        for indices in (list(range(len(structures))), order):
            together = self.ask(*(structures[i] for i in indices))
            for index, answer in zip(indices, together, strict=True):
                name = f"structure {index + 1} of {len(structures)}: company changes"
                self._same(answer, structures[index], name)

    def check_broken(self, structures: Sequence[Atoms]) -> None:
        """A member without a geometry has NaN, no exception, and does not touch the others."""
        broken = structures[0].copy()
        broken.positions[0, 0] = np.nan
        collapsed = structures[0].copy()
        collapsed.set_cell(structures[0].cell.array * 1e-3, scale_atoms=True)
        for what, bad in {"a position that is not a number": broken, "a collapsed cell": collapsed}.items():
            try:
                first, *others = self.ask(bad, *structures[1:])
            except Exception as error:
                raise AssertionError(f"a member with {what} raises {type(error).__name__}: {error}") from error
            _hold(np.isnan(first.energy), f"a member with {what} has energy {first.energy} instead of NaN")
            _hold(bool(np.isnan(first.forces).all()), f"a member with {what} has forces that are numbers")
            for index, answer in enumerate(others, start=1):
                self._same(answer, structures[index], f"structure {index + 1}: a member with {what} beside it changes")

    def _same(self, expected: _Answer, atoms: Atoms, what: str) -> None:
        found, allowed = self.ask(atoms)[0], self.allowed
        _close(
            found.energy / len(atoms),
            expected.energy / len(atoms),
            allowed.energy_ev_per_atom,
            f"{what} the energy",
            "eV/atom",
        )
        _close(found.forces, expected.forces, allowed.force_ev_a, f"{what} the forces", "eV/A", allowed.relative)
        _close(found.stress, expected.stress, allowed.stress_ev_a3, f"{what} the stress", "eV/A^3", allowed.relative)

    def _slope(self, change: Callable[[Atoms, Array], Atoms], atoms: Atoms, direction: Array) -> float:
        """Derivative of the energy along a direction, by central differences of fourth order."""
        h = self.allowed.step
        changed = [change(atoms, steps * h * direction) for steps in (-2, -1, 1, 2)]
        back2, back, ahead, ahead2 = (answer.energy for answer in self.ask(*changed))
        return (8 * (ahead - back) - (ahead2 - back2)) / (12 * h)

    def _derivative(self, scale: float) -> float:
        return self.allowed.derivative_ev_a + 10 * self.allowed.relative * scale


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


def _moved(atoms: Atoms, displacement: Array) -> Atoms:
    moved = atoms.copy()
    moved.positions += displacement
    return moved


def _strained(atoms: Atoms, strain: Array) -> Atoms:
    strained = atoms.copy()
    strained.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return strained


def _hold(condition: bool, problem: str) -> None:
    if not condition:
        raise AssertionError(problem)


def _close(
    found: float | Array, expected: float | Array, allowed: float, what: str, unit: str, relative: float = 0.0
) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    bound = allowed + relative * float(np.abs(expected).max(initial=0.0))
    errors = np.abs(found - expected)
    worst = np.unravel_index(int(np.argmax(errors)), errors.shape)
    _hold(
        bool(errors.max(initial=0.0) <= bound),
        f"{what}: {found[worst]:.8g} against {expected[worst]:.8g} {unit}, allowed difference {bound:.1g}",
    )
