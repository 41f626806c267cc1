"""`tachylite submit`, `status` of a campaign and `rerun`, with a launcher that computes nothing."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from jobflow import Flow, JobStore

from tachylite.cli import main
from tachylite.errors import InputError
from tachylite.launchers import LaunchedJob
from tachylite.schemas.campaign import Launcher, Place


class FakeManager:
    """A queue in which some jobs are done and others are not."""

    def __init__(self) -> None:
        self.found = [
            LaunchedJob("1", "pack_structures", "completed"),
            LaunchedJob("2", "melt production", "failed", "OutOfTimeError: the walltime is used up [at] step 3"),
            LaunchedJob("3", "melt production", "lost", "job 7 is no longer in the queue"),
            LaunchedJob("4", "melt analysis", "waiting"),
        ]
        self.refusal = ""

    def configuration(self, _: Place) -> dict[str, object]:
        return {}

    def check(self, launcher: Launcher, store: JobStore) -> None: ...

    def add(self, flows: Sequence[Flow], store: Path, campaign: str) -> None: ...

    def jobs(self, campaign: str) -> list[LaunchedJob]:
        return self.found

    def rerun(self, job: LaunchedJob) -> None:
        if self.refusal:
            raise InputError(self.refusal)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeManager:
    fake = FakeManager()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TACHYLITE_STORE", raising=False)
    for module in ("submission", "campaigns"):
        monkeypatch.setattr(f"tachylite.launchers.{module}.get_manager", lambda *_: fake)
    return fake


SUBMIT = ("submit", "Cu", "CuAu", "--to", "fireworks", "--engine", "ase:emt")


def test_a_campaign_from_submission_to_the_end(manager: FakeManager, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(SUBMIT) == 0
    said = capfd.readouterr().out
    assert said.endswith(": 2 formulas in 1 flow, to fireworks\n")
    campaign = said.split()[1].rstrip(":")
    assert main(["status", campaign[:8]]) == 0
    out = capfd.readouterr().out
    assert f"campaign {campaign}: 2 formulas, fireworks" in out
    assert "the walltime is used up [at] step 3" in out
    assert "job 7 is no longer in the queue" in out
    assert main(["status", "newest", "--json"]) == 0
    assert [job["state"] for job in json.loads(capfd.readouterr().out)["jobs"]][1:3] == ["failed", "lost"]
    assert main(["rerun"]) == 0
    first, second = capfd.readouterr().out.splitlines()
    assert first.startswith("melt production (2) runs again; it was failed: OutOfTimeError")
    assert second.startswith("melt production (3) runs again; it was lost: job 7")
    manager.refusal = "it has replaced itself"
    assert main(["rerun", campaign]) == 1
    assert "refused: melt production (2): it has replaced itself" in capfd.readouterr().err
    manager.found = manager.found[:1]
    assert main(["rerun"]) == 0
    assert capfd.readouterr().out == f"campaign {campaign}: nothing has failed\n"
    assert main(["status", "newest"]) == 0
    assert "everything is done; its checkpoints are no longer needed: rm -r " in capfd.readouterr().out
    assert main(["status"]) == 0
    assert f"campaign {campaign}: 2 formulas" in capfd.readouterr().out


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
