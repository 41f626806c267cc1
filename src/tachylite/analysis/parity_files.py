"""Parity of files: two tables or trajectories, or whole folders of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tachylite import readers
from tachylite.analysis.parity import compare_diffusivities, failed, make_report, measure_curves, score_curves
from tachylite.analysis.structure import frames_of_file
from tachylite.analysis.transport import measure_transport
from tachylite.descriptors import average_descriptors
from tachylite.errors import InputError
from tachylite.physics.composition import parse_formula
from tachylite.physics.statistics import estimate_mean
from tachylite.physics.structure.parity import Curves
from tachylite.readers import open_trajectory
from tachylite.readers.opening import OWN
from tachylite.readers.tables import read_curves
from tachylite.schemas import Measured, Trajectory
from tachylite.schemas.parity import DescriptorParity, DiffusivityParity, ParityReference, ParityReport, ParityScore
from tachylite.schemas.run import reduced_formula

_SAME_TEMPERATURE = 0.05
"""Relative difference of mean temperatures that thermostats leave between runs of one state."""


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
    """Score every reference by the other file of the same composition; also name those without a reference.

    Takes files by reduced formula. What is missing or cannot be compared has its reason in its score.
    """
    scores = [_score_files(formula, path, others.get(formula), smoothing_a) for formula, path in references.items()]
    return scores, sorted(others.keys() - references.keys())


def report_folders(reference: str, other: str, scores: Sequence[ParityScore], left_out: list[str]) -> ParityReport:
    """Gather scores in a report; raises InputError, with the first reason, where there is not one."""
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
    """Refuse two trajectories of different compositions, or of our own at different temperatures (InputError)."""
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
    frames = [open_trajectory(path, timestep_fs, types) for path in (reference, other)]
    for one in frames:
        if not one.has_times:
            raise InputError(f"trajectory {one.path} has no times; give the time between two frames as --timestep")
    elements = frames_of_file(frames[0]).symbols
    pairs = [[measure_transport(one, element, temperature_k) for one in frames] for element in elements]
    return [compare_diffusivities(found, known) for known, found in pairs]


def compare_descriptors(
    reference: Path, other: Path, species: str, types: Sequence[str] | None = None
) -> list[DescriptorParity]:
    """Structural descriptors around a mobile element in both trajectories, with errors over frames."""
    known, found = (
        average_descriptors(frames_of_file(open_trajectory(path, types=types)), species).values
        for path in (reference, other)
    )
    return [
        DescriptorParity(
            name=name,
            reference=Measured(value=known[name].mean, error=known[name].error),
            value=Measured(value=found[name].mean, error=found[name].error),
        )
        for name in known
        if known[name].error > 0
    ]


def _score_files(formula: str, reference: Path, other: Path | None, smoothing_a: float) -> ParityScore:
    if other is None:
        return failed(formula, f"{reference.name} has no partner")
    try:
        known, found = (_curves(path, formula, smoothing_a) for path in (reference, other))
        if not (is_table(reference) or is_table(other)):
            check_same_state(reference, other)
    except InputError as error:
        return failed(formula, str(error))
    return score_curves(formula, known, found)


def _curves(path: Path, formula: str, smoothing_a: float) -> Curves:
    """Curves of a file; InputError where its elements are not those of the formula in its name."""
    curves = curves_of_file(path, smoothing_a)
    named = set(parse_formula(formula).amounts)
    found = {symbol for pair in curves.values for symbol in pair.split("-")}
    if named != found:
        raise InputError(f"{path} has g(r) of {', '.join(sorted(found))}, which is not {formula}")
    return curves


def _formula(trajectory: readers.TrajectoryReader) -> str:
    symbols = frames_of_file(trajectory)
    return reduced_formula({symbol: int((symbols.kinds == kind).sum()) for kind, symbol in enumerate(symbols.symbols)})


def _temperature(path: Path) -> float | None:
    """Mean temperature in K, where the file is our own and has kept it."""
    if path.suffix not in OWN:
        return None
    try:
        series = Trajectory.load(path).series.get("temperature_k")
    except InputError:
        return None
    return None if series is None or not len(series) else estimate_mean(series).mean
