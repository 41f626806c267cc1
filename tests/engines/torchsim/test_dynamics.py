"""Molecular dynamics on a cheap potential: what statistical mechanics says of it must hold."""

import resource
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from scipy import stats

from tachylite.engines import get_engine
from tachylite.engines.base import Answer, Progress, progress_listener
from tachylite.schemas import Request, Segment, State
from tachylite.units import EV_PER_U_A2_FS2, GPA_PER_EV_A3, KB_EV

CRYSTAL = State.from_atoms(bulk("Ar", "fcc", 5.4, cubic=True).repeat(3))
N_ATOMS = len(CRYSTAL.numbers)


def request(*segments: Segment, state: State = CRYSTAL, seed: int = 0) -> Request:
    return Request(label="argon", state=state, segments=list(segments), seed=seed)


def run(folder: Path, *requests: Request, checkpoint_every: int = 500) -> list[Answer]:
    return get_engine("lennard-jones", checkpoint_every=checkpoint_every).run(requests, folder)


def kinetic_energies(state: State) -> np.ndarray:
    """Of every Cartesian component, in eV."""
    masses = state.atoms.get_masses()[:, None]
    velocities = np.array(state.velocities, dtype=float)
    return np.asarray(0.5 * EV_PER_U_A2_FS2 * masses * velocities**2)


def test_constant_energy_is_conserved(tmp_path: Path) -> None:
    """Total energy without a thermostat: no drift beyond 1e-6 of the kinetic energy a step."""
    warm_up = Segment(steps=300, temperature_k=80, thermostat="langevin")
    free = Segment(steps=2000, temperature_k=80, thermostat="none", record_every=2000)
    (answer,) = run(tmp_path, request(warm_up, free))
    assert answer.trajectory is not None
    series = answer.trajectory.series
    here = series["segment"] == 1
    kinetic = 1.5 * (N_ATOMS - 1) * KB_EV * series["temperature_k"][here]
    total = series["energy_ev"][here] + kinetic
    drift = np.polyfit(np.arange(len(total)), total, 1)[0]
    assert abs(drift) < 1e-6 * kinetic.mean()
    assert total.std() < 2e-3 * kinetic.mean()


@pytest.mark.slow
@pytest.mark.parametrize("thermostat", ["nose-hoover", "langevin"])
def test_the_canonical_ensemble_is_sampled(tmp_path: Path, thermostat: str) -> None:
    """Mean temperature, its fluctuation, and the distribution of kinetic energies over atoms."""
    target, freedoms = 90.0, 3 * N_ATOMS - (3 if thermostat == "nose-hoover" else 0)
    warm_up = Segment(steps=300, temperature_k=target, thermostat="langevin")
    sampled = Segment.model_validate(
        {"steps": 1000, "temperature_k": target, "thermostat": thermostat, "record_every": 1000}
    )
    answers = run(tmp_path, *(request(warm_up, sampled, seed=i) for i in range(12)))
    components, variances, means = [], [], []
    for answer in answers:
        result = answer.run.last
        assert abs(result.temperature_k.value - target) < 4 * result.temperature_k.error
        means.append(result.temperature_k)
        assert answer.trajectory is not None
        series = answer.trajectory.series
        temperature = series["temperature_k"][series["segment"] == 1]
        variances.append(temperature.var())
        components.append(kinetic_energies(answer.run.final).ravel() / (0.5 * KB_EV * target))
    error = sum(mean.error**2 for mean in means) ** 0.5 / len(means)
    assert error < 2
    assert abs(sum(mean.value for mean in means) / len(means) - target) < 4 * error
    assert np.mean(variances) == pytest.approx(2 * target**2 / freedoms, rel=0.15)
    assert stats.kstest(np.concatenate(components), stats.chi2(1).cdf).pvalue > 1e-3


def test_a_ramp_includes_both_ends(tmp_path: Path) -> None:
    ramp = Segment(steps=101, temperature_k=100, end_temperature_k=50, record_every=101)
    (answer,) = run(tmp_path, request(ramp))
    assert answer.trajectory is not None
    targets = answer.trajectory.series["target_temperature_k"]
    assert targets == pytest.approx(np.linspace(100, 50, 101))


def test_members_have_their_own_temperatures(tmp_path: Path) -> None:
    requests = [request(Segment(steps=1500, temperature_k=t, thermostat="langevin")) for t in (20, 80)]
    cold, hot = (a.run.last.temperature_k for a in run(tmp_path, *requests))
    assert abs(cold.value - 20) < max(4 * cold.error, 2)
    assert abs(hot.value - 80) < max(4 * hot.error, 8)


