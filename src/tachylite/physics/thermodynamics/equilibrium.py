"""Search for the volume of zero pressure: decide, from the runs so far, what to simulate next.

A liquid at zero pressure lies between two states that a simulation can tell apart without doubt: a denser
one that repels (its virial is positive) and a wider one under tension (its pressure is negative). Both are
asked for, each beyond 2.5 standard errors, before any volume is believed. A vapour never comes under
tension: below the temperature at which a van der Waals liquid loses its last zero of pressure, tension
shows up at less than twice the volume at which the virial vanishes; where none is found up to there, the
search ends with that reason instead of a volume.

A box with a cavity has no pressure either, over a whole range of volumes, and keeps the cavity when it is
compressed. So a volume is believed only in a state that was reached by expanding a repelling one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tachylite.errors import InputError
from tachylite.physics.eos import BirchMurnaghan, fit_birch_murnaghan

_SIGNIFICANCE = 2.5
"""Standard errors that a pressure must exceed for its sign to count as known."""

LARGEST_EXPANSION, LARGEST_COMPRESSION = 1.3, 0.75
"""Largest and smallest ratio of the next volume to the outermost ones sampled so far."""

_VAPOUR_EXTENT = 2.0
"""A liquid comes under tension below this multiple of the volume of zero virial."""

_NEARLY_IDEAL = 0.3
"""Largest virial over kinetic pressure of a gas; a liquid may pass through it at one volume, not at two running."""

_EOS_WINDOWS = (1.1, 1.25, 1.6)
"""Samples within this factor of the bracket enter the fit: the narrowest window with three of them is the best."""

_PLAUSIBLE_DERIVATIVES = (1.0, 15.0)
"""B0' outside this range is noise, not an equation of state."""

_EOS_MODEL_ERROR = 0.05
"""Relative error of the equation of state itself, added to that of every pressure in the fit."""

SAME_VOLUME = 1e-6
"""Relative difference below which two volumes are one, and their samples are pooled."""


@dataclass(frozen=True)
class Sample:
    """Averages of one run at one volume.

    Volumes are in A^3, pressures in GPa. `pressure` is in the convention of the search, `virial` without
    the kinetic part; both are None where the run failed (too dense for the model). `energy_drift` is the
    relative difference of the energy between the halves of the run, `energy_drift_error` its standard error.
    """

    volume: float
    pressure: float | None
    pressure_error: float = 0.0
    virial: float | None = None
    energy_drift: float = 0.0
    energy_drift_error: float = 0.0
    expanded: bool = True
    """Whether it was reached from a denser state that repels, or repels itself: without cavities."""


@dataclass(frozen=True)
class Criteria:
    """Tolerances of the search: pressure in GPa, relative volume error and energy drift, number of rounds."""

    pressure_tolerance: float
    volume_tolerance: float
    energy_drift_tolerance: float
    max_attempts: int


@dataclass(frozen=True)
class Continue:
    """Sample these volumes (A^3) next."""

    volumes: tuple[float, ...]
    purpose: str
    """`bracket`, or `verification` of a tentative volume."""


@dataclass(frozen=True)
class Converged:
    """A verified volume (A^3) with its error, the mean pressure there (GPa), and the fit if there is one."""

    volume: float
    volume_error: float
    pressure: float
    pressure_error: float
    equation: BirchMurnaghan | None


@dataclass(frozen=True)
class Failed:
    """Why there is no volume of zero pressure."""

    reason: str
    vapour: bool = False


@dataclass(frozen=True)
class _Point:
    """Pooled samples at one volume."""

    volume: float
    pressure: float
    error: float
    virial: float
    drift: float
    drift_error: float
    expanded: bool

    @property
    def pushes(self) -> bool:
        return self.pressure > _SIGNIFICANCE * self.error

    @property
    def nearly_ideal(self) -> bool:
        return abs(self.virial) < _NEARLY_IDEAL * (self.pressure - self.virial)

    @property
    def under_tension(self) -> bool:
        return self.pressure < -_SIGNIFICANCE * self.error


def repels(pressure: float, virial: float, error: float) -> bool:
    """Whether a state has a significantly positive pressure, in GPa, also without the kinetic part."""
    return min(pressure, virial) > _SIGNIFICANCE * error


