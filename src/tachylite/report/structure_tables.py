"""The structure of a trajectory as tables of numbers."""

from tachylite.report.csv_tables import Columns
from tachylite.schemas import StructureAnalysis
from tachylite.schemas.structure import StructureFactor


def structure_tables(found: StructureAnalysis) -> dict[str, Columns]:
    """Tables by name, each a mapping from column names with units to columns; only those with rows."""
    rdf: Columns = {"r_a": found.r_a}
    for partial in found.partials:
        rdf |= {f"g_{partial.pair}": partial.g, f"g_{partial.pair}_error": partial.g_error}
    rdf |= {"g_total": found.total_g, "g_total_error": found.total_g_error} if found.total_g else {}
    rows = [
        (one.center, one.neighbor, one.cutoff_a, float(n), fraction.value, fraction.error)
        for one in found.coordinations
        for n, fraction in one.fractions.items()
    ]
    names = ("center", "neighbor", "cutoff_a", "neighbors", "fraction", "fraction_error")
    angles: Columns = {"angle_deg": found.angles_deg} if found.angles else {}
    for one in found.angles:
        angles |= {one.triplet: one.density_per_deg, f"{one.triplet}_error": one.density_error_per_deg}
    tables = {
        "rdf": rdf,
        "coordination": dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {},
        "angles": angles,
        "structure_factors": _scattering(found),
        "rings": _rings(found),
    }
    return {name: table for name, table in tables.items() if table}


def _scattering(found: StructureAnalysis) -> Columns:
    scattering = found.scattering
    if scattering is None:
        return {}
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


def _rings(found: StructureAnalysis) -> Columns:
    if found.rings is None:
        return {}
    values = found.rings.rings_per_vertex
    return {
        "size": [float(size) for size in values],
        "rings_per_vertex": [one.value for one in values.values()],
        "rings_per_vertex_error": [one.error for one in values.values()],
    }
