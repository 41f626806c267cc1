"""Other programs' way in: `tachylite analyze` on the stand-in's XDATCAR, vasprun.xml and folder of chunks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from tests.engines.vasp.vasp_samples import install, request

from tachylite.cli import main
from tachylite.engines import get_engine
from tachylite.readers import read_trajectory
from tachylite.schemas import Segment, State, Trajectory

pytestmark = pytest.mark.slow

STEPS, CHUNKS = 120, 12


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trajectory]:
    """Folder of a run in more than ten chunks, hot and dilute enough to flow, and its trajectory."""
    folder = tmp_path_factory.mktemp("analysis")
    with pytest.MonkeyPatch.context() as patch:
        install(patch, folder)
        state = State.from_atoms(bulk("Cu", "fcc", a=4.0, cubic=True))
        segment = Segment(steps=STEPS, temperature_k=4000, record_every=1, timestep_fs=4.0)
        engine = get_engine("vasp", chunk_steps=STEPS // CHUNKS)
        (answer,) = engine.run([request(state, segment)], folder / "work")
    assert answer.run.status == "completed", answer.run.reason
    assert answer.trajectory is not None
    (run,) = (folder / "work").glob("run-*")
    return run, answer.trajectory


def analyze(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["analyze", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_folder_of_chunks_is_one_trajectory(work: tuple[Path, Trajectory]) -> None:
    folder, trajectory = work
    assert len(list(folder.glob("chunk-*"))) == CHUNKS
    read_back = read_trajectory(folder)
    assert read_back.n_frames == STEPS
    assert np.allclose(np.diff(read_back.times_fs), 4.0)
    displacements = trajectory.positions - trajectory.positions[0]
    assert np.allclose(read_back.positions - read_back.positions[0], displacements, atol=1e-4)


def test_a_step_at_the_end_of_a_chunk_that_is_repeated_counts_once(
    work: tuple[Path, Trajectory], tmp_path: Path
) -> None:
    folder, _ = work
    for name in ("chunk-0000", "chunk-0001"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "XDATCAR").write_text((folder / name / "XDATCAR").read_text("utf-8"), encoding="utf-8")
    last = (folder / "chunk-0000" / "XDATCAR").read_text("utf-8").split("Direct configuration=")[-1]
    head, _, frames = (tmp_path / "chunk-0001" / "XDATCAR").read_text("utf-8").partition("Direct configuration=")
    text = f"{head}Direct configuration={last}Direct configuration={frames}"
    (tmp_path / "chunk-0001" / "XDATCAR").write_text(text, encoding="utf-8")
    assert read_trajectory(tmp_path, 4.0).n_frames == 2 * STEPS // CHUNKS


def test_transport(work: tuple[Path, Trajectory], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = work
    words = ("--species", "Cu", "--temperature", "4000")
    whole = analyze(capsys, "transport", str(folder), *words)
    assert whole["species"] == "Cu"
    chunk = folder / "chunk-0000"
    from_xml = analyze(capsys, "transport", str(chunk / "vasprun.xml"), *words)
    from_xdatcar = analyze(capsys, "transport", str(chunk / "XDATCAR"), "--timestep", "4", *words)
    assert from_xml["n_frames"] == from_xdatcar["n_frames"] == STEPS // CHUNKS
    assert whole["n_frames"] == STEPS


def test_structure(work: tuple[Path, Trajectory], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = work
    chunk = folder / "chunk-0000"
    documents = [analyze(capsys, "structure", str(path)) for path in (folder, chunk / "XDATCAR", chunk / "vasprun.xml")]
    assert all(document.keys() == documents[0].keys() for document in documents)
