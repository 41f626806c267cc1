"""Scores and reports: what counts, what fails, how two diffusivities compare."""

import numpy as np
import pytest

from tachylite.analysis.parity import compare_diffusivities, failed, make_report, score_curves
from tachylite.errors import InputError
from tachylite.flows.parity import ParityMaker
from tachylite.measured import Measured
from tachylite.physics.structure.parity import Curves
from tachylite.schemas import Diffusivity, Interval
from tachylite.schemas.parity import DescriptorParity, ParityReference, ParityReport, ParityScore

R = np.linspace(0, 8, 81)
PEAK = 1 / (1 + np.exp(-8 * (R - 2))) + np.exp(-4 * (R - 2.5) ** 2)


def curves(height: float = 1.0, pair: str = "Li-Li") -> Curves:
    return Curves(R, {pair: height * PEAK})


def diffusivity(value: float | None, half: float = 1.2) -> Diffusivity:
    return Diffusivity(
        species="Li",
        temperature_k=5000,
        diffusive=value is not None,
        reason=None if value is not None else "a solid",
        diffusivity_cm2_s=value,
        diffusivity_interval_cm2_s=None if value is None else Interval(low=value / half, high=value * half),
        n_independent=10,
        lags_fs=[],
        msd_a2=[],
        msd_error_a2=[],
    )


def reference(**changes: object) -> ParityReference:
    return ParityReference.model_validate({"formula": "Li", "r_a": R.tolist(), "g": {"Li-Li": PEAK.tolist()}} | changes)


def test_failures_stay_in_the_denominators() -> None:
    good = [score_curves("Li", curves(), curves(height)) for height in (1.0, 1.3, 0.9)]
    report = make_report([*good, failed("Zn", "no partner")], "A", "B")
    assert report.n_failed == 1
    assert [(above.threshold, above.count, above.of) for above in report.fractions] == [
        (0.85, 2, 4),
        (0.90, 2, 4),
        (0.95, 2, 4),
    ]
    assert report.fractions[0].interval.low < 0.5 < report.fractions[0].interval.high
    assert report.scores[-1].reason == "no partner"
    assert ParityReport.model_validate_json(report.model_dump_json()) == report, "also with errors that are infinite"


def test_what_cannot_be_compared_is_a_failure_with_its_reason() -> None:
    score = score_curves("Li", curves(), curves(pair="Zn-Zn"))
    assert (score.status, score.r2) == ("failed", None)
    assert "Zn-Zn" in str(score.reason)
    flat = score_curves("Li", Curves(R, {"Li-Li": np.ones_like(R)}), curves())
    assert flat.status == "failed"


def test_the_other_side_is_smoothed_as_the_reference_was() -> None:
    smooth = curves().smoothed(0.3)
    described = reference(smoothing_a=0.3, g={"Li-Li": smooth.values["Li-Li"].tolist()})
    score = score_curves("Li", smooth, curves(), described)
    assert score.r2 is not None
    assert score.r2.value == pytest.approx(1)
    bare = score_curves("Li", smooth, curves())
    assert bare.r2 is not None
    assert bare.r2.value < 0.99


def test_two_diffusivities_agree_within_the_interval_of_their_ratio() -> None:
    same = compare_diffusivities(diffusivity(1.1e-4), diffusivity(1.0e-4))
    assert same.ratio == pytest.approx(1.1)
    assert same.ratio_interval is not None
    # errors of the logarithms add in quadrature
    assert same.ratio_interval.high / 1.1 == pytest.approx(1.2**2**0.5)
    assert same.agree
    assert not compare_diffusivities(diffusivity(2e-4), diffusivity(1e-4)).agree
    published = compare_diffusivities(diffusivity(1.1e-4), 1e-4)
    assert published.ratio_interval is not None
    assert published.ratio_interval.high / 1.1 == pytest.approx(1.2)
    assert compare_diffusivities(diffusivity(None), 1e-4).reason == "a solid"
    assert compare_diffusivities(diffusivity(1e-4), None).reason == "the reference has none"


def test_descriptors_have_an_r2_over_compositions() -> None:
    def score(reference: float, measured: float) -> ParityScore:
        parity = DescriptorParity(
            name="AAV", reference=Measured(value=reference, error=0), value=Measured(value=measured, error=0.1)
        )
        return failed("Li", "").model_copy(update={"descriptors": [parity]})

    report = make_report([score(10, 11), score(15, 15), score(20, 19)], "A", "B")
    assert report.descriptor_r2 == {"AAV": pytest.approx(1 - 2 / 50)}
    assert make_report([score(10, 11), score(15, 15)], "A", "B").descriptor_r2 == {}


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ([], "no references"),
        ([reference(temperature_k=3000)], "at 3000 K and protocol zheng2024 melts at 5000 K"),
        ([reference(formula="Li2O", n_atoms=100)], "100 atoms are no whole number of Li2O; the nearest is 99"),
        ([reference(formula="Xx")], "Xx"),
    ],
)
def test_references_that_do_not_fit_are_refused_at_once(references: list[ParityReference], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        ParityMaker().make(references)
    assert "\n" not in str(caught.value)


def test_curves_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="81 distances"):
        reference(g={"Li-Li": [1.0]})
