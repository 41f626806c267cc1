"""Compare files with references: two tables or trajectories, or whole folders of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tachylite.analysis.parity import compare_diffusivities, failed, make_report, measure_curves, score_curves
from tachylite.analysis.structure import frames_of_file
from tachylite.analysis.transport import measure_transport
from tachylite.descriptors import average_descriptors
from tachylite.errors import InputError
from tachylite.physics.composition import parse_formula
from tachylite.physics.statistics import estimate_mean
from tachylite.physics.structure.parity import Curves
from tachylite.readers import open_trajectory
from tachylite.readers.frames import TrajectoryReader
from tachylite.readers.opening import OWN
from tachylite.readers.tables import read_curves
from tachylite.schemas import Trajectory
from tachylite.schemas.parity import DescriptorParity, DiffusivityParity, ParityReference, ParityReport, ParityScore
from tachylite.schemas.run import reduced_formula

_SAME_TEMPERATURE = 0.05
"""Relative difference of mean temperatures up to which two runs count as one state: thermostats are no better."""


def is_table(path: Path) -> bool:
    """Whether a file is read as a table of g(r), and not as a trajectory."""
    return path.suffix == ".csv"


def curves_of_file(path: Path, smoothing_a: float = 0.0, types: Sequence[str] | None = None) -> Curves:
    """Partial g(r) of a file: of a table as it is, of a trajectory measured and smoothed with a Gaussian (A)."""
    if is_table(path):
        return read_curves(path)
    return measure_curves(frames_of_file(open_trajectory(path, types=types))).smoothed(smoothing_a)


def compare_folders(
    references: Mapping[str, Path], others: Mapping[str, Path], smoothing_a: float = 0.0
) -> tuple[list[ParityScore], list[str]]:
    """Score files against references of the same composition; also list the compositions without a reference.

    Takes files by reduced formula. What is missing or cannot be compared has its reason in its score.
    """
    scores = [_score_files(formula, path, others.get(formula), smoothing_a) for formula, path in references.items()]
    return scores, sorted(others.keys() - references.keys())


def report_folders(reference: str, other: str, scores: Sequence[ParityScore], left_out: list[str]) -> ParityReport:
    """Sum scores up in a report; raises InputError, with the first reason, where every composition failed."""
    report = make_report(scores, reference, other)
    if report.n_failed == len(scores):
        raise InputError(f"{scores[0].formula}: {scores[0].reason} (and so for all {len(scores)} compositions)")
    return report.model_copy(update={"left_out": left_out})


def read_reference(
    path: Path, formula: str, *, smoothing_a: float, temperature_k: float | None = None
) -> ParityReference:
    """Take a table or a trajectory as the reference of a composition; InputError where its elements are others."""
    curves = _curves(path, formula, 0.0)
    return ParityReference(
        formula=formula,
        r_a=curves.r_a.tolist(),
        g={pair: g.tolist() for pair, g in curves.values.items()},
        smoothing_a=smoothing_a if is_table(path) else 0.0,
        temperature_k=temperature_k,
        source=path.name,
    )


def check_same_state(reference: Path, other: Path, types: Sequence[str] | None = None) -> None:
    """Refuse to compare two trajectories of different compositions or temperatures, with an InputError.

    Temperatures are known of trajectories of this package only.
    """
    formulas = [_formula(open_trajectory(path, types=types)) for path in (reference, other)]
    if formulas[0] != formulas[1]:
        raise InputError(f"{reference} is {formulas[0]} and {other} is {formulas[1]}; parity needs one composition")
    first, second = (_temperature(path) for path in (reference, other))
    if first is not None and second is not None and abs(second / first - 1) > _SAME_TEMPERATURE:
        raise InputError(f"{reference} is at {first:.0f} K and {other} at {second:.0f} K; parity compares one state")


def compare_transport(
    reference: Path, other: Path, temperature_k: float, timestep_fs: float | None, types: Sequence[str] | None = None
) -> list[DiffusivityParity]:
    """Tracer diffusivities of every element in both trajectories, and their ratio.

    Raises InputError as `measure_transport`, and for a trajectory that knows no times and is given none.
    """
    trajectories = [open_trajectory(path, timestep_fs, types) for path in (reference, other)]
    for trajectory in trajectories:
        if not trajectory.has_times:
            raise InputError(
                f"trajectory {trajectory.path} has no times; give the time between two frames as --timestep"
            )
    elements = frames_of_file(trajectories[0]).symbols
    pairs = [[measure_transport(frames, element, temperature_k) for frames in trajectories] for element in elements]
    return [compare_diffusivities(diffusivity, of_reference) for of_reference, diffusivity in pairs]


def compare_descriptors(
    reference: Path, other: Path, species: str, types: Sequence[str] | None = None
) -> list[DescriptorParity]:
    """Structural descriptors around a mobile element in both trajectories, with errors over frames."""
    of_reference, of_other = (
        average_descriptors(frames_of_file(open_trajectory(path, types=types)), species).values
        for path in (reference, other)
    )
    return [
        DescriptorParity(name=name, reference=value.measured, value=of_other[name].measured)
        for name, value in of_reference.items()
        if value.error > 0
    ]


def _score_files(formula: str, reference: Path, other: Path | None, smoothing_a: float) -> ParityScore:
    if other is None:
        return failed(formula, f"{reference.name} has no partner")
    try:
        expected, measured = (_curves(path, formula, smoothing_a) for path in (reference, other))
        if not (is_table(reference) or is_table(other)):
            check_same_state(reference, other)
    except InputError as error:
        return failed(formula, str(error))
    return score_curves(formula, expected, measured)


def _curves(path: Path, formula: str, smoothing_a: float) -> Curves:
    """Curves of a file; raises InputError where its elements are not those of the formula."""
    curves = curves_of_file(path, smoothing_a)
    elements = {symbol for pair in curves.values for symbol in pair.split("-")}
    if elements != set(parse_formula(formula).amounts):
        raise InputError(f"{path} has g(r) of {', '.join(sorted(elements))}, which is not {formula}")
    return curves


def _formula(trajectory: TrajectoryReader) -> str:
    frames = frames_of_file(trajectory)
    return reduced_formula({symbol: int((frames.kinds == kind).sum()) for kind, symbol in enumerate(frames.symbols)})


def _temperature(path: Path) -> float | None:
    """Mean temperature in K, where the file is a trajectory of this package that records it."""
    if path.suffix not in OWN:
        return None
    try:
        series = Trajectory.load(path).series.get("temperature_k")
    except InputError:
        return None
    return None if series is None or not len(series) else estimate_mean(series).mean
