"""From a crystal, from one with atoms replaced and from a formula, together, to materials and their page."""

from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from tachylite.cli import main
from tachylite.report.text import LOST_CRYSTAL
from tachylite.schemas.start import PackedStart, StructureStart, SubstitutedStart
from tachylite.stores import find_materials, open_store
from tachylite.stores.tables import find_rows

CONDUCT = """
timestep_fs: 4.0
packing: {n_atoms: 100}
steps:
  - {kind: hold, name: warm, temperature_k: [200, 400], time_ps: 0.4}
"""


@pytest.mark.slow
def test_every_start_leads_to_a_material(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "cu.cif", bulk("Cu", "fcc", 3.6))
    (tmp_path / "conduct.yaml").write_text(CONDUCT, encoding="utf-8")
    crystal = ("--structure", f"{tmp_path}/cu.cif")
    common = ("--protocol", f"{tmp_path}/conduct.yaml", "--engine", "ase:emt", "--store", f"{tmp_path}/store")
    assert main(["run", *crystal, *common, "--report", f"{tmp_path}/report"]) == 0
    assert "begins as cu.cif" in capsys.readouterr().out
    assert "cu.cif" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert main(["run", "CuAu", "--atoms", "8", *crystal, "--substitute", "Cu=Au:0.25", *common]) == 0
    materials = find_materials(open_store(tmp_path / "store"))
    by_kind = {type(material.start): material for material in materials}
    assert {kind: material.formula for kind, material in by_kind.items()} == {
        StructureStart: "Cu",
        SubstitutedStart: "Cu3Au",
        PackedStart: "CuAu",
    }
    assert by_kind[StructureStart].n_atoms == 108
    assert by_kind[SubstitutedStart].n_atoms == 8
    assert {material.status for material in materials} == {"completed"}
    rows = find_rows(open_store(tmp_path / "store"))
    assert {(row["formula"], row["start"], row["source"]) for row in rows} == {
        ("Cu", "structure", "cu.cif"),
        ("Cu3Au", "substituted", "cu.cif"),
        ("CuAu", "packed", None),
    }


def test_a_crystal_that_melts_is_said_and_one_that_does_not_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copper far below its melting point, and far above it."""
    write(tmp_path / "cu.cif", bulk("Cu", "fcc", 3.7, cubic=True))
    melting = CONDUCT.replace("[200, 400], time_ps: 0.4", "[300, 5000], time_ps: 2").replace("100", "32")
    (tmp_path / "melting.yaml").write_text(melting, encoding="utf-8")
    words = ("run", "--structure", f"{tmp_path}/cu.cif", "--protocol", f"{tmp_path}/melting.yaml")
    place = ("--engine", "ase:emt", "--store", f"{tmp_path}/store", "--report", f"{tmp_path}/report")
    assert main([*words, *place]) == 0
    said = f"no crystal any more: warm, 5000 K: {LOST_CRYSTAL}"
    assert said in capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert LOST_CRYSTAL in page
    assert page.count("No crystal any more") == 1