def decide(samples: Sequence[Sample], criteria: Criteria, attempt: int) -> Continue | Converged | Failed:
    """Decide which volumes to simulate next, or that the search has converged or failed.

    `samples` are all runs so far, in the order they were made; `attempt` counts the rounds after the first
    scan. Raises InputError without samples.
    """
    if not samples:
        raise InputError("the volume search needs at least one sample")
    decision = _decide(samples, criteria)
    if isinstance(decision, Continue) and attempt >= criteria.max_attempts:
        last = samples[-1]
        pressure = "a failed run" if last.pressure is None else f"{last.pressure:.2f} +/- {last.pressure_error:.2f} GPa"
        return Failed(
            f"not converged in {criteria.max_attempts} attempts; the last gave {pressure} at {last.volume:.1f} A^3"
        )
    return decision


def _decide(samples: Sequence[Sample], criteria: Criteria) -> Continue | Converged | Failed:
    points = _pool(samples)
    too_dense = max((s.volume for s in samples if s.pressure is None), default=0.0)
    if not points:
        return Continue((too_dense * LARGEST_EXPANSION,), "bracket")
    dense = _dense_end(points)
    if dense is None:
        inward = max(points[0].volume * LARGEST_COMPRESSION, (too_dense * points[0].volume) ** 0.5)
        if inward > points[0].volume * (1 - SAME_VOLUME):
            return Failed(f"no repulsion down to {points[0].volume:.1f} A^3, below which runs fail")
        return Continue((inward,), "bracket")
    beyond = [p for p in points if p.volume > dense.volume]
    wide = next((p for p in beyond if p.under_tension), None)
    if wide is None:
        return _expand(points, dense, criteria)
    inner = max((p for p in points if p.volume < wide.volume and p.pushes and p.expanded), key=lambda p: p.volume)
    equation, tentative, modulus = _root(points, inner, wide)
    if _creeping(samples, inner, wide):
        tentative = float(np.sqrt(inner.volume * wide.volume))
    return _verify(points, wide, tentative, modulus, equation, criteria)


def _pool(samples: Sequence[Sample]) -> list[_Point]:
    """Pool repeated samples of one volume (weighted by their errors), in order of volume.

    Where some were reached by expansion, the others do not count.
    """
    groups: list[list[Sample]] = []
    for sample in sorted((s for s in samples if s.pressure is not None), key=lambda s: s.volume):
        if groups and sample.volume < groups[-1][0].volume * (1 + SAME_VOLUME):
            groups[-1].append(sample)
        else:
            groups.append([sample])
    points = []
    for same_volume in groups:
        group = [s for s in same_volume if s.expanded] or same_volume
        weight = np.array([1 / max(s.pressure_error, 1e-9) ** 2 for s in group])
        weight /= weight.sum()
        latest = max(group, key=samples.index)
        points.append(
            _Point(
                volume=float(weight @ [s.volume for s in group]),
                pressure=float(weight @ [s.pressure for s in group]),
                error=float(np.sqrt(weight**2 @ [s.pressure_error**2 for s in group])),
                virial=float(weight @ [s.pressure if s.virial is None else s.virial for s in group]),
                drift=latest.energy_drift,
                drift_error=latest.energy_drift_error,
                expanded=group[0].expanded,
            )
        )
    return points


def _dense_end(points: Sequence[_Point]) -> _Point | None:
    """The widest state of the repulsive branch: every denser one repels too."""
    end = None
    for point in points:
        if not repels(point.pressure, point.virial, point.error):
            break
        end = point
    return end


def _expand(points: Sequence[_Point], dense: _Point, criteria: Criteria) -> Continue | Failed:
    """Without a state under tension so far: sample a larger volume, or conclude that it is a vapour."""
    outermost, zero_virial = points[-1], _zero_virial(points)
    where = f"{outermost.volume:.1f} A^3; the pressure there is {outermost.pressure:.2f} +/- {outermost.error:.2f} GPa"
    if zero_virial is not None and outermost.volume >= _VAPOUR_EXTENT * zero_virial:
        beyond = outermost.volume / zero_virial
        return Failed(f"a vapour: no tension up to {beyond:.1f} times the volume of zero virial, {where}", vapour=True)
    if all(p.nearly_ideal for p in points[-2:]):  # above the Boyle temperature the virial never vanishes
        return Failed(f"a vapour: nearly an ideal gas at {where}", vapour=True)
    step = LARGEST_EXPANSION
    if outermost is dense and len(points) > 1:  # still on the steep branch: aim past the zero, not beyond bounds
        slope = np.log(points[-2].pressure / outermost.pressure) / np.log(outermost.volume / points[-2].volume)
        decay = np.log(outermost.pressure / criteria.pressure_tolerance) / max(float(slope), 1.0)
        step = float(np.clip(np.exp(decay), 1.12, LARGEST_EXPANSION))
    return Continue((outermost.volume * step,), "bracket")


