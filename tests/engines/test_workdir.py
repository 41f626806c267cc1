"""Files that are whole or not there, named by what they hold."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.engines.workdir import (
    content_key,
    current_workdir,
    locked_folder,
    shared_workdir,
    use_workdir,
    write_atomically,
)
from tachylite.errors import InputError

JSON = st.recursive(st.integers() | st.text() | st.floats(allow_nan=False) | st.booleans(), st.lists, max_leaves=5)


@given(JSON, JSON)
def test_keys_are_equal_for_equal_content_alone(a: object, b: object) -> None:
    assert content_key(a) == content_key(a)
    if repr(a) != repr(b):
        assert content_key(a) != content_key(b)


def test_campaigns_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with use_workdir(tmp_path, "first"):
        assert current_workdir() == tmp_path / "first"
        assert shared_workdir() == tmp_path
    monkeypatch.setenv("TACHYLITE_WORKDIR", str(tmp_path / "elsewhere"))
    assert current_workdir() == shared_workdir() == tmp_path / "elsewhere"


def test_a_full_disk_is_named_and_keeps_the_old_file() -> None:
    with pytest.raises(InputError, match=r"cannot write /dev: No space left on device; choose another folder"):
        _write_to_full_device()


def _write_to_full_device() -> None:
    """/dev/full refuses every write; the temporary file is put there by its name."""
    link = Path("/dev") / f".checkpoint.{os.getpid()}.partial"
    link.symlink_to("/dev/full")
    try:
        write_atomically(Path("/dev/checkpoint"), b"content")
    finally:
        link.unlink(missing_ok=True)


def test_remains_of_a_process_that_was_killed_are_cleared_away(tmp_path: Path) -> None:
    remains, answer = tmp_path / ".checkpoint.pt.123.partial", tmp_path / "runs.json"
    for path in (remains, answer):
        path.touch()
    with locked_folder(tmp_path):
        assert not remains.exists()
        assert answer.exists()


@pytest.mark.slow
def test_killed_at_any_moment_a_run_resumes_to_the_same_bits(tmp_path: Path) -> None:
    """kill -9, again and again, until the run is through; the answer is that of a run left alone."""
    script = """
import sys
import time
from pathlib import Path
from ase.build import bulk
from tachylite.engines import get_engine
from tachylite.schemas import Request, Segment, State
state = State.from_atoms(bulk("Ar", "fcc", 5.4, cubic=True).repeat(2))
segments = [Segment(steps=100, temperature_k=90, thermostat="langevin"),
            Segment(steps=900, temperature_k=90, record_every=10)]
request = Request(label="argon", state=state, segments=segments, seed=1)
engine = get_engine("lennard-jones", checkpoint_every=50)
engine.single_points([state])
print("started", flush=True)
begun = time.monotonic()
print(engine.run([request], Path(sys.argv[1]))[0].trajectory.sha256)
print(time.monotonic() - begun)
"""
    command = [sys.executable, "-c", script]
    alone = subprocess.run([*command, str(tmp_path / "alone")], capture_output=True, text=True, check=True)
    _, sha256, whole_s = alone.stdout.split()
    for kills in range(30):
        process = subprocess.Popen([*command, str(tmp_path / "killed")], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(float(whole_s) * (0.2 + 0.2 * kills))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        if process.returncode == 0:
            break
    assert kills > 0, "it was never killed"
    assert rest.split()[0] == sha256
