"""The pages on launchers, as a reader would follow them: their files are written, their commands run.

Their campaigns go through Slurm. The protocol has a search of the volume, whose jobs put others in their place; the
potential counts how often it is asked.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pages import DOCS, blocks, commands, write_files
from tests.services.cluster import BIN, CHECKPOINT, MONGO, NEEDS_SERVICES, SLURM, WITH_SEARCH, Cluster, local_run, same

from tachylite.configs import load_protocol

pytestmark = NEEDS_SERVICES

FORMULAS = ("Cu", "CuAu", "Cu3Au")
CANCEL = """squeue -ho '%i %Z' | awk 'index($2, "{}/") == 1 {{print $1}}' | xargs scancel"""
"""Cancels what runs for this test, and for no other."""
PACE = dict.fromkeys(("delay_checkout", "delay_check_run_status", "delay_advance_status"), 1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short name: the socket of jobflow-remote's daemon lies in it, and those are 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="t") as made:
        yield Path(made)


def local(text: str, cluster: Cluster) -> str:
    """With our servers in the place of the page's, and a runner that looks every second, not every 30."""
    changes = {
        '"mongodb://me:password@db.example.org"': f'"{MONGO}"',
        "database: me,": f"database: {cluster.database},",
        "name: me\n": f"name: {cluster.database}\n",
        "standard": SLURM,
        "\nworkers:\n": f"\nrunner: {PACE}\nworkers:\n",
        "RUNS": str(cluster.folder / "runs"),
        "VENV": str(BIN.parent),
        "FOLDER": str(cluster.folder),
        "ase:emt": cluster.calculator.name,
        "scancel --me": CANCEL.format(cluster.folder),
    }
    for theirs, ours in changes.items():
        text = text.replace(theirs, ours)
    return text


def run(program: str, script: str, cluster: Cluster) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TACHYLITE_S", "JFREMOTE"))
    }
    home = str(cluster.folder)
    environment |= {"HOME": home, "TMPDIR": home, "PATH": f"{BIN}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [program, "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def prepare(page: str, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """The text of a page for the cluster of a test, with its files written; the protocol is the one with a search."""
    monkeypatch.setattr("jobflow_remote.SETTINGS.projects_folder", str(cluster.folder / ".jfremote"))
    text = local((DOCS / page).read_text(encoding="utf-8"), cluster)
    write_files(text, "yaml", cluster.folder)
    load_protocol(cluster.folder / "tiny.yaml")
    cluster.write("tiny.yaml", WITH_SEARCH)
    return text


def test_the_page_on_fireworks_leads_to_the_results_of_a_local_run(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected, calls = local_run(cluster.calculator, FORMULAS, tmp_path_factory.mktemp("local"))
    count = cluster.calculator.calls
    text = prepare("fireworks.md", cluster, monkeypatch)
    before, _, after = text.partition("## When something fails")
    exports = [line for line in commands(before) if line.startswith("export")]
    assert "campaign" in run("bash", "\n".join(["set -e", *commands(before)]), cluster)
    cluster.wait(lambda: cluster.states() == {"completed"}, "the end of the campaign")
    assert "everything is done" in cluster.tachylite("status", "newest")
    said = run("bash", "\n".join(["set -e", *exports, *commands(after)]), cluster)
    assert "nothing has failed" in said
    assert list(map(same, cluster.materials())) == list(map(same, expected))
    assert cluster.calculator.calls - count == calls, "as many forces as in the local run"
    assert "material_id,formula" in said
    for script in blocks(text, "python"):
        assert re.fullmatch(r"[0-9a-f]{24}\n", run(str(BIN / "python"), script, cluster))


def test_the_tutorial_leads_to_the_results_of_a_local_run(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A job of which is cancelled on the way, and goes on from its checkpoint."""
    options = {"checkpoint_every": CHECKPOINT}
    expected, calls = local_run(cluster.calculator, FORMULAS, tmp_path_factory.mktemp("local"), **options)
    count = cluster.calculator.calls
    text = prepare("tutorials/cluster.md", cluster, monkeypatch)
    export = "export TACHYLITE_STORE=store.yaml"

    def follow(heading: str) -> str:
        _, _, section = text.partition(f"\n## {heading}\n")
        return run("bash", "\n".join(["set -e", export, *commands(section.partition("\n## ")[0])]), cluster)

    cluster.calculator.pace(0.1)
    try:
        assert follow("Submit").count("3 members") == 2
        cluster.wait(cluster.at_work, "a checkpoint")
        follow("Something fails")
        cluster.wait(lambda: "failed" in cluster.states(), "the failure")
        cluster.calculator.pace(0)
        assert "runs again; it was failed" in follow("Run it again")
        cluster.wait(lambda: cluster.states() == {"completed"}, "the end of the campaign")
        said = follow("Results")
    finally:
        run("bash", "jf runner shutdown 2>/dev/null || true", cluster)
    assert all(words in said for words in ("everything is done", "nothing has failed", "material_id,formula"))
    assert list(map(same, cluster.materials())) == list(map(same, expected))
    again = cluster.calculator.calls - count - calls
    assert 0 <= again <= CHECKPOINT + 1, "only what came after the last checkpoint"
    for script in blocks((DOCS / "jobflow-remote.md").read_text(encoding="utf-8"), "python"):
        assert re.fullmatch(r"[0-9a-f]{24}\n", run(str(BIN / "python"), local(script, cluster), cluster))
