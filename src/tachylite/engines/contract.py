"""Check that a potential obeys the physical laws and conventions that every engine relies on."""

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
    """Largest differences allowed between computed and expected values; lengths in A, energies in eV."""

    energy_ev_per_atom: float
    force_ev_a: float
    """In addition to `relative` times the largest force."""
    stress_ev_a3: float
    """In addition to `relative` times the largest stress."""
    relative: float
    step: float
    """Displacement in A, and strain, of finite differences."""
    derivative_ev_a: float
    """For a force against a finite difference of energies, in addition to the relative tolerance."""


_TOLERANCES = {
    "float64": Tolerances(1e-9, 1e-7, 1e-9, 1e-7, step=1e-4, derivative_ev_a=1e-5),
    "float32": Tolerances(2e-6, 2e-4, 1e-5, 1e-4, step=2e-3, derivative_ev_a=2e-2),
}
"""By the precision in which a potential computes; finite differences are of fourth order."""


@dataclass(frozen=True)
class _Evaluation:
    """Energy (eV), forces (eV/A) and stress (eV/A^3) that a potential computes for one system."""

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

    `structures` are at least two periodic structures of elements that the potential knows, of different sizes and
    with nonzero forces; disordered ones of about ten atoms reveal most. `precision` is that of its computation,
    `float64` or `float32`. Units are checked by their relation (forces and stress are derivatives of the energy by A
    and per A^3) and by `known_energies_ev`, the true energies of the structures where they are known.

    The laws: shapes, types and units of the output; forces and stress are derivatives of the energy; nothing
    changes when atoms are moved together, turned, renumbered or moved to periodic images; a repeated cell has
    the energy times the repeats; a batch gives what its members give alone; an invalid member does not affect
    the others; results do not depend on earlier calls. Raises AssertionError that names the law and the numbers.
    """
    if len(structures) < 2:
        raise ValueError(f"{len(structures)} structures say nothing of batches; give two of different sizes")
    examination = _Examination(potential, _TOLERANCES[precision], np.random.default_rng(seed))
    examination.check_output_format(structures)
    for index, atoms in enumerate(structures):
        with _naming(f"structure {index + 1}, {atoms.get_chemical_formula()}"):
            if known_energies_ev is not None:
                examination.check_energy(atoms, known_energies_ev[index])
            examination.check_forces(atoms)
            examination.check_stress(atoms)
            examination.check_symmetry(atoms)
            examination.check_repeats(atoms)
            examination.check_history_independence(atoms)
    examination.check_batch(structures)
    examination.check_invalid_member(structures)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from None


@dataclass(frozen=True)
class _Examination:
    """A potential, the tolerances it has to meet, and random numbers for test displacements."""

    potential: Potential
    allowed: Tolerances
    rng: np.random.Generator

    def state(self, structures: Sequence[Atoms]) -> Any:
        return atoms_to_state(list(structures), self.potential.device, self.potential.dtype)

    def evaluate(self, *structures: Atoms) -> list[_Evaluation]:
        state = self.state(structures)
        result = self.potential(state)
        owner = state.system_idx.cpu()
        energy, forces, stress = (result[name].detach().cpu().double() for name in ("energy", "forces", "stress"))
        return [
            _Evaluation(float(energy[i]), forces[owner == i].numpy(), stress[i].numpy()) for i in range(len(structures))
        ]

    def check_output_format(self, structures: Sequence[Atoms]) -> None:
        """Check shapes and types of the output, and that the input is left unchanged."""
        state = self.state(structures)
        before = {name: getattr(state, name).clone() for name in ("positions", "cell", "atomic_numbers")}
        result = self.potential(state)
        shapes = {
            "energy": (len(structures),),
            "forces": (sum(map(len, structures)), 3),
            "stress": (len(structures), 3, 3),
        }
        for name, shape in shapes.items():
            _require(name in result, f"the answer has no {name!r}; it has {', '.join(result)}")
            value = result[name]
            _require(tuple(value.shape) == shape, f"{name} has shape {tuple(value.shape)} instead of {shape}")
            _require(value.dtype == self.potential.dtype, f"{name} is {value.dtype} instead of {self.potential.dtype}")
            _require(not value.requires_grad, f"{name} is not detached from the graph of gradients")
            _require(bool(value.isfinite().all()), f"{name} is not finite")
        for name, value in before.items():
            _require(torch.equal(getattr(state, name), value), f"the potential changed the {name} it was given")

    def check_energy(self, atoms: Atoms, known: float) -> None:
        energy = self.evaluate(atoms)[0].energy
        # known energies have fewer digits than what is computed original
        allowed = max(1e-4, self.allowed.energy_ev_per_atom) * len(atoms)
        problem = f"the energy is {energy:.6f} instead of {known:.6f} eV: units or weights"
        _require(abs(energy - known) < allowed, problem)

    def check_forces(self, atoms: Atoms) -> None:
        """Check forces against finite differences of the energy: for single atoms, and for all together."""
        forces = self.evaluate(atoms)[0].forces
        scale = float(np.abs(forces).max())
        directions = [np.zeros((len(atoms), 3)) for _ in range(min(3, len(atoms)))]
        for direction, atom in zip(directions, self.rng.permutation(len(atoms)), strict=False):
            direction[atom] = _unit(self.rng.standard_normal(3))
        directions.append(_unit(self.rng.standard_normal((len(atoms), 3))))
        for direction in directions:
            slope = -self._slope(_moved, atoms, direction)
            projected = float((forces * direction).sum())
            what = "forces are not the derivative of the energy"
            _require_close(slope, projected, self._derivative_tolerance(scale), what, "eV/A")

    def check_stress(self, atoms: Atoms) -> None:
        """Check the stress against finite differences of the energy under the six strains."""
        stress, volume = self.evaluate(atoms)[0].stress, atoms.get_volume()
        scale = float(np.abs(stress).max()) * volume
        for row, column in [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]:
            strain = np.zeros((3, 3))
            strain[row, column] += 0.5
            strain[column, row] += 0.5
            slope = self._slope(_strained, atoms, strain) / volume
            what = f"stress {'xyz'[row]}{'xyz'[column]} is not the derivative of the energy by strain"
            projected = float((stress * strain).sum())
            _require_close(slope, projected, self._derivative_tolerance(scale) / volume, what, "eV/A^3")

    def check_symmetry(self, atoms: Atoms) -> None:
        """Check that translation, rotation, renumbering and periodic images change nothing."""
        n, original = len(atoms), self.evaluate(atoms)[0]
        moved = _moved(atoms, np.tile(self.rng.standard_normal(3) * 10, (n, 1)))
        self._require_same(original, moved, "moving all atoms together changes")
        wrapped = atoms.copy()
        wrapped.positions += self.rng.integers(-3, 4, (n, 3)) @ atoms.cell.array
        self._require_same(original, wrapped, "moving atoms to periodic images changes")
        turn, _ = np.linalg.qr(self.rng.standard_normal((3, 3)))
        turn *= np.linalg.det(turn)  # no mirror: the cell stays right-handed
        turned = Atoms(atoms.numbers, positions=atoms.positions @ turn, cell=atoms.cell.array @ turn, pbc=True)
        expected = _Evaluation(original.energy, original.forces @ turn, turn.T @ original.stress @ turn)
        self._require_same(expected, turned, "turning the structure changes")
        for order in (np.arange(n)[::-1], self.rng.permutation(n)):
            expected = _Evaluation(original.energy, original.forces[order], original.stress)
            self._require_same(expected, atoms[order], "renumbering atoms changes")

    def check_repeats(self, atoms: Atoms) -> None:
        """Check that a repeated cell has a multiple of the energy, and the same forces and stress."""
        original = self.evaluate(atoms)[0]
        expected = _Evaluation(2 * original.energy, np.tile(original.forces, (2, 1)), original.stress)
        self._require_same(expected, atoms.repeat((1, 2, 1)), "repeating the cell changes")

    def check_history_independence(self, atoms: Atoms) -> None:
        """Check that results along a path of displacements equal those computed right after `reset`."""
        path = [atoms]
        for length in (0.02, 0.05, 0.1, 0.2, 1.0, 0.02):
            step = length * _unit(self.rng.standard_normal((len(atoms), 3))) * np.sqrt(len(atoms) / 3)
            path.append(_moved(path[-1], np.clip(step, -0.5, 0.5)))
        self.potential.reset()
        along_path = [self.evaluate(structure)[0] for structure in path]
        for expected, structure in zip(along_path, path, strict=True):
            self.potential.reset()
            self._require_same(expected, structure, "reset() or what came before changes")

    def check_batch(self, structures: Sequence[Atoms]) -> None:
        """Check that a batch gives what its members give alone, in any order."""
        order = list(reversed(range(len(structures))))
        for indices in (list(range(len(structures))), order):
            together = self.evaluate(*(structures[i] for i in indices))
            for index, answer in zip(indices, together, strict=True):
                name = f"structure {index + 1} of {len(structures)}: a batch changes"
                self._require_same(answer, structures[index], name)

    def check_invalid_member(self, structures: Sequence[Atoms]) -> None:
        """Check that a member with invalid positions or cell gets NaN, raises nothing and leaves the others alone."""
        not_finite = structures[0].copy()
        not_finite.positions[0, 0] = np.nan
        collapsed = structures[0].copy()
        collapsed.set_cell(structures[0].cell.array * 1e-3, scale_atoms=True)
        for problem, invalid in {"a position that is not a number": not_finite, "a collapsed cell": collapsed}.items():
            try:
                first, *others = self.evaluate(invalid, *structures[1:])
            except Exception as error:
                raise AssertionError(f"a member with {problem} raises {type(error).__name__}: {error}") from error
            _require(np.isnan(first.energy), f"a member with {problem} has energy {first.energy} instead of NaN")
            _require(bool(np.isnan(first.forces).all()), f"a member with {problem} has forces that are numbers")
            for index, answer in enumerate(others, start=1):
                name = f"structure {index + 1}: a member with {problem} beside it changes"
                self._require_same(answer, structures[index], name)

    def _require_same(self, expected: _Evaluation, atoms: Atoms, what: str) -> None:
        computed, allowed = self.evaluate(atoms)[0], self.allowed
        relative = allowed.relative
        energies = computed.energy / len(atoms), expected.energy / len(atoms)
        _require_close(*energies, allowed.energy_ev_per_atom, f"{what} the energy", "eV/atom")
        _require_close(computed.forces, expected.forces, allowed.force_ev_a, f"{what} the forces", "eV/A", relative)
        _require_close(computed.stress, expected.stress, allowed.stress_ev_a3, f"{what} the stress", "eV/A^3", relative)

    def _slope(self, change: Callable[[Atoms, Array], Atoms], atoms: Atoms, direction: Array) -> float:
        """Derivative of the energy along a direction, by central differences of fourth order."""
        h = self.allowed.step
        changed = [change(atoms, steps * h * direction) for steps in (-2, -1, 1, 2)]
        back2, back, ahead, ahead2 = (answer.energy for answer in self.evaluate(*changed))
        return (8 * (ahead - back) - (ahead2 - back2)) / (12 * h)

    def _derivative_tolerance(self, scale: float) -> float:
        return self.allowed.derivative_ev_a + 10 * self.allowed.relative * scale


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


def _moved(atoms: Atoms, displacement: Array) -> Atoms:
    moved: Atoms = atoms.copy()
    moved.positions += displacement
    return moved


def _strained(atoms: Atoms, strain: Array) -> Atoms:
    strained: Atoms = atoms.copy()
    strained.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return strained


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise AssertionError(problem)


def _require_close(
    computed: float | Array, expected: float | Array, allowed: float, what: str, unit: str, relative: float = 0.0
) -> None:
    computed, expected = np.asarray(computed), np.asarray(expected)
    bound = allowed + relative * float(np.abs(expected).max(initial=0.0))
    errors = np.abs(computed - expected)
    worst = np.unravel_index(int(np.argmax(errors)), errors.shape)
    _require(
        bool(errors.max(initial=0.0) <= bound),
        f"{what}: {computed[worst]:.8g} against {expected[worst]:.8g} {unit}, allowed difference {bound:.1g}",
    )
