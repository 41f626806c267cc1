import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from tests.report.report_pieces import N_ATOMS, N_UNITS, phosphate

from tachylite.report.drawing.raster import draw_structure, render
from tachylite.report.drawing.scene import scene
from tachylite.schemas import State


def test_phosphate_is_four_bonds_to_oxygen() -> None:
    view = scene(phosphate(15.0))
    assert view.symbols == ("Li", "O", "P")
    assert view.counts == (3 * N_UNITS, 4 * N_UNITS, N_UNITS)
    assert view.colours == ("#cc80ff", "#ff0d0d", "#ff8000")
    phosphorus = view.kinds[view.bonded] == 2
    lengths = 2 * np.linalg.norm(view.half_bonds, axis=1)
    short = phosphorus & (lengths < 1.6)
    assert short.sum() == 4 * N_UNITS
    assert lengths[short] == pytest.approx(1.55)
    # every bond is there from both of its ends
    assert np.allclose(np.sort(view.half_bonds[:, 0]), np.sort(-view.half_bonds[:, 0]))


def test_metals_are_not_bonded_to_each_other() -> None:
    assert len(scene(State.from_atoms(bulk("Cu", cubic=True))).bonded) == 0
    assert len(scene(State.from_atoms(bulk("Si", cubic=True))).bonded) == 8 * 4


def test_atoms_lie_within_the_edges_of_the_cell() -> None:
    view = scene(phosphate(15.0))
    half = (15.0 * N_ATOMS) ** (1 / 3) / 2
    assert np.abs(view.positions).max() <= half + 1e-9
    assert view.edges.shape == (12, 2, 3)
    assert np.abs(view.edges) == pytest.approx(half)
    ends = {tuple(np.round(end, 6)) for end in view.edges.reshape(-1, 3)}
    assert len(ends) == 8


def test_the_nearer_ball_hides_the_farther() -> None:
    # the eye looks along (-0.42, 0.29, 0.86): neon stands in front of argon
    eye = np.array([0.4192, 0.2924, 0.8595])
    eye /= np.linalg.norm(eye)
    colours = []
    for sign in (1, -1):
        atoms = Atoms("NeAr", positions=[10 + 3 * sign * eye, 10 - 3 * sign * eye], cell=[20, 20, 20], pbc=True)
        image = render(scene(State.from_atoms(atoms)), pixels=200)
        colours.append(image[image.shape[0] // 2, image.shape[1] // 2])
    assert not np.allclose(colours[0], colours[1], atol=0.05)


def test_the_picture_shows_every_element() -> None:
    image = render(scene(phosphate(15.0)), pixels=300)
    assert max(image.shape[:2]) in (300, 301)
    assert 0 <= image.min() <= image.max() <= 1
    red, green, blue = (image[..., k] for k in range(3))
    assert ((red > green + 0.4) & (np.abs(green - blue) < 0.12)).mean() > 0.01
    assert ((blue > green + 0.2) & (red > green + 0.1)).mean() > 0.03
    assert (image > 0.99).all(axis=-1).mean() > 0.2
    texts = {text.get_text() for text in draw_structure(phosphate(15.0)).legends[0].get_texts()}
    assert texts == {"Li (39)", "O (52)", "P (13)"}
