"""Molecular dynamics through custodian and the stand-in: chunks, mishaps, interruptions."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import SETTINGS
from tests.engines.vasp.vasp_samples import COMMAND, NO_CONTENT, alloy, metal, nve, request

from tachylite.engines import get_engine
from tachylite.engines.base import Answer, Progress, progress_listener
from tachylite.engines.interruption import use_deadline
from tachylite.errors import OutOfTimeError
from tachylite.schemas import Request, Segment, State
from tachylite.units import EV_PER_U_A2_FS2, GPA_PER_EV_A3, KB_EV


def run(work: Path, *requests: Request, chunk_steps: int = 50) -> list[Answer]:
    return get_engine("vasp", chunk_steps=chunk_steps).run(requests, work)


def calls(work: Path) -> list[str]:
    return sorted(path.parent.name for path in work.glob("run-*/chunk-*/vasp.out"))


def kinetic_ev(state: State) -> float:
    masses = state.atoms.get_masses()[:, None]
    return float((masses * np.square(np.asarray(state.velocities))).sum() / 2 * EV_PER_U_A2_FS2)


def test_chunks_are_one_run(vasp: Path) -> None:
    """Without a thermostat nothing but rounding in the files tells chunks from a run in one go."""
    md_request = request(alloy(), nve(24, record_every=4))
    (whole,) = run(vasp / "whole", md_request)
    (parts,) = run(vasp / "parts", md_request, chunk_steps=7)
    assert (len(calls(vasp / "whole")), len(calls(vasp / "parts"))) == (1, 4)
    assert whole.trajectory is not None
    assert parts.trajectory is not None
    for name in ("energy_ev", "temperature_k", "pressure_virial_gpa", "pressure_total_gpa"):
        assert np.allclose(whole.trajectory.series[name], parts.trajectory.series[name], rtol=1e-4, atol=1e-4), name
    energy = parts.trajectory.series["energy_ev"]
    kinetic = parts.trajectory.series["temperature_k"] * KB_EV * (3 * 4 - 3) / 2
    assert np.ptp(energy + kinetic) < 0.1 * np.ptp(energy), "the total is conserved over the chunks' ends"
    assert np.abs(np.diff(kinetic)).max() < 0.5 * np.ptp(kinetic), "the kinetic energy is continuous"
    assert np.allclose(whole.trajectory.positions, parts.trajectory.positions, atol=2e-5)
    assert np.allclose(np.array(whole.run.final.velocities), np.array(parts.run.final.velocities), atol=1e-6)
    assert whole.trajectory.times_fs.tolist() == [8, 16, 24, 32, 40, 48]


def test_the_document(vasp: Path) -> None:
    start = metal("Cu", shaken_a=0.1)
    (answer,) = run(vasp, request(start, nve(20, record_every=5)))
    md_run = answer.run
    assert (md_run.status, md_run.reason, md_run.steps) == ("completed", None, 20)
    (segment,) = md_run.segments
    kinetic_gpa = 4 * KB_EV * segment.temperature_k.value / start.volume_a3 * GPA_PER_EV_A3
    assert segment.pressure_total_gpa.value - segment.pressure_virial_gpa.value == pytest.approx(kinetic_gpa)
    assert segment.pressure_virial_gpa.error > 0
    assert md_run.provenance.versions["vasp"] == "6.stand-in"
    assert md_run.provenance.options == {"potcars": ["PAW_PBE Cu_pv 06Sep2000"]}
    assert md_run.provenance.seed == 3
    first = answer.trajectory
    assert first is not None
    assert first.series["temperature_k"][0] == pytest.approx(2 * kinetic_ev(start) / KB_EV / 9, rel=1e-6)


def test_positions_are_not_folded_back_and_stay_in_their_order(vasp: Path) -> None:
    fast = alloy()
    velocities = np.zeros((4, 3))
    velocities[:, 0] = [0.02, -0.02 * 63.546 / 26.98, 0.02, -0.02 * 63.546 / 26.98]
    (answer,) = run(vasp, request(fast.model_copy(update={"velocities": velocities.tolist()}), nve(6, record_every=1)))
    assert answer.trajectory is not None
    steps = np.diff(answer.trajectory.positions, axis=0)
    assert np.abs(steps).max() < 0.3
    assert answer.trajectory.numbers.tolist() == [29, 13, 29, 13]
    assert np.allclose(answer.trajectory.positions[0], fast.positions, atol=1e-5)
    ahead = np.asarray(answer.run.final.positions) - answer.trajectory.positions[-1]
    assert np.allclose(ahead, np.asarray(answer.run.final.velocities) * 2.0, atol=0.02), "one step further"


def test_a_ramp_and_a_hold_after_a_stochastic_start(vasp: Path) -> None:
    segments = (
        Segment(steps=10, temperature_k=900, thermostat="langevin"),
        Segment(steps=12, temperature_k=900, end_temperature_k=300),
        Segment(steps=8, temperature_k=300, record_every=4),
    )
    (answer,) = run(vasp, request(metal(temperature_k=None), *segments), chunk_steps=7)
    assert answer.run.status == "completed", answer.run.reason
    assert [s.segment.steps for s in answer.run.segments] == [10, 12, 8]
    assert answer.trajectory is not None
    targets = answer.trajectory.series["target_temperature_k"]
    assert np.allclose(targets[10:22], np.linspace(900, 300, 12))
    momentum = (answer.run.final.atoms.get_masses()[:, None] * np.asarray(answer.run.final.velocities)).sum(axis=0)
    assert np.abs(momentum).max() < 1e-6, "the drift of the first segment is gone"


def test_what_is_done_is_not_done_again(vasp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    md_request = request(metal(), nve(6, record_every=2))
    (first,) = run(vasp, md_request)
    monkeypatch.setattr("atomate2.SETTINGS.VASP_CMD", "no-such-program")
    (again,) = run(vasp, md_request.model_copy(update={"label": "another"}))
    assert again.run == first.run.model_copy(update={"label": "another"})
    assert again.trajectory == first.trajectory


@pytest.mark.parametrize("what", ["crash", "kill"])
def test_a_vasp_that_dies_is_called_again_from_its_last_step(
    vasp: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    md_request = request(alloy(), nve(16, record_every=4))
    (whole,) = run(vasp / "whole", md_request)
    monkeypatch.setenv("STAND_IN_VASP", f"{what}:6@chunk-0001")
    (mended,) = run(vasp / "mended", md_request, chunk_steps=8)
    assert mended.run.status == "completed", mended.run.reason
    assert calls(vasp / "mended") == ["chunk-0000", "chunk-0001", "chunk-0002"]
    assert whole.trajectory is not None
    assert mended.trajectory is not None
    assert np.allclose(mended.trajectory.series["energy_ev"], whole.trajectory.series["energy_ev"], atol=1e-5)


MISHAPS = {
    "nan:4@Al": "diverged: an energy, force or stress is not a number (NaN), at step 4 of segment 1",
    "unconverged:5@Al": "the electronic steps did not converge in NELM = 500, at step 5 of segment 1",
    "cut:0@Al": "is cut off after",
    "crash:1@Al": "VASP failed: Job return code is 1: forrtl: severe (174): SIGSEGV, segmentation fault occurred",
}


@pytest.mark.parametrize("mishap", MISHAPS)
def test_one_line_for_the_member_and_the_others_go_on(vasp: Path, monkeypatch: pytest.MonkeyPatch, mishap: str) -> None:
    monkeypatch.setenv("STAND_IN_VASP", mishap)
    bad, good = run(vasp, request(metal("Al"), nve(10, record_every=2)), request(metal("Cu"), nve(10)))
    assert (bad.run.status, good.run.status) == ("failed", "completed")
    assert MISHAPS[mishap] in (bad.run.reason or "")
    assert "\n" not in (bad.run.reason or "")
    assert bad.run.segments == []
    monkeypatch.delenv("STAND_IN_VASP")
    before = len(calls(vasp))
    again, _ = run(vasp, request(metal("Al"), nve(10, record_every=2)), request(metal("Cu"), nve(10)))
    assert again.run.status == "completed", "the failed chunk is tried again when it is asked for"
    assert len(calls(vasp)) == before + 1, "and it alone"


def test_a_chunk_that_fails_again_and_again_ends_the_member(vasp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atomate2.SETTINGS.VASP_CUSTODIAN_MAX_ERRORS", 2)
    monkeypatch.setenv("STAND_IN_VASP", "crash:3")
    (answer,) = run(vasp, request(metal(), nve(20)))
    assert "SIGSEGV, segmentation fault occurred, 3 times, at step 7" in (answer.run.reason or "")
    assert answer.run.steps == 6


def test_what_is_missing_on_the_machine_is_a_line(vasp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    iron, copper = run(vasp, request(metal("Fe"), nve(5)), request(metal("Cu"), nve(5)))
    assert copper.run.status == "completed"
    assert (iron.run.reason or "").startswith(f"no PBE POTCAR of Fe in {SETTINGS['PMG_VASP_PSP_DIR']}; ")
    monkeypatch.setattr("atomate2.SETTINGS.VASP_CMD", "srun_that_is_not_here vasp_std")
    (nobody,) = run(vasp / "other", request(metal("Cu"), nve(5)))
    assert (nobody.run.reason or "").startswith("no VASP command: 'srun_that_is_not_here' is not on the PATH; set AT")
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", None)
    monkeypatch.setattr("atomate2.SETTINGS.VASP_CMD", COMMAND)
    (nothing,) = run(vasp / "third", request(metal("Cu"), nve(5)))
    assert (nothing.run.reason or "").startswith("no folder of POTCARs: set PMG_VASP_PSP_DIR")
    assert all(answer.run.final.velocities for answer in (iron, nobody, nothing))


def test_a_left_handed_cell_is_refused(vasp: Path) -> None:
    state = metal()
    (answer,) = run(vasp, request(state.model_copy(update={"cell": state.cell[::-1]}), nve(5)))
    assert answer.run.reason == "the lattice vectors are left-handed; exchange two of them"


def test_no_potcar_stays(vasp: Path) -> None:
    run(vasp, request(alloy(), nve(5)))
    files = [path for path in vasp.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if NO_CONTENT.encode() in path.read_bytes()]


def test_the_end_of_the_walltime_is_met_by_a_stopcar(vasp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    md_request = request(alloy(), nve(40, record_every=4))
    (whole,) = run(vasp / "whole", md_request)
    monkeypatch.setenv("STAND_IN_VASP", "slow:500")
    with use_deadline(time.time() + 10), pytest.raises(OutOfTimeError, match=r"walltime is used up at step \d+ of 40"):
        run(vasp / "parts", md_request)
    monkeypatch.delenv("STAND_IN_VASP")
    reached: list[int] = []
    token = progress_listener.set(lambda progress: reached.append(progress.done))
    (answer,) = run(vasp / "parts", md_request)
    progress_listener.reset(token)
    assert answer.run.status == "completed"
    # on a busy machine a call may end before its first step
    assert len(calls(vasp / "parts")) <= 3
    assert min(reached) > 0, "not from the start"
    assert whole.trajectory is not None
    assert answer.trajectory is not None
    assert np.allclose(answer.trajectory.series["energy_ev"], whole.trajectory.series["energy_ev"], atol=1e-4)


def test_a_signal_asks_vasp_to_end(vasp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_VASP", "slow:100")

    sent: list[int] = []

    def send(progress: Progress) -> None:
        if progress.done >= 3 and not sent:
            sent.append(progress.done)
            os.kill(os.getpid(), signal.SIGINT)

    token = progress_listener.set(send)
    with pytest.raises(KeyboardInterrupt):
        run(vasp, request(metal(), nve(40)))
    progress_listener.reset(token)
    monkeypatch.delenv("STAND_IN_VASP")
    (answer,) = run(vasp, request(metal(), nve(40)))
    assert answer.run.status == "completed"
    assert calls(vasp) == ["chunk-0000", "chunk-0001"]


def test_a_call_that_was_killed_with_its_caller_goes_on_from_its_last_step(vasp: Path) -> None:
    """As after the end of a batch job: no record, a POTCAR left behind, half a step in vasprun.xml."""
    md_request = request(alloy(), nve(20))
    (whole,) = run(vasp, md_request)
    (folder,) = vasp.glob("run-*")
    (folder / "run.json").unlink()
    chunk = folder / "chunk-0000"
    (chunk / "chunk.npz").unlink()
    (chunk / "POTCAR").write_text(NO_CONTENT, encoding="utf-8")
    content = (chunk / "vasprun.xml").read_bytes()
    (chunk / "vasprun.xml").write_bytes(content[: content.rindex(b"</calculation>") + 20])
    (again,) = run(vasp, md_request)
    assert len(calls(vasp)) == 1, "all steps were there"
    assert again.run.segments == whole.run.segments
    assert not (chunk / "POTCAR").exists()
