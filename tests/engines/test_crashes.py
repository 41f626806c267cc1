"""Signals, kill -9 and full disks: real ones. What was done is kept, and goes on to the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("crash_driver.py")
IN_A_SMALL_DISK = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$2" "$3" starvation "$4" "$1"'

pytestmark = pytest.mark.slow


def drive(*command: str) -> dict[str, Any]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("SLURM_JOB_END_TIME", None)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize(("name", "asked_at"), [("run", 320), ("relax", 7)])
def test_who_is_asked_to_stop_saves_and_stops_and_goes_on(tmp_path: Path, name: str, asked_at: int) -> None:
    report = drive(sys.executable, str(DRIVER), "interruptions", name, str(tmp_path))
    alone = report.pop("alone")
    for case, attempts in report.items():
        assert attempts["then"]["answer"] == alone["answer"], case

    terminated = report["SIGTERM"]
    assert terminated["first"]["status"] == -15, "whoever started it sees that SIGTERM ended it"
    assert asked_at < terminated["then"]["steps"][0] <= asked_at + 20
    for case, raised in (("SIGINT", "KeyboardInterrupt"), ("walltime", "OutOfTimeError: the walltime is used up at")):
        assert report[case]["first"]["raised"].startswith(raised)
        assert asked_at < report[case]["then"]["steps"][0] <= asked_at + 20, "no step is done twice"
    assert report["twice"]["first"]["raised"].startswith("KeyboardInterrupt")
    assert report["twice"]["then"]["steps"][0] <= asked_at, "the second one does not wait for a checkpoint"
    assert "at step 0 of" in report["slurm"]["first"]["raised"]
    assert report["heeded"]["seen"]
    for case in ("heeded", "ignored"):
        assert report[case]["first"]["answer"] == alone["answer"], "there was nobody whom the signal would end"


@pytest.mark.parametrize("name", ["run", "relax"])
def test_killed_while_it_writes_it_goes_on_from_what_was_written_before(tmp_path: Path, name: str) -> None:
    report = drive(sys.executable, str(DRIVER), "crashes", name, str(tmp_path))
    ends = [attempt["status"] for attempt in report["attempts"]]
    assert -9 in ends
    assert ends[-1] == 0
    assert report["attempts"][-1]["answer"] == report["alone"]["answer"]


@pytest.mark.parametrize("name", ["run", "relax"])
def test_a_full_disk_is_named_and_the_last_checkpoint_kept(tmp_path: Path, name: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("this system does not let a test mount a small disk")
    command = ("unshare", "-rm", "sh", "-c", IN_A_SMALL_DISK, "sh", str(disk), sys.executable, str(DRIVER), name)
    report = drive(*command)
    alone = report.pop("alone")
    for case, attempts in report.items():
        for failed in (attempts["first"], attempts["again"]):
            assert failed["raised"].startswith(f"InputError: cannot write {disk}"), case
            assert failed["raised"].endswith("No space left on device; choose another folder or free space")
        assert "checkpoint.pt" in attempts["files"]
        assert attempts["then"]["answer"] == alone["answer"]
    assert report["on the way"]["then"]["steps"][0] > (200 if name == "run" else 5)
    assert report["at the end"]["then"]["steps"] in ([], alone["steps"][-1:]), "only the answer had to be written"


def test_a_quota_is_named_and_the_last_checkpoint_kept(tmp_path: Path) -> None:
    report = drive(sys.executable, str(DRIVER), "limits", "run", str(tmp_path))
    assert "File too large; choose another folder or free space" in report["first"]["raised"]
    assert report["then"]["steps"][0] > 200
    assert report["then"]["answer"] == report["alone"]["answer"]
