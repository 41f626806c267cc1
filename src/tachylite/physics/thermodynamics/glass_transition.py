"""The glass transition in a cooling run: where the straight branches of glass and liquid meet."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import Array, FloatList
from tachylite.errors import InputError
from tachylite.physics.statistics import correlation_time, estimate_mean
from tachylite.physics.thermodynamics.kink import Kink, checked_series, find_kink, fit_curve

FEWEST_WINDOWS = 12
"""Smallest number of independent windows that five parameters and their errors can be fitted to."""

_MOST_WINDOWS = 60
_CORRELATION_TIMES_PER_WINDOW = 6.0


@dataclass(frozen=True)
class Windows:
    """Means over consecutive stretches of a ramp, in the order of time."""

    temperatures_k: Array
    values: Array
    errors: Array
    """Standard errors by blocking, after subtracting the slope within the window."""


class Transition(Kink):
    """The kink in a quantity along a cooling run, with the window means that it was found in."""

    quantity: Literal["energy", "volume"]
    """In eV and A^3 per atom."""
    window_temperatures_k: FloatList
    window_values: FloatList
    window_errors: list[float | None]
    """Standard errors; None for a window of one sample."""


def find_transition(
    temperatures_k: ArrayLike, values: ArrayLike, quantity: Literal["energy", "volume"] = "energy"
) -> Transition:
    """Find the kink in a quantity along a cooling run: samples in the order of time, both of shape (n,).

    The run is cut into at most 60 windows of equal length, of six correlation times at least; that time is
    that of the residuals of a first fit. The correlation that is left between windows widens the errors
    (see `find_kink`). The temperatures are those of the thermostat where it is known, else those measured.

    Raises InputError for arrays that do not fit together, values that are not finite and fewer than 12 samples;
    for a run that does not cool or is too short, and for a kink that is not significant, `reason` says so.
    """
    temperature, value = checked_series(temperatures_k, values)
    n = temperature.size
    if n < FEWEST_WINDOWS:
        raise InputError(f"{n} samples of the cooling run; a transition needs at least {FEWEST_WINDOWS}")
    windows = window_means(temperature, value, min(n, _MOST_WINDOWS))
    curve = fit_curve(windows.temperatures_k, windows.values)
    tau = correlation_time(value - curve(temperature))
    count = min(int(n / (_CORRELATION_TIMES_PER_WINDOW * tau)), _MOST_WINDOWS, n)
    if np.corrcoef(np.arange(n), temperature)[0, 1] > -0.8:
        kink = Kink(reason="the temperature does not fall along the run")
    elif count < FEWEST_WINDOWS:
        reason = f"too short: {count} independent windows of six correlation times, {FEWEST_WINDOWS} are needed"
        kink = Kink(reason=reason)
    else:
        windows = window_means(temperature, value, count)
        times = n / count / tau
        # the correlation that is left between windows of so many correlation times, for an exponential decay
        inefficiency = 1 / (1 - (1 - np.exp(-times)) / times) if tau > 0.5 else 1.0
        kink = find_kink(windows.temperatures_k, windows.values, inefficiency=inefficiency)
    return Transition(
        **dict(kink),
        quantity=quantity,
        window_temperatures_k=windows.temperatures_k,
        window_values=windows.values,
        window_errors=[error if np.isfinite(error) else None for error in windows.errors.tolist()],
    )


def window_means(temperatures_k: ArrayLike, values: ArrayLike, count: int) -> Windows:
    """Means of samples, shape (n,), over `count` consecutive windows, with errors by blocking."""
    rows = []
    temperature, value = np.asarray(temperatures_k, dtype=np.float64), np.asarray(values, dtype=np.float64)
    for x, y in zip(np.array_split(temperature, count), np.array_split(value, count), strict=True):
        time = np.arange(len(y)) - (len(y) - 1) / 2
        slope = float(time @ y) / max(float(time @ time), 1.0)
        rows.append((x.mean(), y.mean(), estimate_mean(y - slope * time).error))
    return Windows(*np.array(rows).T)
