"""`tachylite describe`: one row for each file, in the columns of the published table."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ase import Atoms
from ase.io import write
from tests.descriptors.crystals import antifluorite, melt, rock_salt

from tachylite.cli import main
from tachylite.descriptors.registry import DESCRIPTORS

Result = tuple[int, str, str]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    def call(*words: str) -> Result:
        code = main(["describe", *words])
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.mark.parametrize("name", ["POSCAR", "salt.cif", "salt.extxyz", "salt.vasp", "salt.traj"])
def test_every_format_gives_the_same_row(command: Callable[..., Result], tmp_path: Path, name: str) -> None:
    write(tmp_path / name, rock_salt())
    code, out, err = command(str(tmp_path / name), "--species", "Li", "--json")
    (row,) = json.loads(out)
    assert (code, err) == (0, "")
    assert [key for key in row if key in DESCRIPTORS] == list(DESCRIPTORS)
    assert (row["formula"], row["n_atoms"], row["n_frames"], row["anion"]) == ("LiCl", 8, 1, "Cl")
    assert row["LNC"] == 18
    assert row["LLSD"] == pytest.approx(5.13 / 2**0.5, abs=1e-4)
    assert row["errors"]["LNC"] is None
    assert row["errors"]["avg_m_with_Li"] == 0


def test_frames_of_a_trajectory_are_averaged_and_files_follow_each_other(
    command: Callable[..., Result], tmp_path: Path
) -> None:
    # frames that have nothing to do with each other, which no atom could have walked between
    write(tmp_path / "melt.extxyz", [melt(seed) for seed in range(6)])
    write(tmp_path / "oxide.cif", antifluorite())
    code, out, _ = command(str(tmp_path / "melt.extxyz"), str(tmp_path / "oxide.cif"), "--json")
    first, second = json.loads(out)
    assert code == 0
    assert first["n_frames"] == 6
    assert first["errors"]["LNC"] > 0
    assert first["errors"]["ENS"] == 0
    assert second["formula"] == "Li2O"


def test_the_table_names_the_mobile_species(command: Callable[..., Result], tmp_path: Path) -> None:
    sodium = rock_salt()
    sodium.symbols[sodium.symbols == "Li"] = "Na"
    write(tmp_path / "POSCAR", sodium)
    code, out, _ = command(str(tmp_path / "POSCAR"), "--species", "Na")
    assert code == 0
    assert "NaCl, Na mobile, Cl the anion" in out
    assert "Distance from a Na atom to the nearest anion" in out
    assert "A^3" in out


def test_anion_and_convention_can_be_chosen(command: Callable[..., Result], tmp_path: Path) -> None:
    write(tmp_path / "POSCAR", melt(1))
    anions = [
        json.loads(command(str(tmp_path / "POSCAR"), "--json", *words)[1])[0]["anion"]
        for words in ([], ["--anion", "P"], ["--convention", "zheng2024"])
    ]
    assert anions == ["S", "P", "S"]


@pytest.mark.parametrize(
    ("atoms", "words", "message"),
    [
        (rock_salt(), ["--species", "Na"], "there is no Na; the elements are Cl, Li"),
        (rock_salt(), ["--species", "Xy"], "there is no Xy"),
        (rock_salt(), ["--anion", "O"], "the anion cannot be O"),
        (rock_salt(), ["--convention", "other"], "is not one of 'exact', 'zheng2024'"),
        (Atoms("Li", cell=[3, 3, 3], pbc=True), [], "all atoms are Li"),
        (Atoms("LiXe", positions=[(0, 0, 0), (2, 0, 0)], cell=[4, 4, 4]), [], "no bulk modulus of Xe"),
    ],
)
def test_bad_input_is_one_line(
    command: Callable[..., Result], tmp_path: Path, atoms: Atoms, words: list[str], message: str
) -> None:
    write(tmp_path / "start.extxyz", atoms)
    code, out, err = command(str(tmp_path / "start.extxyz"), *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content"), [("POSCAR", "no structure"), ("a.cif", "data_"), ("a.xyz", "3\n\nLi 0 0")]
)
def test_files_that_cannot_be_read(command: Callable[..., Result], tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    for path in (tmp_path / name, tmp_path / "absent.cif"):
        code, out, err = command(str(path))
        assert (code, out) == (2, "")
        assert str(path) in err
        assert err.count("\n") == 1


def test_a_molecule_without_a_cell(command: Callable[..., Result], tmp_path: Path) -> None:
    write(tmp_path / "molecule.xyz", Atoms("LiF", positions=[(0, 0, 0), (0, 0, 1.6)]), plain=True)
    code, _, err = command(str(tmp_path / "molecule.xyz"))
    assert code == 2
    assert "without a periodic cell" in err


def test_sites_shared_by_two_elements_are_refused(command: Callable[..., Result], tmp_path: Path) -> None:
    write(tmp_path / "shared.cif", rock_salt())
    lines = (tmp_path / "shared.cif").read_text().splitlines()
    shared = [line.replace(" 1.0000", " 0.5000") if line.split()[:1] == ["Li"] else line for line in lines]
    assert shared != lines
    (tmp_path / "shared.cif").write_text("\n".join(shared) + "\n")
    code, _, err = command(str(tmp_path / "shared.cif"))
    assert code == 2
    assert "partly" in err
