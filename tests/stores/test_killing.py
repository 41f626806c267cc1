"""Short form of `python -m tests.stores.killing 300 10`."""

import json
import subprocess
import sys

import pytest

DRIVER = """
import json, sys
from pathlib import Path
from tests.stores.killing import run
print(json.dumps(run(Path(sys.argv[1]), seconds=6, processes=3, size=1000)))
"""


@pytest.mark.slow
def test_nothing_is_lost_or_half_written_when_processes_are_killed(tmp_path: object) -> None:
    # a process of its own, since it forks
    done = subprocess.run([sys.executable, "-c", DRIVER, str(tmp_path)], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report.pop("kills") > 5
    assert report.pop("taken") > 20
    assert set(report.values()) == {0}, report
