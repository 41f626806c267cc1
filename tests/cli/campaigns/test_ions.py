"""From the command line: ions into gold, their voltages, the page, and what is wrong in a protocol in one line."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ase.build import bulk

from tachylite.cli import main

CHARGE = {"kind": "insert", "name": "charge", "element": "Cu", "charge": 1, "final_ions": 1}
DISCHARGE = {"kind": "remove", "name": "discharge", "element": "Cu", "charge": 1}


COUNTING = """
from pathlib import Path
from ase.calculators.emt import EMT

class Counting(EMT):
    def calculate(self, *given, **options):
        super().calculate(*given, **options)
        with Path(__file__).with_name("calls").open("ab") as calls:
            calls.write(b".")
"""


def words(folder: Path, *steps: dict[str, Any], engine: str = "ase:EMT") -> list[str]:
    """Of the command that takes gold through the steps."""
    bulk("Au", cubic=True).write(folder / "au.cif")
    protocol = {"name": "ions", "packing": {"n_atoms": 4}, "steps": list(steps)}
    (folder / "ions.yaml").write_text(yaml.safe_dump(protocol))
    given = ["run", "--structure", f"{folder / 'au.cif'}", "--protocol", f"{folder / 'ions.yaml'}", "--engine", engine]
    return [*given, "--store", f"{folder / 'store'}"]


def run(folder: Path, *steps: dict[str, Any], engine: str = "ase:EMT") -> int:
    """Its exit code."""
    return main([*words(folder, *steps, engine=engine), "--report", f"{folder / 'report'}"])


def test_a_cycle_has_voltages_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, CHARGE, DISCHARGE) == 0
    assert "mean voltage (V)" in capsys.readouterr().out
    assert main(["analyze", "voltage", "--store", f"{tmp_path / 'store'}", "--json"]) == 0
    ensembles = json.loads(capsys.readouterr().out)
    assert [(ensemble["step"], ensemble["host"]) for ensemble in ensembles] == [("charge", "Au"), ("discharge", "Au")]
    (step,) = ensembles[0]["steps"]
    assert (step["content_low"], step["content_high"]) == (0, 0.25)
    assert step["voltage_v"]["error"] is None, "of one cell nothing is known of it"
    assert main(["analyze", "voltage", "--store", f"{tmp_path / 'store'}", "--element", "Cu"]) == 0
    assert "Cu in Au" in capsys.readouterr().out
    assert main(["analyze", "voltage", "--store", f"{tmp_path / 'store'}", "--element", "Li"]) == 0
    assert "no completed step of the store has put ions in or out" in capsys.readouterr().out
    (page,) = (tmp_path / "report").glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "Cuₓ" in text
    assert "bonds of the first host kept" in text


def kill_at(stage: str, command: list[str]) -> None:
    """Run until a line of the progress begins with the name of a stage, and end it by SIGKILL."""
    program = [sys.executable, "-c", "import sys; from tachylite.cli import main; sys.exit(main())", *command]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    assert any(line.startswith(stage) for line in process.stderr), "it ended before"
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_killed_in_charge_and_in_discharge_it_goes_on_to_the_same_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what was computed before is not computed again, but for the steps since the last checkpoint."""
    (tmp_path / "counting.py").write_text(COUNTING)
    hold = {"hold_ps": 0.2, "temperature_k": 300}
    steps = (CHARGE | hold | {"final_ions": 2}, DISCHARGE | hold)
    engine = f"ase:{tmp_path}/counting.py:Counting"
    command = [*words(tmp_path, *steps, engine=engine), "--option", "checkpoint_every=20"]
    calls = tmp_path / "calls"
    kill_at("charge: hold of stage 2", command)
    kill_at("discharge: hold of stage 1", command)
    assert main([*command, "--json"]) == 0
    disturbed, total = json.loads(capsys.readouterr().out), calls.stat().st_size
    (tmp_path / "store").rename(tmp_path / "disturbed")
    calls.unlink()
    assert main([*command, "--json"]) == 0
    undisturbed = json.loads(capsys.readouterr().out)
    assert [material["results"] for material in disturbed] == [material["results"] for material in undisturbed]
    assert calls.stat().st_size <= total <= calls.stat().st_size + 2 * 25


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"rule": "biggest"}, "step 1 (charge): rule = 'biggest' must be 'largest-void', 'lowest-energy', 'random' or"),
        ({"ions_per_stage": -1}, "step 1 (charge): ions_per_stage = -1 must be greater than 0"),
        ({"final_content": -0.5}, "step 1 (charge): final_content = -0.5 must be greater than or equal to 0"),
        ({"smallest_void_a": -1}, "step 1 (charge): smallest_void_a = -1 must be greater than 0"),
        ({"element": "Fr"}, "step 1 (charge): element = 'Fr' no reference crystal of 'Fr'"),
        ({"element": "Xx"}, "step 1 (charge): element = 'Xx' no reference crystal of 'Xx'"),
        ({"element": "Li"}, "EMT"),
        (
            {"final_content": 1},
            "step 1 (charge): final_ions and final_content both say where it ends; give one of them",
        ),
        ({"candidates": 3}, "candidates = 3 is for the rule lowest-energy, and rule = largest-void"),
        ({"host": "C6H"}, ""),
    ],
)
def test_a_mistake_is_one_line(
    changes: dict[str, Any], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(tmp_path, CHARGE | changes)
    said = capsys.readouterr().err.strip().splitlines()
    assert code == (2 if complaint else 1)
    assert complaint in said[-1]
