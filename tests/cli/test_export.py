import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.stores.store_samples import make_hold, make_material, make_run, make_trajectory, put

from tachylite.cli import main
from tachylite.schemas import Measured
from tachylite.stores import find_materials, load_trajectory, open_store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store of two materials, each with a melt; the trajectory of one is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TACHYLITE_STORE", raising=False)
    trajectory = make_trajectory()
    run = make_run(trajectory)
    store = open_store("store")
    melt = make_hold(run=run, n_atoms=2, density_g_cm3=Measured(value=2.0, error=0.1))
    other = make_hold(run=make_run(), n_atoms=2)
    put(store, make_material("Li2O2", results=[melt]), make_material("NaCl", results=[other], elements=["Cl", "Na"]))
    put(store, {"runs": [run], "trajectories": [trajectory]})
    store.close()
    return tmp_path


def export(*words: str) -> int:
    return main(["export", "--store", "store", *words])


def test_an_archive_and_the_store_it_came_from(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("--archive", "deposit.zip", "--author", "Curie, Marie", "--title", "Melts") == 0
    assert capsys.readouterr().out == "archive: deposit.zip (3 documents, 1 data files)\n"
    assert main(["import", "deposit.zip", "--store", "copy"]) == 0
    assert capsys.readouterr().out == "imported 3 documents and 1 trajectories or other data\n"
    assert find_materials(open_store("copy")) == find_materials(open_store("store"))
    assert main(["import", "deposit.zip", "--store", "copy"]) == 0
    assert "3 documents and 1 data were there already" in capsys.readouterr().out


def test_a_damaged_archive_is_one_line_and_makes_no_store(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export("--archive", "deposit.zip")
    content = Path("deposit.zip").read_bytes()
    Path("deposit.zip").write_bytes(content[: len(content) // 2])
    capsys.readouterr()
    assert main(["import", "deposit.zip", "--store", "copy"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not Path("copy").exists()


def test_optimade_with_a_filter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("--optimade", "public", "--where", "melt.density_g_cm3.value>1") == 0
    assert capsys.readouterr().out == "optimade: public (1 structures, 1 trajectories)\n"
    *_, entry = read(Path("public/optimade.jsonl").read_bytes())
    assert entry["attributes"]["_tachylite_density_g_cm3"] == 2.0
    *_, frames = read(gzip.decompress(Path("public/trajectories.jsonl.gz").read_bytes()))
    assert [frames["id"]] == entry["attributes"]["_tachylite_trajectory_ids"]
    assert sorted(path.name for path in Path("public").iterdir()) == [
        *("optimade.jsonl", "optimade.yaml", "trajectories.jsonl.gz")
    ]


def test_contributions_with_a_filter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("--mpcontribs", "public", "--where", "melt.density_g_cm3.value>1") == 0
    assert capsys.readouterr().out == "mpcontribs: public (1 contributions)\n"
    (contribution,) = json.loads(Path("public/contributions.json").read_text())
    assert contribution["identifier"] == "Li2O2"
    assert contribution["data"]["melt"] == {"density": "2+/-0.1 g/cm^3"}
    assert json.loads(Path("public/columns.json").read_text())["melt.density"] == "g/cm^3"


def read(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "say what to write: --optimade DIR, --mpcontribs DIR, --archive FILE.zip or --potential FILE"),
        (["--archive", "x.tar"], "archive x.tar must be named *.zip"),
        (["--archive", "nowhere/x.zip"], "cannot write archive nowhere/x.zip"),
        (
            ["--archive", "x.zip", "--formula", "NaCl"],
            "archives and potentials take no filter but --campaign, not formula",
        ),
        (["--potential", "x.txt"], "holds no potential that was learned while exploring"),
        (["--archive", "x.zip", "--campaign", "y"], "there are no documents of campaign y"),
        (["--optimade", "x", "--status", "good"], "--status good is not one of completed, partial, failed"),
        (["--optimade", "store/documents/outputs.sqlite"], "cannot write into"),
    ],
)
def test_mistakes_are_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    assert export(*words) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1


def test_runs_of_an_engine_come_back_bit_for_bit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text(
        "name: p\ntimestep_fs: 2\nrecord_every: 5\npacking: {n_atoms: 8, volume_factor: 1.3}\n"
        "steps:\n  - {kind: hold, name: hot, temperature_k: [1500, 1800], time_ps: 0.2}\n"
    )
    assert main(["run", "Cu", "Al", "--protocol", "p.yaml", "--engine", "ase:emt", "--store", "runs"]) in (0, 1)
    assert main(["export", "--store", "runs", "--archive", "runs.zip"]) == 0
    assert main(["import", "runs.zip", "--store", "copy"]) == 0
    assert main(["export", "--store", "copy", "--archive", "again.zip"]) == 0
    assert Path("again.zip").read_bytes() == Path("runs.zip").read_bytes()
    runs, copy = open_store("runs"), open_store("copy")
    assert find_materials(copy) == find_materials(runs)
    ids = [name for material in find_materials(runs) for result in material.results for name in result.trajectory_ids]
    assert len(ids) == 4
    assert all(load_trajectory(copy, name) == load_trajectory(runs, name) for name in ids)
