"""A property over composition, of a store that a real run has filled."""

import json
from pathlib import Path

import pytest

from tachylite.cli import main
from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.stores import open_store

PROTOCOL = """name: hot
timestep_fs: 2
record_every: 5
packing: {n_atoms: 12, volume_factor: 1.2}
steps:
  - {kind: hold, name: hot, temperature_k: 2000, time_ps: 0.1}
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copper, gold and two of their alloys."""
    folder = tmp_path_factory.mktemp("alloys")
    (folder / "hot.yaml").write_text(PROTOCOL)
    opened = open_store(folder / "store")
    protocol = load_protocol(str(folder / "hot.yaml"))
    run_amorphous(
        ["Cu", "Cu3Au", "Cu2Ag2Au2"], protocol=protocol, engine=get_engine("ase:emt"), store=opened, workdir=folder
    )
    opened.close()
    return folder / "store"


def test_a_map_of_the_density(store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--column", "hot_density_g_cm3", "--store", str(store)]
    assert main(["analyze", "composition", "Cu-Au", *words, "--json"]) == 0
    copper, alloy = json.loads(capfd.readouterr().out)["values"]
    assert copper["fractions"] == {"Cu": 1.0, "Au": 0.0}
    assert alloy["fractions"] == {"Cu": 0.75, "Au": 0.25}
    assert copper["value"] < alloy["value"], "gold is the denser metal"
    assert main(["analyze", "composition", "Cu-Au-Ag", *words, "--figures", str(tmp_path)]) == 0
    assert "0.333 │ 0.333 │ 0.333" in capfd.readouterr().out
    assert (tmp_path / "composition.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Cu"], "'Cu' is not two or three elements"),
        (["Cu-Xx"], "Xx"),
        (["Ni-Al"], "no completed material of Ni-Al has a number hot_density_g_cm3"),
        (["Cu-Au", "--column", "tg"], "columns are hot_"),
    ],
)
def test_bad_input_is_one_line(store: Path, words: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    column = [] if "--column" in words else ["--column", "hot_density_g_cm3"]
    assert main(["analyze", "composition", *words, *column, "--store", str(store)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert err.strip().count("\n") == 0
