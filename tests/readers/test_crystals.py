import gzip
import json
from pathlib import Path

import pytest
from ase.build import bulk
from tests.reference_data import reference

from tachylite.errors import InputError
from tachylite.readers.crystals import read_crystals

PUBLISHED = "mp_crystals/mp_structures_aykol_elements_binaries.jsonl.gz"
COPPER = {"id": "mp-30", "f": "Cu", "cell": [2.5, 2.5, 2.5, 60, 60, 60], "sp": ["Cu"], "x": [[0, 0, 0]]}
CUAU = {"id": "mp-522", "f": "CuAu", "cell": [2.8, 2.8, 3.6, 90, 90, 90], "sp": ["Cu", "Au"], "x": [[0] * 3, [0.5] * 3]}


def test_crystals_of_the_systems_are_read(tmp_path: Path) -> None:
    path = tmp_path / "crystals.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(entry) for entry in (COPPER, CUAU)))
    assert [crystal.source for crystal in read_crystals(path, [("Au", "Cu")])] == ["mp-30", "mp-522"]
    assert [crystal.source for crystal in read_crystals(path, [("Cu", "Zr")])] == ["mp-30"]
    assert [crystal.source for crystal in read_crystals(path, [("Al", "Au")])] == []
    (crystal,) = read_crystals(path, [("Cu", "Zr")])
    assert crystal.state.volume_a3 == pytest.approx(2.5**3 / 2**0.5)


def test_a_folder_of_structure_files_is_a_collection_too(tmp_path: Path) -> None:
    bulk("Cu", "fcc", a=3.6, cubic=True).write(tmp_path / "copper.cif")
    bulk("Al", "fcc", a=4.05, cubic=True).write(tmp_path / "aluminium.cif")
    assert [crystal.source for crystal in read_crystals(tmp_path, [("Cu", "Zr")])] == ["copper.cif"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "line 1 of"), ('{"id": "mp-1", "sp": ["Cu"]}', "it has no 'cell'"), ('{"sp": ["Cu"]}', "it has no 'id'")],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "crystals.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_crystals(path, [("Cu", "Zr")])


def test_a_collection_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_crystals(tmp_path / "none.jsonl", [("Cu", "Zr")])


@pytest.mark.reference(PUBLISHED)
def test_the_published_crystals_are_read() -> None:
    crystals = read_crystals(reference(PUBLISHED), [("Li", "Si")])
    assert len(crystals) > 50
    assert {tuple(crystal.state.elements) for crystal in crystals} == {("Li",), ("Si",), ("Li", "Si")}
