import subprocess
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from tachylite.launchers.batch_system import Queue, worked_in


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="this system does not say where processes work")
def test_a_process_works_in_a_folder_and_a_shell_looks_around(tmp_path: Path) -> None:
    with Popen(["sh"], cwd=tmp_path, stdin=PIPE):
        assert not worked_in(str(tmp_path))
        with Popen(["cat"], cwd=tmp_path, stdin=PIPE):
            assert worked_in(str(tmp_path))
        assert not worked_in(str(tmp_path))


@pytest.mark.parametrize("failure", [FileNotFoundError, subprocess.TimeoutExpired("squeue", 60)])
def test_where_slurm_does_not_answer_nothing_is_known(monkeypatch: pytest.MonkeyPatch, failure: Any) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(subprocess, "run", run)
    assert Queue().holds("7") is None
