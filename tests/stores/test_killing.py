"""Short form of `python tests/stores/killing.py 300 10`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killing.py")


@pytest.mark.slow
def test_nothing_is_lost_or_half_written_when_processes_are_killed() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "6", "3"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report.pop("kills") > 5
    assert report.pop("taken") > 5
    assert set(report.values()) == {0}, report
