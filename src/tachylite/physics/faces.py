"""Slabs cut from crystals at a face, and glasses laid on them with one cross-section for both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError

if TYPE_CHECKING:
    from pymatgen.core import Structure

type Face = tuple[int, int, int]
"""Miller indices in the conventional cell."""

_TURNS = 720
"""Orientations of a crystal in its plane that are tried, over half a turn."""

_MOST_REPEATS = 6


@dataclass(frozen=True)
class Layer:
    """Atoms between two planes, periodic along these and not across: a slab, or a glass cut out of its cell."""

    numbers: NDArray[np.int64]
    """Atomic numbers, (n,)."""
    positions: Array
    """In A, (n, 3); z runs along the normal, from 0 at the lowest atom."""
    plane: Array
    """Its periodic vectors in the plane, as rows, in A, (2, 2); the first along x."""

    @property
    def thickness_a(self) -> float:
        """From the lowest to the highest atom."""
        return float(np.ptp(self.positions[:, 2]))

    @property
    def area_a2(self) -> float:
        """Of the periodic plane."""
        return float(np.linalg.det(self.plane))

    def supercell(self, matrix: NDArray[np.int64]) -> "Layer":
        """The same layer with other periodic vectors, integer combinations of these, (2, 2)."""
        reach = np.abs(matrix).sum(axis=0)
        shifts = [(i, j) for i in range(-reach[0], reach[0] + 1) for j in range(-reach[1], reach[1] + 1)]
        larger = matrix @ self.plane
        inside = np.array(shifts) @ self.plane @ np.linalg.inv(larger)
        # which lattice points lie in the supercell, with those on its edge counted once
        chosen = ((inside > -1e-9) & (inside < 1 - 1e-9)).all(axis=1)
        offsets = np.array(shifts)[chosen] @ self.plane
        positions = np.tile(self.positions, (len(offsets), 1))
        positions[:, :2] += np.repeat(offsets, len(self.positions), axis=0)
        return Layer(np.tile(self.numbers, len(offsets)), positions, larger).in_plane(larger)

    def in_plane(self, plane: Array) -> "Layer":
        """Deform the layer in its plane to other periodic vectors (2, 2), turned so that the first is along x."""
        fractional = self.positions[:, :2] @ np.linalg.inv(self.plane)
        turned = _standard(plane)
        positions = np.column_stack([(fractional - np.floor(fractional)) @ turned, self.positions[:, 2]])
        return Layer(self.numbers, positions, turned)

    def wide(self, width_a: float) -> "Layer":
        """Repeat it until both heights of its plane are at least so many A."""
        heights = 1 / np.linalg.norm(np.linalg.inv(self.plane), axis=0)
        return self.supercell(np.diag(np.ceil(width_a / heights - 1e-9).astype(np.int64).clip(min=1)))


@dataclass(frozen=True)
class Match:
    """A cross-section that two layers share, and how each is strained to it."""

    first: Layer
    second: Layer
    first_strain: tuple[float, float]
    """Principal strains in the plane; positive is stretched."""
    second_strain: tuple[float, float]


def cut_slab(structure: "Structure", face: Face, thickness_a: float, width_a: float) -> Layer:
    """Cut a slab at a face of a crystal, at least so thick and wide in A, of the composition of the crystal.

    A primitive cell is first made the conventional one, in which faces are counted. Of several terminations (pymatgen's
    SlabGenerator, DOI 10.1016/j.susc.2013.05.016) a slab that is alike on both sides is preferred. The thickness is
    that of whole layers, each with its spacing.

    Raises InputError for the face (0, 0, 0), a width that is not positive and a thickness below that of one layer.
    """
    from pymatgen.core.surface import SlabGenerator
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    name = face_name(face)
    if not any(face):
        raise InputError(f"there is no face {name}; one of its indices must differ from 0")
    if width_a <= 0:
        raise InputError(f"a width of {width_a:g} A; it must be positive")
    conventional = SpacegroupAnalyzer(structure).get_conventional_standard_structure()
    crystal = conventional if len(conventional) > len(structure) else structure
    slabs = SlabGenerator(crystal, face, max(thickness_a, 1e-3), 10.0, center_slab=False).get_slabs()
    layer = slabs[0].oriented_unit_cell.lattice
    spacing = layer.volume / float(np.linalg.norm(np.cross(*layer.matrix[:2])))
    if thickness_a < spacing:
        raise InputError(f"a thickness of {thickness_a:g} A; one layer of {name} has {spacing:.2f} A already")
    chosen = next((slab for slab in slabs if slab.is_symmetric()), slabs[0])
    return upright(np.array(chosen.atomic_numbers), chosen.cart_coords, chosen.lattice.matrix).wide(width_a)


def upright(numbers: NDArray[np.int64], positions: Array, cell: Array) -> Layer:
    """Turn a cell so that its first two vectors, made short, lie in the plane; it is not periodic along the third.

    Takes positions (n, 3) and lattice vectors as rows (3, 3), in A.
    """
    first, second = _short_vectors(cell[0], cell[1])
    normal = np.cross(first, second)
    normal /= np.linalg.norm(normal)
    if normal @ cell[2] < 0:
        first, second, normal = second, first, -normal
    # whole along the third vector, wherever the atoms were
    fractional = positions @ np.linalg.inv(cell)
    fractional[:, 2] -= np.floor(fractional[:, 2] + 1e-9)
    whole = fractional @ cell
    along = first / np.linalg.norm(first)
    axes = np.array([along, np.cross(normal, along), normal])
    turned = whole @ axes.T
    turned[:, 2] -= turned[:, 2].min()
    plane = np.array([first, second]) @ axes[:2].T
    return Layer(numbers, turned, plane).in_plane(plane)


def match_layers(
    crystal: Layer, glass: Layer, width_a: float, moduli: tuple[float, float] | None, largest_strain: float
) -> Match:
    r"""Give a crystal, of any orientation in the plane, and a glass one cross-section, by the least strain.

    The glass is repeated up to the width in A, and further up to six times; supercells of the crystal come nearest to
    its two vectors at every orientation. With U, the stretch that would take the glass to the crystal, both are
    deformed by

        glass: U^w,  crystal: U^(w - 1),  w = K_c t_c / (K_c t_c + K_g t_g)

    which is the least elastic energy for moduli K and thicknesses t; without moduli w is 1/2.

    Raises InputError where the relative difference of the two exceeds `largest_strain`.
    """
    best: tuple[float, NDArray[np.int64], Layer] | None = None
    start = glass.wide(width_a)
    for repeats in range(1, _MOST_REPEATS + 1):
        larger = start.supercell(np.diag([repeats, 1]))
        mismatch, matrix = _nearest_supercell(crystal.plane, larger.plane)
        if best is None or mismatch < best[0]:
            best = mismatch, matrix, larger
        if mismatch <= largest_strain:
            break
    assert best is not None  # noqa: S101 - for the type checker: there is at least one number of repeats
    mismatch, matrix, glass = best
    if mismatch > largest_strain:
        raise InputError(
            f"no supercell of the crystal's face fits the cross-section of the glass within {largest_strain:.1%}: the "
            f"best differs by {mismatch:.1%}; give a larger --mismatch or --width"
        )
    crystal = crystal.supercell(matrix)
    stiffness = [1.0, 1.0]
    if moduli is not None:
        stiffness = [k * max(layer.thickness_a, 1e-3) for k, layer in zip(moduli, (crystal, glass), strict=True)]
    share = stiffness[0] / sum(stiffness)
    left, stretches, right = np.linalg.svd(np.linalg.inv(glass.plane) @ crystal.plane)
    shared = glass.plane @ left @ np.diag(stretches**share) @ right
    strains = [(float(a), float(b)) for a, b in (stretches ** (share - 1) - 1, stretches**share - 1)]
    return Match(crystal.in_plane(shared), glass.in_plane(shared), *strains)


def face_name(face: Face) -> str:
    """Write a face: `(110)`, `(1-10)`, `(10,1,0)`."""
    separator = "" if max(map(abs, face)) < 10 else ","
    return f"({separator.join(map(str, face))})"


def _nearest_supercell(crystal: Array, glass: Array) -> tuple[float, NDArray[np.int64]]:
    """Supercell of a plane lattice nearest to two vectors, as integers (2, 2), and by how much it differs, at most."""
    best_mismatch, best = np.inf, np.eye(2, dtype=np.int64)
    to_crystal = np.linalg.inv(crystal)
    for angle in np.arange(_TURNS) * np.pi / _TURNS:
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        matrix = np.rint(glass @ turn @ to_crystal).astype(np.int64)
        if np.linalg.det(matrix) < 0.5:
            continue
        stretches = np.linalg.svd(np.linalg.inv(glass) @ matrix @ crystal, compute_uv=False)
        mismatch = float(np.abs(stretches - 1).max())
        if mismatch < best_mismatch - 1e-9:
            best_mismatch, best = mismatch, matrix
    return best_mismatch, best


def _short_vectors(first: Array, second: Array) -> tuple[Array, Array]:
    """Shortest two vectors of a plane lattice that keep its handedness (Gauss)."""
    while True:
        if first @ first > second @ second:
            first, second = second, -first
        steps = round(float(first @ second / (first @ first)))
        if not steps:
            return first, second
        second = second - steps * first


def _standard(plane: Array) -> Array:
    """Two vectors turned so that the first is along x and the second has a positive y, (2, 2)."""
    length = float(np.linalg.norm(plane[0]))
    along = float(plane[0] @ plane[1]) / length
    return np.array([[length, 0.0], [round(along, 9) + 0.0, abs(float(np.linalg.det(plane))) / length]])
