"""Score melts, trajectories and tables against references, and sum the scores up in a report."""

from collections.abc import Iterable, Sequence
from math import hypot, isfinite, log

import numpy as np

from tachylite.analysis.laws import ln_error
from tachylite.descriptors import average_descriptors
from tachylite.errors import InputError
from tachylite.physics.frames import Frames, take_frames
from tachylite.physics.statistics import log_normal_interval
from tachylite.physics.structure.pairs import count_pairs
from tachylite.physics.structure.parity import (
    PUBLISHED_THRESHOLDS,
    Curves,
    coefficient_of_determination,
    common_distances,
    compare_curves,
    curves_of,
    wilson_interval,
)
from tachylite.schemas import Diffusivity, Interval, Measured, Trajectory
from tachylite.schemas.parity import (
    DescriptorParity,
    DiffusivityParity,
    FractionAbove,
    ParityReference,
    ParityReport,
    ParityScore,
)
from tachylite.schemas.steps.hold import HoldResult

_LONGEST_A = 10.0
_MARGIN_A = 0.1
_FEWEST_FOR_R2 = 3


def score_melt(reference: ParityReference, melt: HoldResult, trajectory: Trajectory | None) -> ParityScore:
    """Score g(r), diffusivities and descriptors of a melt by what the reference has of them."""
    if melt.status != "completed" or melt.run is None or trajectory is None:
        return failed(reference.formula, melt.reason or "no production run")
    frames = take_frames(trajectory.positions, trajectory.cells, trajectory.numbers)
    longest = reference.r_a[-1]
    score = score_curves(reference.formula, _reference_curves(reference), measure_curves(frames, longest), reference)
    try:
        descriptors, missing = _descriptors(reference, frames), None
    except InputError as error:
        descriptors, missing = [], f"no descriptors: {error}"
    return score.model_copy(
        update={
            "n_atoms": melt.n_atoms,
            "temperature_k": melt.temperature_k,
            "volume_a3_per_atom": None if melt.volume_a3 is None else melt.volume_a3 / melt.n_atoms,
            "reference_volume_a3_per_atom": reference.volume_a3_per_atom,
            "diffusivities": [
                compare_diffusivities(diffusivity, reference.diffusivities_cm2_s.get(diffusivity.species))
                for diffusivity in melt.diffusivities
            ],
            "descriptors": descriptors,
            "reason": score.reason or missing,
        }
    )


def score_curves(
    formula: str, reference: Curves, other: Curves, described: ParityReference | None = None
) -> ParityScore:
    """Score curves against those of a reference, after smoothing them like the curves of `described`."""
    try:
        if described is not None:
            other = other.smoothed(described.smoothing_a)
        parity = compare_curves(reference, other)
        x, y = common_distances(reference, other)
    except InputError as error:
        return failed(formula, str(error))
    if not isfinite(parity.r2):
        return failed(formula, "the reference is the same at all distances, which no R² can be taken of")
    return ParityScore(
        formula=formula,
        status="scored",
        r2=Measured(value=parity.r2, error=parity.r2_error),
        r2_by_pair={
            pair: Measured(value=r2, error=parity.r2_error_by_pair[pair])
            for pair, r2 in parity.r2_by_pair.items()
            if isfinite(r2)
        },
        noise=parity.noise if isfinite(parity.r2_error) else None,
        r_a=x.r_a.tolist(),
        reference_g={pair: curve.tolist() for pair, curve in x.values.items()},
        g={pair: curve.tolist() for pair, curve in y.values.items()},
    )


def failed(formula: str, reason: str) -> ParityScore:
    """Score of a composition that could not be compared, with the reason."""
    return ParityScore(formula=formula, status="failed", reason=reason)


def _reference_curves(reference: ParityReference) -> Curves:
    """Partial g(r) of a reference."""
    return Curves(np.array(reference.r_a), {pair: np.array(g) for pair, g in reference.g.items()})