def _zero_virial(points: Sequence[_Point]) -> float | None:
    """Volume at which the virial changes sign, by linear interpolation; None where it does not."""
    for inner, outer in pairwise(points):
        if inner.virial > 0 >= outer.virial:
            return inner.volume + inner.virial / (inner.virial - outer.virial) * (outer.volume - inner.volume)
    return None


def _root(points: Sequence[_Point], inner: _Point, wide: _Point) -> tuple[BirchMurnaghan | None, float, float]:
    """Tentative volume between the two ends, and the bulk modulus there.

    By Birch-Murnaghan through the samples near the bracket; by the secant where that has no root inside.
    """
    for window in _EOS_WINDOWS:
        near = [p for p in points if inner.volume / window <= p.volume <= wide.volume * window]
        sigma = [np.hypot(p.error, _EOS_MODEL_ERROR * p.pressure) for p in near]
        try:
            equation = fit_birch_murnaghan([p.volume for p in near], [p.pressure for p in near], sigma)
        except InputError:
            continue
        low, high = _PLAUSIBLE_DERIVATIVES
        if inner.volume < equation.volume < wide.volume and low < equation.bulk_modulus_derivative < high:
            return equation, equation.volume, equation.bulk_modulus
    span = float(np.log(wide.volume / inner.volume))
    modulus = (inner.pressure - wide.pressure) / span
    return None, float(inner.volume * np.exp(inner.pressure / modulus)), modulus


def _creeping(samples: Sequence[Sample], inner: _Point, wide: _Point) -> bool:
    """Whether the last two samples moved one end of the bracket without halving its pressure.

    The fit then leans on one side; a sample in the middle of the bracket mends that.
    """
    before, last = samples[-2:]
    if before.pressure is None or last.pressure is None or last.volume == before.volume:
        return False
    is_end = last.volume == (inner if last.pressure > 0 else wide).volume
    return is_end and last.pressure * before.pressure > before.pressure**2 / 2


def _verify(
    points: Sequence[_Point],
    wide: _Point,
    tentative: float,
    modulus: float,
    equation: BirchMurnaghan | None,
    criteria: Criteria,
) -> Continue | Converged:
    """Accept a volume only after a run at it has met the tolerances of pressure, volume and energy."""
    nearest = min(points, key=lambda p: abs(np.log(p.volume / tentative)))
    softest = modulus
    if wide.volume > nearest.volume:  # liquids soften as they widen: the slope outwards is the cautious one
        slope = (nearest.pressure - wide.pressure) / float(np.log(wide.volume / nearest.volume))
        softest = min(modulus, slope) if slope > 0 else modulus
    volume_error = float(nearest.volume * np.hypot(nearest.pressure, nearest.error) / softest)
    at_zero = max(abs(nearest.pressure), nearest.error) <= criteria.pressure_tolerance
    allowed = criteria.volume_tolerance * nearest.volume
    settled = abs(nearest.drift) <= criteria.energy_drift_tolerance + _SIGNIFICANCE * nearest.drift_error
    if at_zero and volume_error <= allowed and settled and nearest.expanded:
        return Converged(nearest.volume, volume_error, nearest.pressure, nearest.error, equation)
    between = any(nearest.volume < point.volume < wide.volume for point in points)
    if at_zero and volume_error * softest / modulus <= allowed < volume_error and not between:
        # only the slope to a state far outside, where the box may have a cavity, is too soft: ask a nearer one
        return Continue((float(np.sqrt(nearest.volume * wide.volume)),), "bracket")
    # a tentative volume that cannot be told from one already sampled: more of the same is what helps
    indistinct = abs(np.log(nearest.volume / tentative)) * modulus < nearest.error
    return Continue((nearest.volume if indistinct else tentative,), "verification")
