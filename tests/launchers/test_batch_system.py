from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tachylite.launchers.batch_system import worked_in


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="this system does not say where processes work")
def test_a_process_works_in_a_folder_and_a_shell_looks_around(tmp_path: Path) -> None:
    with Popen(["sh"], cwd=tmp_path, stdin=PIPE):
        assert not worked_in(str(tmp_path))
        with Popen(["cat"], cwd=tmp_path, stdin=PIPE):
            assert worked_in(str(tmp_path))
        assert not worked_in(str(tmp_path))
