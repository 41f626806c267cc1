"""From the command line: ions into gold, their voltages, the page, and what is wrong in a protocol in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ase.build import bulk

from tachylite.cli import main

CHARGE = {"kind": "insert", "name": "charge", "element": "Cu", "charge": 1, "final_ions": 1}
DISCHARGE = {"kind": "remove", "name": "discharge", "element": "Cu", "charge": 1}


def run(folder: Path, *steps: dict[str, Any], engine: str = "ase:EMT") -> int:
    """Its exit code."""
    bulk("Au", cubic=True).write(folder / "au.cif")
    protocol = {"name": "ions", "packing": {"n_atoms": 4}, "steps": list(steps)}
    (folder / "ions.yaml").write_text(yaml.safe_dump(protocol))
    words = ["run", "--structure", f"{folder / 'au.cif'}", "--protocol", f"{folder / 'ions.yaml'}", "--engine", engine]
    return main([*words, "--store", f"{folder / 'store'}", "--report", f"{folder / 'report'}"])


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
