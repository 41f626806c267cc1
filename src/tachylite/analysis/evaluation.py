"""Errors of energies, forces and stresses against labels, with standard errors by bootstrap over frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import Measured
from tachylite.schemas.evaluation import Evaluation, LabelledFrame, SinglePoint
from tachylite.units import GPA_PER_EV_A3

_FEWEST_FRAMES_PER_SHIFT = 3
"""With fewer, the fit takes most of the differences away."""

_RESAMPLES = 300
"""Bootstrap samples: the standard error itself is known to 4 %."""


@dataclass(frozen=True, eq=False)
class _Frames:
    """What the means are made of, one row or entry a frame."""

    energy: Array
    """Difference per atom, eV, (n_frames,)."""
    fractions: Array
    """Atomic fractions of the elements, (n_frames, n_elements)."""
    components: NDArray[np.int64]
    """Number of force components, (n_frames,)."""
    absolute: Array
    """Sum of absolute differences of force components, (n_frames,)."""
    squared: Array
    stress: Array
    """Mean absolute difference of stress components, GPa, (n_frames,); NaN where it is not known."""


def evaluate(frames: Sequence[LabelledFrame], computed: Sequence[SinglePoint], source: str) -> Evaluation:
    """Compare what an engine computed with the labels of the same frames.

    Raises InputError, with the first reason, where it could compute none. Frames are taken as independent: errors of
    consecutive frames of a trajectory are larger than the bootstrap says.
    """
    pairs = [(frame, point) for frame, point in zip(frames, computed, strict=True) if _is_finite(point)]
    reasons = list(dict.fromkeys(point.reason or "it is not a number" for point in computed if not _is_finite(point)))
    if not pairs:
        raise InputError(f"{source}: the engine computed none of {len(frames)} frames: {reasons[0]}")
    rows = _rows(pairs)
    numbers = np.concatenate([frame.state.numbers for frame, _ in pairs])
    difference = np.concatenate([np.abs(point.forces_ev_a - frame.label.forces_ev_a) for frame, point in pairs])
    labels = np.concatenate([frame.label.forces_ev_a for frame, _ in pairs])
    means: dict[str, Callable[[Array], float]] = {
        "energy_mae_ev_per_atom": lambda weights: float(weights @ np.abs(rows.energy) / weights.sum()),
        "force_mae_ev_a": lambda weights: float(weights @ rows.absolute / (weights @ rows.components)),
        "force_rmse_ev_a": lambda weights: float((weights @ rows.squared / (weights @ rows.components)) ** 0.5),
    }
    n_shifts = int(np.linalg.matrix_rank(rows.fractions, tol=1e-6))
    if len(pairs) >= _FEWEST_FRAMES_PER_SHIFT * n_shifts:
        means["energy_mae_shifted_ev_per_atom"] = lambda weights: _shifted(rows, weights)
    with_stress = np.isfinite(rows.stress).astype(np.float64)
    if with_stress.any():
        stress = np.nan_to_num(rows.stress)
        means["stress_mae_gpa"] = lambda weights: float(weights @ stress / np.maximum(weights @ with_stress, 1.0))
    everywhere = np.ones(len(pairs))
    return Evaluation(
        source=source,
        n_frames=len(pairs),
        n_atoms=len(numbers),
        n_failed=len(frames) - len(pairs),
        reasons=reasons,
        n_shifts=n_shifts,
        n_stresses=int(with_stress.sum()),
        force_mean_ev_a=float(np.abs(labels).mean()),
        force_mae_by_element_ev_a={
            chemical_symbols[number]: float(difference[numbers == number].mean()) for number in np.unique(numbers)
        },
        errors={name: _bootstrap(mean, len(pairs)) for name, mean in means.items()},
        **{name: mean(everywhere) for name, mean in means.items()},
    )


def errors_of_frames(frames: Sequence[LabelledFrame], points: Sequence[SinglePoint]) -> tuple[Measured, Measured]:
    """Mean absolute error of energies in eV/atom, and RMS error of forces in eV/A; standard errors over frames."""
    pairs = list(zip(frames, points, strict=True))
    energies = np.array([abs(p.energy_ev - f.label.energy_ev) / len(f.state.numbers) for f, p in pairs])
    squares = np.array([((p.forces_ev_a - f.label.forces_ev_a) ** 2).mean() for f, p in pairs])
    rmse = float(np.sqrt(squares.mean()))
    error = mean_over_frames(squares).error / (2 * rmse) if rmse else 0.0
    return mean_over_frames(energies), Measured(value=rmse, error=error)


def mean_over_frames(values: Array) -> Measured:
    """Mean of independent values, one a frame, and its standard error; NaN for a single frame."""
    error = float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
    return Measured(value=float(values.mean()), error=error)


def _is_finite(point: SinglePoint) -> bool:
    return bool(np.isfinite(point.energy_ev) and np.isfinite(point.forces_ev_a).all())


def _rows(pairs: Sequence[tuple[LabelledFrame, SinglePoint]]) -> _Frames:
    forces = [point.forces_ev_a - frame.label.forces_ev_a for frame, point in pairs]
    counts = np.array([np.bincount(frame.state.numbers, minlength=len(chemical_symbols)) for frame, _ in pairs])
    counts = counts[:, counts.any(axis=0)]
    atoms = counts.sum(axis=1)
    return _Frames(
        energy=np.array([point.energy_ev - frame.label.energy_ev for frame, point in pairs]) / atoms,
        fractions=counts / atoms[:, None],
        components=3 * atoms,
        absolute=np.array([np.abs(difference).sum() for difference in forces]),
        squared=np.array([(difference**2).sum() for difference in forces]),
        stress=np.array([_stress_difference(frame.label, point) for frame, point in pairs]),
    )


def _stress_difference(label: SinglePoint, point: SinglePoint) -> float:
    """Mean absolute difference of the nine components in GPa; NaN where one of the two has no stress."""
    if label.stress_ev_a3 is None or point.stress_ev_a3 is None:
        return float("nan")
    return float(np.abs(point.stress_ev_a3 - label.stress_ev_a3).mean() * GPA_PER_EV_A3)


def _shifted(rows: _Frames, weights: Array) -> float:
    """Mean absolute energy difference per atom after a fit, by least squares, of an energy for each element."""
    root = np.sqrt(weights)
    shifts, *_ = np.linalg.lstsq(rows.fractions * root[:, None], rows.energy * root, rcond=1e-6)
    return float(weights @ np.abs(rows.energy - rows.fractions @ shifts) / weights.sum())


def _bootstrap(mean: Callable[[Array], float], n_frames: int) -> float | None:
    """Standard deviation of a mean over samples of the frames with replacement (Efron 1979); None for one frame."""
    if n_frames < 2:
        return None
    draws = np.random.default_rng(0).multinomial(n_frames, np.full(n_frames, 1 / n_frames), size=_RESAMPLES)
    return float(np.std([mean(weights.astype(np.float64)) for weights in draws], ddof=1))
