"""`tachylite submit`, `status` of a campaign and `rerun`, with a launcher that computes nothing."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.launchers.fake_manager import FakeManager, replace_launchers

from tachylite.cli import main
from tachylite.launchers.manager import LaunchedJob

JOBS = [
    LaunchedJob("1", "make_structures", "completed"),
    LaunchedJob("2", "melt", "failed", "OutOfTimeError: the walltime is used up [at] step 3"),
    LaunchedJob("3", "melt", "lost", "job 7 is no longer in the queue"),
    LaunchedJob("4", "melt analysis", "waiting", "no worker named 'gpu' has come"),
    LaunchedJob("5", "melt analysis", "waiting", "no worker named 'gpu' has come"),
]


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeManager:
    fake = replace_launchers(monkeypatch, tmp_path)
    fake.reported = JOBS
    return fake


SUBMIT = ("submit", "Cu", "CuAu", "--to", "fireworks", "--engine", "ase:emt")


def test_a_campaign_from_submission_to_the_end(manager: FakeManager, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(SUBMIT) == 0
    said = capfd.readouterr().out
    assert said.endswith(": 2 members in 1 flow, to fireworks\n")
    campaign = said.split()[1].rstrip(":")
    assert main(["status", campaign[:8]]) == 0
    out = capfd.readouterr().out
    assert f"campaign {campaign}: 2 members, fireworks" in out
    assert "the walltime is used up [at] step 3" in out
    assert "job 7 is no longer in the queue" in out
    assert out.count("no worker named") == 1
    assert "4 and 1 more" in out
    assert main(["status", "newest", "--json"]) == 0
    assert [job["state"] for job in json.loads(capfd.readouterr().out)["jobs"]][1:3] == ["failed", "lost"]
    assert main(["rerun"]) == 0
    first, second = capfd.readouterr().out.splitlines()
    assert first.startswith("melt (2) runs again; it was failed: OutOfTimeError")
    assert second.startswith("melt (3) runs again; it was lost: job 7")
    assert main(["rerun", "--lost-after", "soon"]) == 2
    assert "--lost-after 'soon' is not a time; write 2h30m" in capfd.readouterr().err
    manager.refusals["2"] = "it has replaced itself"
    assert main(["rerun", campaign]) == 1
    assert "refused: melt (2): it has replaced itself" in capfd.readouterr().err
    manager.reported = JOBS[:1]
    assert main(["rerun"]) == 0
    assert capfd.readouterr().out == f"campaign {campaign}: nothing has failed\n"
    assert main(["status", "newest"]) == 0
    assert "everything is done; its checkpoints are no longer needed: rm -r " in capfd.readouterr().out
    assert main(["status"]) == 0
    assert f"campaign {campaign}: 2 members" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("submit", "Cu"), "Missing option"),
        (("submit", "Cu", "--to", "slurm", "--engine", "ase:emt"), "give fireworks, jobflow-remote or a YAML file"),
        (("submit", "CuO", "--to", "fireworks", "--engine", "ase:emt"), "does not know O"),
        (("rerun", "--store", "absent"), "there is no store in absent"),
        (("status", "newest"), "there is no store yet"),
        (("status", "newest", "--store", "absent"), "there is no store in absent"),
    ],
)
def test_bad_input_is_one_line(
    manager: FakeManager, capfd: pytest.CaptureFixture[str], words: Sequence[str], expected: str
) -> None:
    assert main(words) == 2
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert expected in err
