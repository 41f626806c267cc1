"""A screen: volumes and hulls from relaxed crystals, failures run again, nothing computed twice."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from ase.build import bulk

from tachylite.analysis.screen import FIELDS, composition_rows
from tachylite.cli import main
from tachylite.engines import get_engine
from tachylite.schemas.screen import CompositionRow
from tachylite.stores import open_store
from tachylite.stores.campaigns import find_campaign, find_phases, member_entries

PROTOCOL = {
    "name": "short",
    "timestep_fs": 4.0,
    "record_every": 10,
    "packing": {"n_atoms": 10, "volume_factor": 1.15},
    "steps": [
        {"kind": "hold", "name": "melt", "temperature_k": 2500, "time_ps": 0.12},
        {"kind": "relax", "name": "glass"},
    ],
}
COUNTING = """
import os
import time
from pathlib import Path
from ase.calculators.emt import EMT

TOGETHER = Path(__file__).with_name("together")

class Counting(EMT):
    def calculate(self, atoms, properties, changes):
        if len(atoms) == 10 and TOGETHER.exists():
            (TOGETHER / str(os.getpid())).touch()
            while len(list(TOGETHER.iterdir())) < 2:
                time.sleep(0.05)
        super().calculate(atoms, properties, changes)
        with Path(__file__).with_name("calls").open("ab") as calls:
            calls.write(b".")
        if Path(__file__).with_name("poison").exists() and atoms.get_chemical_formula() == "Au9Cu":
            self.results["forces"] = self.results["forces"] * float("nan")
"""
PROGRAM = (sys.executable, "-c", "import sys; from tachylite.cli import main; sys.exit(main())")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a protocol, crystals, and a calculator that counts."""
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(PROTOCOL), encoding="utf-8")
    (tmp_path / "counting.py").write_text(COUNTING, encoding="utf-8")
    crystals = tmp_path / "crystals"
    crystals.mkdir()
    bulk("Cu", "fcc", a=3.6, cubic=True).write(crystals / "Cu.cif")
    bulk("Au", "fcc", a=4.1, cubic=True).write(crystals / "Au.cif")
    for name, sites in (("CuAu", [1, 2]), ("Cu3Au", [1])):
        alloy = bulk("Cu" if name == "Cu3Au" else "Au", "fcc", a=3.8, cubic=True)
        alloy.numbers[sites] = 79 if name == "Cu3Au" else 29
        alloy.write(crystals / f"{name}.cif")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(*more: str, engine: str = "ase:emt") -> list[str]:
    common = ["--protocol", "short.yaml", "--crystals", "crystals", "--engine", engine, "--store", "store"]
    return ["screen", *more, *common]


def rows(folder: Path, engine: str = "ase:emt") -> list[CompositionRow]:
    store = open_store(folder / "store")
    phases = find_phases(store, get_engine(engine).provenance())
    entries = member_entries(store, find_campaign(store), FIELDS)
    return composition_rows([entry["output"] for entry in entries], phases)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def calls(folder: Path) -> int:
    return (folder / "calls").stat().st_size


def test_every_composition_has_energies_above_elements_and_hull(folder: Path, capsys: Any) -> None:
    assert main(words("Cu-Au", "--grid", "0.25", "--samples", "2", "--cohort", "4")) == 0
    table = rows(folder)
    assert [(row.formula, row.sample) for row in table] == [
        (formula, sample) for formula in ("Cu3Au", "CuAu", "CuAu3") for sample in (0, 1)
    ]
    by_formula = {row.formula: row for row in table if row.sample == 0}
    assert by_formula["CuAu"].stable_phases == "CuAu"
    assert by_formula["CuAu3"].stable_phases in {"CuAu + Au", "Au + CuAu"}
    for row in table:
        if row.status == "completed":
            assert row.hull_ev_per_atom is not None
            assert row.hull_ev_per_atom < 0
            assert row.above_hull_ev_per_atom is not None
            assert row.above_hull_ev_per_atom > 0
    store = open_store(folder / "store")
    (material,) = store.query({"output.formula": "Cu3Au", "output.start.sample": 0})
    packed = material["output"]["results"][0]["run"]["final"]
    crystal = next(p for p in find_phases(store, get_engine("ase:emt").provenance()) if p.source == "Cu3Au.cif")
    a3 = crystal.phase.volume_a3_per_atom * 1.15 * len(packed["numbers"])
    assert abs(packed["cell"][0][0] ** 3 / a3 - 1) < 1e-6, "15 % above the stable crystal"
    assert main(["status", "newest", "--store", "store"]) == 0
    assert "completed" in capsys.readouterr().out


def test_what_is_stored_is_not_computed_again_and_a_larger_screen_adds(folder: Path) -> None:
    engine = f"ase:{folder}/counting.py:Counting"
    assert main(words("Cu-Au", "--grid", "0.5", engine=engine)) == 0
    first = calls(folder)
    assert main(words("Cu-Au", "--grid", "0.5", engine=engine)) == 0
    assert calls(folder) == first
    assert main(words("Cu-Au", "--grid", "0.25", engine=engine)) == 0
    assert first < calls(folder) < 3.5 * first, "two more compositions, no crystal again"


