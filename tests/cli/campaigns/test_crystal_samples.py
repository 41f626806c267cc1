"""A crystal whose composition is melted: `tachylite run --structure FILE` by a protocol with `crystal_samples`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from tachylite.cli import main
from tachylite.schemas import Material

Result = tuple[int, str, str]

PROTOCOL = """\
name: short
timestep_fs: 2
packing: {n_atoms: 32, volume_factor: 1.3}
crystal_samples: 2
steps:
  - {kind: hold, name: melt, temperature_k: 4000, time_ps: 0.2}
  - {kind: relax, name: glass}
"""


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Result]:
    (tmp_path / "short.yaml").write_text(PROTOCOL)
    write(tmp_path / "copper.cif", bulk("Cu", "fcc", a=3.6, cubic=True))
    write(tmp_path / "hcp.cif", bulk("Cu", "hcp", a=2.55, c=4.2))

    def call(*words: str) -> Result:
        common = ["--protocol", "short.yaml", "--engine", "ase:emt", "--store", str(tmp_path / "store")]
        code = main(["run", *words, *common])
        return (code, *capfd.readouterr())

    return call


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_its_composition_is_melted_in_independent_samples(run: Callable[..., Result]) -> None:
    code, out, err = run("--structure", "copper.cif")
    assert code in (0, 1), err  # copper quenched so fast may be a glass or a crystal
    assert "amorphization enthalpy of Cu" in out
    code, out, err = run("--structure", "copper.cif", "--json")
    materials = json.loads(out)
    assert "Cu is in the store already" in err
    assert [material["start"]["sample"] for material in materials] == [0, 1]
    melts = [Material.model_validate(material).results[0].final for material in materials]
    for melt in melts:
        assert melt is not None
        # the volume factor times the volume of the crystal
        assert melt.volume_a3 / len(melt.numbers) == pytest.approx(1.3 * 3.6**3 / 4, rel=1e-6)
    assert melts[0] != melts[1]


def test_two_crystals_of_a_composition_are_refused(run: Callable[..., Result]) -> None:
    code, out, err = run("--structure", "copper.cif", "--structure", "hcp.cif")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "hcp.cif is Cu, as another structure is; give one crystal of a composition" in err


def test_substitution_is_refused(run: Callable[..., Result]) -> None:
    code, _, err = run("--structure", "copper.cif", "--substitute", "Cu=Ag:0.5")
    assert code == 2
    assert "protocol short packs the composition of a structure; leave --substitute out" in err
