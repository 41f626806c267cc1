"""Results of analyses as tables of numbers, written as CSV files.

A table maps column names, which carry the unit, to columns of equal length. For every kind of document one function
gives its tables by file name: `structure_tables`, `transport_tables`, `glass_tables`, `parity_tables`.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tachylite.physics.structure.polyhedra import polyhedron_name
from tachylite.schemas import Diffusivity, StructureAnalysis
from tachylite.schemas.glass import GlassTransition
from tachylite.schemas.parity import ParityReport, ParityScore
from tachylite.schemas.structure import Network, RingStatistics, ScatteringAnalysis, StructureFactor

type Cell = float | int | str | bool | None
"""None is written as an empty cell."""

type Columns = dict[str, Sequence[Cell]]


def write_tables(tables: Mapping[str, Columns], folder: Path) -> list[Path]:
    """Write each table as `NAME.csv` into a folder, created where missing; return the paths.

    Raises ValueError for a table whose columns differ in length.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, columns in tables.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(csv_text(columns), encoding="utf-8", newline="")
    return paths


def csv_text(columns: Columns) -> str:
    """A table as the text of a CSV file; ValueError where its columns differ in length."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def structure_tables(analysis: StructureAnalysis) -> dict[str, Columns]:
    """Tables of g(r), bonds, angles, the network, structure factors, rings and polyhedra; empty ones left out."""
    rdf: Columns = {"r_a": analysis.r_a}
    for partial in analysis.partials:
        rdf |= {f"g_{partial.pair}": partial.g, f"g_{partial.pair}_error": partial.g_error}
    if analysis.total_g:
        rdf |= {"g_total": analysis.total_g, "g_total_error": analysis.total_g_error}
    angles: Columns = {"angle_deg": analysis.angles_deg} if analysis.angles else {}
    for angle in analysis.angles:
        angles |= {angle.triplet: angle.density_per_deg, f"{angle.triplet}_error": angle.density_error_per_deg}
    return _without_empty(
        {
            "rdf": rdf,
            "coordination": _from_rows(
                ("center", "neighbor", "cutoff_a", "neighbors", "fraction", "fraction_error"),
                (
                    (bond.center, bond.neighbor, bond.cutoff_a, float(count), fraction.value, fraction.error)
                    for bond in analysis.coordinations
                    for count, fraction in bond.fractions.items()
                ),
            ),
            "angles": angles,
            **({} if analysis.network is None else _network(analysis.network)),
            "structure_factors": {} if analysis.scattering is None else _structure_factors(analysis.scattering),
            "rings": {} if analysis.rings is None else _rings(analysis.rings),
            "polyhedra": _from_rows(
                ("center", "polyhedron", "fraction", "fraction_error"),
                (
                    (cells.center, polyhedron_name(kind.index), kind.fraction.value, kind.fraction.error)
                    for cells in analysis.polyhedra or ()
                    for kind in cells.polyhedra
                ),
            ),
        }
    )


def _network(network: Network) -> dict[str, Columns]:
    """Anions by their number of network formers and by their bridges, formers by their number of bridges."""
    anions = [
        (anion.species, name, share.value, share.error)
        for anion in network.anions
        for name, share in [*((str(n), share) for n, share in anion.formers.items()), *anion.bridges.items()]
    ]
    qn = [(f.species, n, share.value, share.error) for f in network.formers for n, share in f.q.items()]
    return {
        "anions": _from_rows(("anion", "formers", "share", "share_error"), anions),
        "qn": _from_rows(("former", "n", "share", "share_error"), qn),
    }


def _structure_factors(scattering: ScatteringAnalysis) -> Columns:
    curves: dict[str, StructureFactor | None] = {
        "neutron_f_barn_sr": scattering.neutron_f_barn_sr,
        "neutron_s": scattering.neutron_s,
        "xray_f": scattering.xray_f,
        "xray_s": scattering.xray_s,
        **{f"s_{pair}": curve for pair, curve in scattering.partials.items()},
    }
    columns: Columns = {"q_per_a": scattering.q_per_a}
    for name, curve in curves.items():
        if curve is not None:
            columns |= {name: curve.values, f"{name}_error": curve.errors}
    return columns


def _rings(rings: RingStatistics) -> Columns:
    return {
        "size": [float(size) for size in rings.rings_per_vertex],
        "rings_per_vertex": [count.value for count in rings.rings_per_vertex.values()],
        "rings_per_vertex_error": [count.error for count in rings.rings_per_vertex.values()],
    }


def transport_tables(diffusivities: Sequence[Diffusivity]) -> dict[str, Columns]:
    """Tables of the diffusivities, one row per trajectory, and of the mean squared displacements behind them."""
    intervals = [diffusivity.diffusivity_interval_cm2_s for diffusivity in diffusivities]
    return {
        "diffusivities": {
            "species": [diffusivity.species for diffusivity in diffusivities],
            "temperature_k": [diffusivity.temperature_k for diffusivity in diffusivities],
            "diffusivity_cm2_s": [_or_nan(diffusivity.diffusivity_cm2_s) for diffusivity in diffusivities],
            "low_95_cm2_s": [math.nan if interval is None else interval.low for interval in intervals],
            "high_95_cm2_s": [math.nan if interval is None else interval.high for interval in intervals],
            "upper_bound_cm2_s": [_or_nan(diffusivity.upper_bound_cm2_s) for diffusivity in diffusivities],
            "n_independent": [diffusivity.n_independent for diffusivity in diffusivities],
        },
        "msd": {
            "temperature_k": [diffusivity.temperature_k for diffusivity in diffusivities for _ in diffusivity.lags_fs],
            "lag_fs": [lag for diffusivity in diffusivities for lag in diffusivity.lags_fs],
            "msd_a2": [msd for diffusivity in diffusivities for msd in diffusivity.msd_a2],
            "msd_error_a2": [error for diffusivity in diffusivities for error in diffusivity.msd_error_a2],
        },
    }


def glass_tables(transition: GlassTransition) -> dict[str, Columns]:
    """Tables of the windows of a cooling run: mean energy and, where it changes, mean volume against temperature."""
    tables: dict[str, Columns] = {}
    for unit, branch_fit in (("ev_per_atom", transition.energy), ("a3_per_atom", transition.volume)):
        if branch_fit is not None:
            name = branch_fit.quantity
            tables[f"{name}_windows"] = {
                "temperature_k": branch_fit.window_temperatures_k,
                f"{name}_{unit}": branch_fit.window_values,
                f"{name}_error_{unit}": [_or_nan(error) for error in branch_fit.window_errors],
            }
    return tables


def parity_tables(report: ParityReport) -> dict[str, Columns]:
    """Tables of scores, fractions above the thresholds, diffusivities and descriptors; those without rows left out.

    Where the report comes from an engine, the g(r) of its melts are included as `RDF_FORMULA`: r in A and one column
    per pair, which `analyze parity` reads again.
    """
    scores = report.scores
    tables = {
        "parity": _from_rows(_SCORE_COLUMNS, map(_score_row, scores)),
        "parity_by_pair": _from_rows(
            ("formula", "pair", "r2", "r2_error"),
            (
                (score.formula, pair, r2.value, _or_empty(r2.error))
                for score in scores
                for pair, r2 in score.r2_by_pair.items()
            ),
        ),
        "parity_fractions": _from_rows(
            ("threshold", "count", "of", "fraction", "fraction_low", "fraction_high"),
            (
                (above.threshold, above.count, above.of, above.fraction, above.interval.low, above.interval.high)
                for above in report.fractions
            ),
        ),
        "parity_diffusivities": _from_rows(_DIFFUSIVITY_COLUMNS, _diffusivity_rows(scores)),
        "parity_descriptors": _from_rows(
            ("formula", "descriptor", "reference", "value", "error"),
            (
                (score.formula, entry.name, entry.reference.value, entry.value.value, entry.value.error)
                for score in scores
                for entry in score.descriptors
            ),
        ),
    }
    if report.provenance is not None:
        tables |= {f"RDF_{score.formula}": _curves(score) for score in scores if score.g}
    return _without_empty(tables)


_SCORE_COLUMNS = (
    *("formula", "status", "r2", "r2_error", "noise", "n_atoms", "temperature_k"),
    *("volume_a3_per_atom", "volume_error_a3_per_atom", "reference_volume_a3_per_atom", "reason"),
)


def _score_row(score: ParityScore) -> tuple[Cell, ...]:
    r2, volume = score.r2, score.volume_a3_per_atom
    return (
        score.formula,
        score.status,
        r2.value if r2 else None,
        _or_empty(r2.error) if r2 else None,
        score.noise,
        score.n_atoms,
        score.temperature_k,
        volume.value if volume else None,
        volume.error if volume else None,
        score.reference_volume_a3_per_atom,
        score.reason,
    )


_DIFFUSIVITY_COLUMNS = (
    *("formula", "species", "reference_cm2_s", "diffusivity_cm2_s", "low_cm2_s", "high_cm2_s"),
    *("ratio", "ratio_low", "ratio_high", "agree", "reason"),
)


def _diffusivity_rows(scores: Sequence[ParityScore]) -> Iterable[tuple[Cell, ...]]:
    for score in scores:
        for comparison in score.diffusivities:
            interval, ratio_interval = comparison.interval_cm2_s, comparison.ratio_interval
            yield (
                score.formula,
                comparison.species,
                comparison.reference_cm2_s,
                comparison.diffusivity_cm2_s,
                interval.low if interval else None,
                interval.high if interval else None,
                comparison.ratio,
                ratio_interval.low if ratio_interval else None,
                ratio_interval.high if ratio_interval else None,
                comparison.agree,
                comparison.reason,
            )


def _curves(score: ParityScore) -> Columns:
    return {
        "r": [f"{r:.4g}" for r in score.r_a],
        **{pair: [f"{value:.5f}" for value in curve] for pair, curve in score.g.items()},
    }


def _from_rows(names: Sequence[str], rows: Iterable[tuple[Cell, ...]]) -> Columns:
    """Turn rows into columns; no columns where there is no row."""
    columns = list(zip(*rows, strict=True))
    return dict(zip(names, columns, strict=True)) if columns else {}


def _without_empty(tables: Mapping[str, Columns]) -> dict[str, Columns]:
    return {name: columns for name, columns in tables.items() if columns}


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _or_empty(error: float) -> float | None:
    """Leave the cell of an unknown (infinite) error empty."""
    return error if math.isfinite(error) else None
