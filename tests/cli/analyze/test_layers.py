"""`tachylite analyze layers` on files: numbers by layer, figures, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111, molecule
from ase.io import write

from tachylite.cli import main


@pytest.fixture
def trajectory(tmp_path: Path) -> Path:
    """A slab of copper that vibrates, with carbon dioxide above it that flies as a whole."""
    slab = fcc111("Cu", (3, 3, 4), a=3.6, vacuum=None)
    slab.set_cell([*slab.cell.array[:2], [0, 0, 24.0]])
    gas = molecule("CO2")
    gas.positions += [3.0, 3.0, 15.0]
    system: Atoms = slab + gas
    system.pbc = True
    system.info.clear()
    rng = np.random.default_rng(0)
    frames = []
    for i in range(40):
        frame = system.copy()
        frame.positions += rng.normal(scale=0.05, size=frame.positions.shape)
        frame.positions[-3:, 0] += 0.2 * i
        frames.append(frame)
    path = tmp_path / "slab.extxyz"
    write(path, frames)
    return path


def test_layers_of_a_file(trajectory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["analyze", "layers", str(trajectory), "--layers", "4"]
    assert main([*words, "--json"]) == 0
    analysis = json.loads(capsys.readouterr().out)
    copper = next(element for element in analysis["elements"] if element["species"] == "Cu")
    assert (copper["in_plane"], analysis["length_ps"]) == ([], None)
    volume = analysis["area_a2"] * analysis["thickness_a"]
    assert sum(d["value"] for d in copper["density_per_a3"]) * volume == pytest.approx(36)
    assert copper["density_per_a3"][2]["value"] == 0
    (group,) = analysis["groups"]
    assert group["formula"] == "CO2"
    assert np.sum(group["number"], axis=0) == pytest.approx(1)
    assert np.sum(group["number"], axis=1)[2] == pytest.approx(5)
    assert main([*words, "--timestep", "10", "--figures", f"{tmp_path}/figures"]) == 0
    assert "Cu in layers of 6.0 Å" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "figures").glob("*.png")} == {"layers.png", "layer_bonds.png"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--layers", "20"), "20 layers along c are 1.20 A thick each"),
        (("--layers", "0"), "0 layers; there must be one at least"),
        (("--layers", "4", "--normal", "z"), "--normal 'z' is no lattice vector; it is a, b or c"),
        (("--layers", "4", "--cutoff", "Li-O=2"), "Li-O is no pair of elements"),
    ],
)
def test_what_is_refused(
    trajectory: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert main(["analyze", "layers", str(trajectory), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