def measure_curves(frames: Frames, longest_a: float = _LONGEST_A) -> Curves:
    """Measure partial g(r) up to a distance in A, and short of the cell edge, where an atom meets its own image."""
    _, cell = next(iter(frames))
    shortest = float(np.linalg.norm(cell, axis=1).min())
    return curves_of(count_pairs(frames, min(longest_a + _MARGIN_A, shortest - _MARGIN_A)))


def compare_diffusivities(diffusivity: Diffusivity, reference: Diffusivity | float | None) -> DiffusivityParity:
    """Divide a diffusivity by that of the reference: a measured one, or a published number without an error."""
    if isinstance(reference, Diffusivity):
        value, interval = reference.diffusivity_cm2_s, reference.diffusivity_interval_cm2_s
        error, missing = ln_error(reference), f"reference: {reference.reason}"
    else:
        value, interval, error, missing = reference, None, 0.0, "the reference has none"
    common = {
        "species": diffusivity.species,
        "reference_cm2_s": value,
        "reference_interval_cm2_s": interval,
        "diffusivity_cm2_s": diffusivity.diffusivity_cm2_s,
        "interval_cm2_s": diffusivity.diffusivity_interval_cm2_s,
    }
    if diffusivity.diffusivity_cm2_s is None or value is None:
        reason = diffusivity.reason if diffusivity.diffusivity_cm2_s is None else missing
        return DiffusivityParity(reason=reason, **common)
    ratio = diffusivity.diffusivity_cm2_s / value
    ratio_interval = log_normal_interval(ratio, hypot(ln_error(diffusivity), error))
    agree = ratio_interval.low <= 1 <= ratio_interval.high
    return DiffusivityParity(ratio=ratio, ratio_interval=ratio_interval, agree=agree, **common)


def _descriptors(reference: ParityReference, frames: Frames) -> list[DescriptorParity]:
    if not reference.descriptors:
        return []
    descriptors = average_descriptors(frames, reference.species, convention="zheng2024").values
    return [
        DescriptorParity(
            name=name, reference=Measured(value=value, error=float("inf")), value=descriptors[name].measured
        )
        for name, value in reference.descriptors.items()
        if name in descriptors
    ]


def make_report(scores: Sequence[ParityScore], reference: str, other: str) -> ParityReport:
    """Count the scores above the published thresholds; take R^2 of diffusivities and descriptors over compositions."""
    values = [score.r2.value for score in scores if score.r2 is not None]
    fractions = []
    for threshold in PUBLISHED_THRESHOLDS:
        count = sum(value > threshold for value in values)
        low, high = wilson_interval(count, len(scores))
        interval = Interval(low=low, high=high)
        fraction = count / len(scores)
        fractions.append(
            FractionAbove(threshold=threshold, count=count, of=len(scores), fraction=fraction, interval=interval)
        )
    diffusivities = [
        (log(d.reference_cm2_s), log(d.diffusivity_cm2_s))
        for score in scores
        for d in score.diffusivities
        if d.reference_cm2_s is not None and d.diffusivity_cm2_s is not None
    ]
    descriptors: dict[str, list[tuple[float, float]]] = {}
    for score in scores:
        for parity in score.descriptors:
            descriptors.setdefault(parity.name, []).append((parity.reference.value, parity.value.value))
    by_name = {name: _r2(pairs) for name, pairs in descriptors.items()}
    return ParityReport(
        reference=reference,
        other=other,
        scores=list(scores),
        n_failed=len(scores) - len(values),
        fractions=fractions,
        ln_diffusivity_r2=_r2(diffusivities),
        descriptor_r2={name: r2 for name, r2 in by_name.items() if r2 is not None},
    )


def _r2(pairs: Iterable[tuple[float, float]]) -> float | None:
    points = list(pairs)
    if len(points) < _FEWEST_FOR_R2:
        return None
    r2 = coefficient_of_determination([x for x, _ in points], [y for _, y in points])
    return r2 if isfinite(r2) else None