@pytest.mark.slow
def test_two_processes_share_the_cohorts_and_compute_nothing_twice(folder: Path) -> None:
    engine = f"ase:{folder}/counting.py:Counting"
    one = words("Cu-Au", "--grid", "0.2", "--cohort", "1", engine=engine)
    assert main([*one, "--store", "alone"]) == 0
    alone = calls(folder)
    # the first glasses wait for each other, so that both processes have one
    (folder / "together").mkdir()
    subprocess.run([*PROGRAM, *one, "--processes", "2"], check=True, timeout=600)
    assert calls(folder) == 2 * alone
    assert len(rows(folder, engine)) == 4
    (log,) = (folder / "store" / "work").glob("tachylite-*.log")
    assert "cohort" in log.read_text(encoding="utf-8"), "the second one took part"


def test_a_poisoned_member_leaves_the_others_alone(folder: Path) -> None:
    engine = f"ase:{folder}/counting.py:Counting"
    (folder / "poison").touch()
    (folder / "list.csv").write_text("formula\nAuCu\nAu9Cu\nAuCu4\n", encoding="utf-8")
    assert main(words("--list", "list.csv", engine=engine)) == 0
    by_formula = {row.formula: row for row in rows(folder, engine)}
    assert by_formula["CuAu9"].status == "failed"
    assert "not finite" in str(by_formula["CuAu9"].reason)
    assert all(
        by_formula[formula].status != "failed" or "crystallised" in str(by_formula[formula].reason)
        for formula in ("CuAu", "Cu4Au")
    )
    before = calls(folder)
    assert main(words("--list", "list.csv", engine=engine)) == 0
    assert calls(folder) == before, "it was run again once, with a repulsion, and not a third time"


DOUBLED = """
from ase.calculators.emt import EMT

class Doubled(EMT):
    def calculate(self, atoms, properties, changes):
        super().calculate(atoms, properties, changes)
        for name in ("energy", "free_energy", "forces", "stress"):
            self.results[name] = 2 * self.results[name]
"""


def test_a_second_engine_whose_energies_are_twice_those_of_the_first(folder: Path) -> None:
    """So the line between them has the slope 2, and corrected by it nothing is left."""
    (folder / "doubled.py").write_text(DOUBLED, encoding="utf-8")
    second = ("--check", f"ase:{folder}/doubled.py:Doubled", "--check-at-most", "6", "--check-relax")
    assert main([*words("Ag-Cu", "Cu-Pd", "Al-Ni", "--grid", "0.25"), *second, "--report", "page"]) == 0
    with (folder / "page" / "table.csv").open(encoding="utf-8") as file:
        table = [row for row in csv.DictReader(file) if row["check_formation_energy_ev_per_atom"]]
    assert len({row["system"] for row in table}) == 3, "all systems have their turn"
    for row in table:
        energy = float(row["formation_energy_ev_per_atom"])
        assert float(row["check_formation_energy_ev_per_atom"]) == pytest.approx(2 * energy, abs=2e-4)
        assert float(row["check_relaxed_formation_energy_ev_per_atom"]) <= 2 * energy + 2e-4
    page = (folder / "page" / "index.html").read_text(encoding="utf-8")
    assert "corrected" in page


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_and_computes_nothing_twice(folder: Path) -> None:
    engine = f"ase:{folder}/counting.py:Counting"
    formulas = [f"{a}{b}" for a, b in combinations(("Ag", "Al", "Au", "Cu"), 2)]
    (folder / "list.csv").write_text("\n".join(formulas), encoding="utf-8")
    options = ("--list", "list.csv", "--cohort", "2", "--atoms", "4", "--option", "checkpoint_every=10")
    command = [*PROGRAM, *words(*options, engine=engine)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    assert any(line.startswith("cohort 1 of") for line in process.stderr)
    # the second cohort is under way
    wait_for(lambda: list((folder / "store" / "work").glob("*/*/run-*/checkpoint.pt")))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert main(words(*options, engine=engine)) == 0
    total = calls(folder)
    (folder / "store").rename(folder / "disturbed")
    (folder / "calls").unlink()
    assert main(words(*options, engine=engine)) == 0
    undisturbed = calls(folder)
    # at most the ten steps of two members since the last checkpoint, and a step to go on from
    assert undisturbed <= total <= undisturbed + 2 * 11
    store = open_store(folder / "store")
    assert len(store.distinct("output.formula", {"output.kind": "material"})) == 6


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("Cu-Xx",), "'Xx' is no element"),
        (("Cu-Au", "--grid", "0.3"), "does not divide 1"),
        (("Cu",), "has one element"),
        (("Cu-U",), "does not know U"),
        ((), "there is nothing to screen"),
        (("Cu-Au", "--check", "espresso", "--check-option", "command=/no/pw.x"), "/no/pw.x"),
        (("--list", "none.csv"), "cannot be read"),
        (("--metals", "Cu,Si"), "Si is none of"),
    ],
)
def test_bad_input_is_one_line(folder: Path, capsys: Any, given: tuple[str, ...], said: str) -> None:
    assert main(words(*given)) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert said in captured.err


def test_a_dry_run_says_what_it_takes(folder: Path, capsys: Any) -> None:
    assert main([*words("Cu-Au"), "--dry-run", "--json"]) == 0
    cost = json.loads(capsys.readouterr().out)
    assert (cost["members"], cost["atoms"], cost["candidates"]) == (9, 90, 6)
    assert cost["steps_per_member"] == 30 + 200
    assert cost["hours"] > 0
    assert not (folder / "store").exists()
