"""Slabs against the geometry of known crystals; shared cross-sections against the strain that must follow."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.io.ase import AseAtomsAdaptor

from tachylite.errors import InputError
from tachylite.physics.faces import Face, Layer, cut_slab, face_name, match_layers, upright

LITHIUM = AseAtomsAdaptor.get_structure(bulk("Li", "bcc", 3.44))
COPPER = AseAtomsAdaptor.get_structure(bulk("Cu", "fcc", 3.6, cubic=True))


def shortest(layer: Layer) -> float:
    cell = np.zeros((3, 3))
    cell[:2, :2], cell[2, 2] = layer.plane, layer.thickness_a + 20
    distances = Atoms(layer.numbers, layer.positions, cell=cell, pbc=True).get_all_distances(mic=True)
    return float(distances[np.triu_indices(len(distances), 1)].min())


@pytest.mark.parametrize(
    ("face", "spacing", "area_per_atom"),
    [((1, 1, 0), 3.44 / 2**0.5, 3.44**2 / 2**0.5), ((1, 0, 0), 1.72, 3.44**2), ((1, 1, 1), 3.44 / 12**0.5, None)],
)
def test_a_face_of_a_primitive_bcc_crystal_is_that_of_its_cube(
    face: Face, spacing: float, area_per_atom: float | None
) -> None:
    slab = cut_slab(LITHIUM, face, 12.0, 9.0)
    heights = np.unique(slab.positions[:, 2].round(4))
    assert np.diff(heights) == pytest.approx(spacing, abs=1e-3)
    assert 12.0 <= spacing * len(heights) < 12.0 + 2 * 3.44
    assert (1 / np.linalg.norm(np.linalg.inv(slab.plane), axis=0)).min() >= 9.0
    assert len(slab.numbers) * 3.44**3 / 2 == pytest.approx(slab.area_a2 * spacing * len(heights))
    if area_per_atom is not None:
        assert slab.area_a2 * len(heights) / len(slab.numbers) == pytest.approx(area_per_atom)
    assert shortest(slab) == pytest.approx(3.44 * 3**0.5 / 2, abs=1e-3)


def test_a_compound_keeps_its_composition_and_its_bonds() -> None:
    slab = cut_slab(AseAtomsAdaptor.get_structure(bulk("NaCl", "rocksalt", 5.64)), (1, 1, 0), 10.0, 9.0)
    assert np.bincount(slab.numbers)[[11, 17]].tolist() == [len(slab.numbers) // 2] * 2
    assert shortest(slab) == pytest.approx(2.82, abs=1e-3)


@pytest.mark.parametrize(
    ("face", "thickness", "width", "message"),
    [
        ((0, 0, 0), 10.0, 10.0, r"no face \(000\)"),
        ((1, 1, 0), 1.0, 10.0, r"one layer of \(110\) has 2.43 A"),
        ((1, 1, 0), -5.0, 10.0, "a thickness of -5 A"),
        ((1, 1, 0), 10.0, 0.0, "a width of 0 A"),
    ],
)
def test_what_is_no_slab(face: Face, thickness: float, width: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cut_slab(LITHIUM, face, thickness, width)


def test_faces_are_written_as_usual() -> None:
    assert [face_name(face) for face in ((1, 1, 0), (1, -1, 0), (10, 1, 0))] == ["(110)", "(1-10)", "(10,1,0)"]


@settings(max_examples=30, deadline=None)
@given(
    matrix=st.tuples(*[st.integers(-3, 3)] * 4).filter(lambda m: m[0] * m[3] - m[1] * m[2] > 0),
    skew=st.floats(-0.4, 0.4),
)
def test_a_supercell_has_the_same_density_and_distances(matrix: tuple[int, ...], skew: float) -> None:
    layer = Layer(np.array([3, 8]), np.array([[0.1, 0.2, 0.0], [1.5, 1.0, 2.0]]), np.array([[4.0, 0.0], [skew * 4, 3]]))
    larger = layer.supercell(np.array(matrix).reshape(2, 2))
    determinant = matrix[0] * matrix[3] - matrix[1] * matrix[2]
    assert len(larger.numbers) == 2 * determinant
    assert larger.area_a2 == pytest.approx(determinant * layer.area_a2)
    assert shortest(larger) == pytest.approx(shortest(layer), abs=1e-6)


def glass(side: float, other: float) -> Layer:
    rng = np.random.default_rng(0)
    return upright(np.full(50, 40), rng.random((50, 3)) * [side, other, 20], np.diag([side, other, 20.0]))


def test_crystal_and_glass_share_the_strain_by_their_stiffness() -> None:
    crystal = cut_slab(COPPER, (1, 0, 0), 12.0, 1.0)
    square = 5 * 3.6 / 2**0.5
    for moduli, share in ((None, 0.5), ((100.0, 50.0), None), ((1e9, 1.0), 1.0)):
        layer = glass(1.03 * square, square / 1.02)
        match = match_layers(crystal, layer, 5.0, moduli, 0.05)
        assert match.first.plane == pytest.approx(match.second.plane)
        assert len(match.first.numbers) == 25 * len(np.unique(crystal.positions[:, 2].round(3)))
        stretches = np.array([match.first_strain, match.second_strain]) + 1
        # of the two, the glass would have to shrink along one direction and to grow along the other
        assert sorted(stretches[1] / stretches[0]) == pytest.approx([1 / 1.03, 1.02], rel=1e-6)
        if share is None:
            stiff = 100 * crystal.thickness_a, 50 * layer.thickness_a
            share = stiff[0] / sum(stiff)
        assert np.log(stretches[1]) / np.log(stretches[1] / stretches[0]) == pytest.approx(share, abs=1e-6)


def test_cross_sections_that_do_not_fit_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"fits the cross-section of the glass within 0.1%: the best differs by [\d.]+%"
    ):
        match_layers(cut_slab(COPPER, (1, 1, 1), 10.0, 1.0), glass(9.1, 9.7), 5.0, None, 0.001)