def test_the_total_pressure_has_the_kinetic_part_once_and_the_virial_not_at_all(tmp_path: Path) -> None:
    """Argon so thin that it hardly interacts is an ideal gas: no virial, and N k T / V."""
    gas = CRYSTAL.scaled_to(CRYSTAL.volume_a3 * 1000)
    (answer,) = run(tmp_path, request(Segment(steps=300, temperature_k=300), state=gas))
    result = answer.run.last
    assert result.pressure_virial_gpa is not None
    assert result.pressure_total_gpa is not None
    ideal = N_ATOMS * KB_EV * result.temperature_k.value / gas.volume_a3 * GPA_PER_EV_A3
    assert abs(result.pressure_virial_gpa.value) < 0.01 * ideal
    assert result.pressure_total_gpa.value - result.pressure_virial_gpa.value == pytest.approx(ideal, rel=1e-6)


def test_a_thermostat_that_cannot_reach_the_drift_starts_without_it(tmp_path: Path) -> None:
    stochastic = Segment(steps=200, temperature_k=90, thermostat="langevin")
    (answer,) = run(tmp_path, request(stochastic, Segment(steps=20, temperature_k=90)))
    masses = answer.run.final.atoms.get_masses()
    assert np.abs(masses @ np.asarray(answer.run.final.velocities)).max() < 1e-9


class Interruption(Exception):  # noqa: N818 - it is not an error
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("stop_at", [140, 320])
def test_a_stopped_run_resumes_to_the_same_bits(tmp_path: Path, stop_at: int) -> None:
    requests = [
        request(
            Segment(steps=200, temperature_k=t, thermostat="langevin"),
            Segment(steps=200, temperature_k=t, end_temperature_k=t / 2, record_every=10),
            seed=seed,
        )
        for seed, t in enumerate((60.0, 90.0))
    ]
    whole = run(tmp_path / "whole", *requests, checkpoint_every=50)

    def stop(progress: Progress) -> None:
        if progress.done >= stop_at:
            raise Interruption

    token = progress_listener.set(stop)
    with pytest.raises(Interruption):
        run(tmp_path / "parts", *requests, checkpoint_every=50)
    progress_listener.reset(token)
    steps: list[int] = []
    token = progress_listener.set(lambda progress: steps.append(progress.done))
    resumed = run(tmp_path / "parts", *requests, checkpoint_every=50)
    again = run(tmp_path / "parts", *requests, checkpoint_every=50)
    progress_listener.reset(token)
    assert min(steps) > stop_at - 50 - 20, "at most the steps since the last checkpoint are done again"
    assert len(steps) < 20, "a finished run is not done again"
    for a, b, c in zip(whole, resumed, again, strict=True):
        assert a.trajectory == b.trajectory == c.trajectory
        assert a.run.final == b.run.final == c.run.final
        assert a.run.segments == b.run.segments == c.run.segments


def test_a_member_goes_its_way_whoever_is_with_it(tmp_path: Path) -> None:
    """Velocities and noise come from its own seed, and no sum runs over two members."""
    segments = [Segment(steps=60, temperature_k=t, thermostat="langevin", record_every=60) for t in (60, 90)]
    mine, other = request(segments[0], seed=5), request(segments[1], seed=6)
    (alone,) = run(tmp_path / "alone", mine)
    _, together = run(tmp_path / "together", other, mine)
    assert together.run.final == alone.run.final
    assert together.trajectory == alone.trajectory


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame here is 2.6 kB: 5,000 of them are 13 MB."""
    monkeypatch.setattr("tachylite.engines.torchsim.recorder.BUFFER_BYTES", 2**20)
    resident: dict[int, int] = {}
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("this system does not tell how much memory is in use")

    def note(progress: Progress) -> None:
        resident[progress.done] = int(statm.read_text().split()[1]) * resource.getpagesize()

    token = progress_listener.set(note)
    run(tmp_path, request(Segment(steps=6_000, temperature_k=60, record_every=1)), checkpoint_every=10**6)
    progress_listener.reset(token)
    assert resident[6_000] - resident[1_000] < 4e6


def test_a_member_that_fails_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    healthy = Segment(steps=100, temperature_k=60)
    squeezed = CRYSTAL.scaled_to(CRYSTAL.volume_a3 * 0.05)
    positions = [list(p) for p in CRYSTAL.positions]
    positions[1] = [positions[0][0] + 0.3, *positions[0][1:]]
    overlapping = CRYSTAL.model_copy(update={"positions": positions})
    runs = [
        a.run
        for a in run(
            tmp_path,
            request(healthy),
            request(healthy, state=squeezed),
            request(healthy, state=overlapping),
            request(healthy, seed=3),
        )
    ]
    assert [r.status for r in runs] == ["completed", "failed", "failed", "completed"]
    assert runs[0].reason is None
    assert runs[0].steps == 100
    assert runs[2].reason is not None
    assert "overlapping atoms: Ar and Ar are 0.30 A apart at step 0" in runs[2].reason
    assert runs[2].final == overlapping, "the last good state is the one it came with"
    assert runs[1].reason is not None
    for result in (runs[0], runs[3]):
        assert 10 < result.last.temperature_k.value < 80, "half of the kinetic energy of a perfect crystal goes into it"


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(Exception, match=f"cannot write .*{blocked.name}"):
        run(blocked, request(Segment(steps=60, temperature_k=60)), checkpoint_every=20)
