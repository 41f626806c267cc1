"""Molecular dynamics by the real pw.x: units, chunks that are one run, a restart."""

from pathlib import Path

import numpy as np
import pytest
from tests.engines.espresso.espresso_samples import engine, failing, nve, request, silicon

from tachylite.schemas import Segment
from tachylite.units import EV_PER_U_A2_FS2, KB_EV


def test_chunks_are_one_run_that_conserves_energy(pw: Path) -> None:
    velocities = [[0.004, 0.0, 0.002], [-0.004, 0.0, -0.002]]
    start = silicon().model_copy(update={"velocities": velocities})
    (whole,) = engine(chunk_steps=8).run([request(nve(8), state=start)], pw)
    (parts,) = engine(chunk_steps=3).run([request(nve(8), state=start)], pw)
    assert (whole.run.status, parts.run.status) == ("completed", "completed"), (whole.run.reason, parts.run.reason)
    assert whole.trajectory is not None
    assert parts.trajectory is not None
    assert whole.trajectory.times_fs.tolist() == [4, 8, 12, 16]
    kinetic = (28.085 * np.square(velocities)).sum() / 2 * EV_PER_U_A2_FS2
    series = whole.trajectory.series
    assert series["temperature_k"][0] == pytest.approx(2 * kinetic / KB_EV / 3, rel=1e-4)
    total = series["energy_ev"] + 3 * series["temperature_k"] * KB_EV / 2
    assert np.ptp(total) < 0.05 * np.ptp(series["energy_ev"]), "only if times, masses and forces have the right units"
    assert np.allclose(series["energy_ev"], parts.trajectory.series["energy_ev"], atol=1e-4)
    assert np.allclose(series["pressure_virial_gpa"], parts.trajectory.series["pressure_virial_gpa"], atol=0.01)
    assert np.allclose(whole.trajectory.positions, parts.trajectory.positions, atol=1e-4)
    assert np.allclose(whole.run.final.velocities or 0, parts.run.final.velocities or 1, atol=1e-5)


@pytest.mark.slow
def test_a_ramp_follows_its_line_and_is_the_same_every_time(pw: Path) -> None:
    segments = (
        Segment(steps=6, temperature_k=900, thermostat="langevin", timestep_fs=4),
        Segment(steps=6, temperature_k=900, end_temperature_k=300, timestep_fs=4),
    )
    answers = [engine(chunk_steps=2).run([request(*segments)], pw / str(i))[0] for i in range(2)]
    first, second = (answer.run.final for answer in answers)
    assert [len(a.run.segments) for a in answers] == [2, 2], answers[0].run.reason
    assert np.allclose(first.positions, second.positions, atol=1e-6), "seeds alone decide"


@pytest.mark.slow
def test_a_killed_program_is_called_again_from_its_last_step(pw: Path, tmp_path: Path) -> None:
    (whole,) = engine(chunk_steps=4).run([request(nve(8))], pw / "whole")
    killed = engine(chunk_steps=4, command=failing(tmp_path, "kill", "calculation"))
    (nothing,) = killed.run([request(nve(8))], pw / "killed")
    assert nothing.run.reason == "pw.x was killed by SIGKILL"
    (again,) = engine(chunk_steps=4).run([request(nve(8))], pw / "killed")
    assert again.run.status == "completed"
    assert np.allclose(whole.run.final.positions, again.run.final.positions, atol=1e-4)
