"""The search on a van der Waals fluid, whose liquid and vapour are known exactly."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from tachylite.errors import InputError
from tachylite.physics.thermodynamics.equilibrium import Continue, Converged, Criteria, Failed, Sample, decide
from tachylite.units import GPA_PER_EV_A3, KB_EV

N_ATOMS = 108
EXCLUDED_A3 = 17.0
CRITICAL_K = 150.0
STARTS = (0.5, 0.9, 1.6, 2.2, 4.0)


@dataclass
class VanDerWaals:
    """p = rho k T / (1 - b rho) - a rho^2, sampled with noise."""

    temperature_k: float
    noise_gpa: float
    convention: str = "total"
    seed: int = 0
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.attraction = 27 / 8 * EXCLUDED_A3 * KB_EV * CRITICAL_K

    @property
    def liquid_volume(self) -> float | None:
        """The root of the pressure with a positive bulk modulus, or None for a vapour."""
        discriminant = 1 - 4 * EXCLUDED_A3 * KB_EV * self.temperature_k / self.attraction
        return None if discriminant < 0 else N_ATOMS * EXCLUDED_A3 * 2 / (1 + np.sqrt(discriminant))

    def sample(self, volume: float) -> Sample:
        density = N_ATOMS / volume
        if EXCLUDED_A3 * density > 0.97:
            return Sample(volume=volume, pressure=None)
        ideal = density * KB_EV * self.temperature_k * GPA_PER_EV_A3
        total = ideal / (1 - EXCLUDED_A3 * density) - self.attraction * density**2 * GPA_PER_EV_A3
        total += self.noise_gpa * self.rng.standard_normal()
        pressure = total if self.convention == "total" else total - ideal
        return Sample(volume, pressure, self.noise_gpa, total - ideal)

    def search(self, start: float, criteria: Criteria) -> Converged | Failed:
        self.samples = [self.sample(start * f) for f in (0.8, 1.0, 1.2)]
        for attempt in range(criteria.max_attempts + 1):
            decision = decide(self.samples, criteria, attempt)
            if not isinstance(decision, Continue):
                return decision
            inner, outer = min(s.volume for s in self.samples), max(s.volume for s in self.samples)
            assert all(0.7 * inner < v < 1.35 * outer for v in decision.volumes), "a step out of bounds"
            self.samples += [self.sample(v) for v in decision.volumes]
        raise AssertionError("the search did not end")


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("temperature_k", [60.0, 90.0])
def test_a_liquid_is_found_from_every_start(start: float, temperature_k: float) -> None:
    """At 0.5 to 4 times the covolume the same answer, within its error and 3 %."""
    pulls, outcomes = [], []
    for seed in range(40):
        fluid = VanDerWaals(temperature_k, noise_gpa=0.002, seed=seed)
        truth = fluid.liquid_volume
        assert truth is not None
        outcome = fluid.search(start * 1.6 * N_ATOMS * EXCLUDED_A3, Criteria(0.006, 0.03, 1e-3, 15))
        outcomes.append(isinstance(outcome, Converged) and abs(outcome.volume / truth - 1) < 0.03)
        if isinstance(outcome, Converged):
            pulls.append((outcome.volume - truth) / outcome.volume_error)
            assert len(fluid.samples) <= 18
    assert sum(outcomes) >= 39
    assert np.sqrt(np.mean(np.square(pulls))) < 1.7, "the error of the volume is honest"


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("temperature_k", [140.0, 200.0, 700.0])
def test_a_vapour_is_named_as_such_from_every_start(start: float, temperature_k: float) -> None:
    verdicts = []
    for seed in range(20):
        fluid = VanDerWaals(temperature_k, noise_gpa=0.002, seed=seed)
        assert fluid.liquid_volume is None
        outcome = fluid.search(start * 1.6 * N_ATOMS * EXCLUDED_A3, Criteria(0.006, 0.03, 1e-3, 15))
        verdicts.append(isinstance(outcome, Failed) and outcome.vapour and "vapour" in outcome.reason)
    assert sum(verdicts) >= 19


def test_the_virial_vanishes_where_the_total_does_not() -> None:
    """Above the last liquid root the virial still has a zero: rho = 1/b - kT/a."""
    fluid = VanDerWaals(150.0, noise_gpa=0.002, convention="virial")
    outcome = fluid.search(1.6 * N_ATOMS * EXCLUDED_A3, Criteria(0.006, 0.03, 1e-3, 15))
    assert isinstance(outcome, Converged)
    density = 1 / EXCLUDED_A3 - KB_EV * 150.0 / fluid.attraction
    assert outcome.volume == pytest.approx(N_ATOMS / density, rel=0.03)


def test_noise_beyond_the_tolerance_asks_for_more_of_the_same() -> None:
    """A mean that happens to be near zero is not believed while its error exceeds the gate."""
    volume = 1000.0
    samples = [
        Sample(900, 5.0, 0.1, 5.0),
        Sample(volume, 0.0, 1.0, 0.0),
        Sample(1100, -4.0, 0.1, -4.0),
    ]
    decision = decide(samples, Criteria(0.5, 0.03, 1e-3, 15), 0)
    assert isinstance(decision, Continue)
    assert decision.volumes[0] == pytest.approx(volume, rel=0.01)
    more = [*samples, *(Sample(decision.volumes[0], 0.1, 1.0, 0.1) for _ in range(5))]
    assert isinstance(decide(more, Criteria(0.5, 0.03, 1e-3, 15), 5), Converged)


def test_a_liquid_beside_a_far_cavity_is_measured_nearer_by() -> None:
    """Liquid argon at 74 K: the state under tension is a third wider and has a cavity, so it says little of the slope.

    Repeating the state without pressure would not help; one between the two shows how stiff the liquid is.
    """
    criteria = Criteria(0.006, 0.02, 0.05, 25)
    samples = [
        Sample(4026, 0.407, 0.009, 0.379),
        Sample(5335, 0.014, 0.0023, -0.007),
        Sample(5376, 0.002, 0.0014, -0.019),
        Sample(7157, -0.019, 0.005, -0.035, expanded=False),
    ]
    decision = decide(samples, criteria, 5)
    assert isinstance(decision, Continue)
    assert 5376 * 1.05 < decision.volumes[0] < 7157 / 1.05
    outcome = decide([*samples, Sample(decision.volumes[0], -0.035, 0.003, -0.055)], criteria, 6)
    assert isinstance(outcome, Converged)
    assert outcome.volume == 5376
    assert outcome.volume_error == pytest.approx(5376 * np.hypot(0.002, 0.0014) / (0.037 / np.log(7157 / 5376) * 2))


def test_a_drifting_energy_is_not_equilibrium() -> None:
    def samples(drift: float, drift_error: float) -> list[Sample]:
        return [
            Sample(900, 5.0, 0.1, 5.0),
            Sample(1000, 0.0, 0.1, 0.0, energy_drift=drift, energy_drift_error=drift_error),
            Sample(1100, -4.0, 0.1, -4.0),
        ]

    criteria = Criteria(0.5, 0.03, 1e-3, 15)
    assert isinstance(decide(samples(5e-3, 1e-4), criteria, 0), Continue)
    assert isinstance(decide(samples(5e-3, 4e-3), criteria, 0), Converged), "a drift within its error is none"


def test_attempts_are_bounded_and_the_reason_tells_the_last_pressure() -> None:
    outcome = decide([Sample(1000, 5.0, 0.1, 5.0)], Criteria(0.5, 0.03, 1e-3, 3), 3)
    assert isinstance(outcome, Failed)
    assert "3 attempts" in outcome.reason
    assert "5.00 +/- 0.10 GPa at 1000.0 A^3" in outcome.reason


def test_failed_runs_push_the_search_outwards() -> None:
    decision = decide([Sample(800, None), Sample(1000, None), Sample(1200, None)], Criteria(0.5, 0.03, 1e-3, 15), 0)
    assert isinstance(decision, Continue)
    assert decision.volumes[0] > 1200


def test_no_samples_are_refused() -> None:
    with pytest.raises(InputError, match="at least one sample"):
        decide([], Criteria(0.5, 0.03, 1e-3, 15), 0)


def test_a_box_with_a_cavity_is_not_believed() -> None:
    """Its pressure vanishes too; what counts is the state at that volume that was reached by expansion."""
    criteria = Criteria(0.5, 0.03, 1e-3, 15)
    samples = [
        Sample(900, 5.0, 0.1, 5.0),
        Sample(1100, 0.0, 0.1, -0.5, expanded=False),
        Sample(1300, -2.0, 0.1, -2.5, expanded=False),
    ]
    decision = decide(samples, criteria, 0)
    assert isinstance(decision, Continue)
    assert decision.purpose == "verification"
    stretched = [*samples, Sample(1100, -4.0, 0.1, -4.5)]
    decision = decide(stretched, criteria, 1)
    assert isinstance(decision, Continue)
    assert 900 < decision.volumes[0] < 1100
