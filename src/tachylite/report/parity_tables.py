"""A parity report as tables of numbers, for CSV files."""

from collections.abc import Sequence

from tachylite.report.csv_tables import Columns
from tachylite.schemas.parity import ParityReport, ParityScore

type Cell = float | int | str | bool | None


def parity_tables(report: ParityReport) -> dict[str, Columns]:
    """Tables by name; only those with rows.

    The g(r) of melts that were computed come too, as tables that can be read again: r in A and one column a pair.
    """
    scores = report.scores
    tables = {
        "parity": _table(
            ("formula", "status", "r2", "r2_error", "noise", "n_atoms", "temperature_k", *_VOLUME, "reason"),
            [_row(score) for score in scores],
        ),
        "parity_by_pair": _table(
            ("formula", "pair", "r2", "r2_error"),
            [(s.formula, pair, r2.value, _finite(r2.error)) for s in scores for pair, r2 in s.r2_by_pair.items()],
        ),
        "parity_fractions": _table(
            ("threshold", "count", "of", "fraction", "fraction_low", "fraction_high"),
            [(f.threshold, f.count, f.of, f.fraction, f.interval.low, f.interval.high) for f in report.fractions],
        ),
        "parity_diffusivities": _diffusivities(scores),
        "parity_descriptors": _table(
            ("formula", "descriptor", "reference", "value", "error"),
            [
                (s.formula, d.name, d.reference.value, d.value.value, d.value.error)
                for s in scores
                for d in s.descriptors
            ],
        ),
    }
    if report.provenance is not None:
        tables |= {f"RDF_{s.formula}": _curves(s) for s in scores if s.g}
    return {name: table for name, table in tables.items() if table}


_VOLUME = ("volume_a3_per_atom", "volume_error_a3_per_atom", "reference_volume_a3_per_atom")


def _row(score: ParityScore) -> tuple[Cell, ...]:
    r2, volume = score.r2, score.volume_a3_per_atom
    return (
        score.formula,
        score.status,
        r2.value if r2 else None,
        _finite(r2.error) if r2 else None,
        score.noise,
        score.n_atoms,
        score.temperature_k,
        volume.value if volume else None,
        volume.error if volume else None,
        score.reference_volume_a3_per_atom,
        score.reason,
    )


def _diffusivities(scores: Sequence[ParityScore]) -> Columns:
    rows: list[tuple[Cell, ...]] = []
    for score in scores:
        for one in score.diffusivities:
            own, ratio = one.interval_cm2_s, one.ratio_interval
            rows.append(
                (
                    score.formula,
                    one.species,
                    one.reference_cm2_s,
                    one.diffusivity_cm2_s,
                    own.low if own else None,
                    own.high if own else None,
                    one.ratio,
                    ratio.low if ratio else None,
                    ratio.high if ratio else None,
                    one.agree,
                    one.reason,
                )
            )
    names = ("formula", "species", "reference_cm2_s", "diffusivity_cm2_s", "low_cm2_s", "high_cm2_s")
    return _table((*names, "ratio", "ratio_low", "ratio_high", "agree", "reason"), rows)


def _curves(score: ParityScore) -> Columns:
    return {
        "r": [f"{r:.4g}" for r in score.r_a],
        **{pair: [f"{value:.5f}" for value in curve] for pair, curve in score.g.items()},
    }


def _table(names: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> Columns:
    columns = list(zip(*rows, strict=True))
    return (
        {
            name: ["" if cell is None else str(cell) for cell in column]
            for name, column in zip(names, columns, strict=True)
        }
        if rows
        else {}
    )


def _finite(error: float) -> float | None:
    return error if error < float("inf") else None
