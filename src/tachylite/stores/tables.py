"""Materials as rows of a table: one number a column, units in the names."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from jobflow import JobStore

from tachylite.stores.queries import MaterialFilter, newest_entries

if TYPE_CHECKING:
    from pandas import DataFrame

type Row = dict[str, Any]

_COLUMNS = {
    "material_id": "material_id",
    "formula": "formula",
    "n_atoms": "n_atoms",
    "status": "status",
    "protocol": "protocol.name",
    "engine": "provenance.engine",
    "model": "provenance.model",
    "seed": "provenance.seed",
    "created_at": "created_at",
    "melt_temperature_k": "protocol.melt.temperature_k",
    "volume_a3": "melt.equilibrium.volume_a3.value",
    "volume_error_a3": "melt.equilibrium.volume_a3.error",
    "density_g_cm3": "melt.density_g_cm3.value",
    "density_error_g_cm3": "melt.density_g_cm3.error",
    "glass_density_g_cm3": "glass.density_g_cm3",
    "glass_formation_energy_ev_per_atom": "glass.formation_energy_ev_per_atom",
    "glass_above_crystal_ev_per_atom": "glass.above_crystal_ev_per_atom",
    "amorphous_limit_ev_per_atom": "amorphous_limit.formation_energy_ev_per_atom",
}
"""Columns that every row has, and where a document holds them."""

_SPECIES = {
    "melt.diffusivities": {
        "D_{}_cm2_s": "diffusivity_cm2_s",
        "D_{}_low_cm2_s": "diffusivity_interval_cm2_s.low",
        "D_{}_high_cm2_s": "diffusivity_interval_cm2_s.high",
    },
    "activations": {"Ea_{}_ev": "activation_energy_ev.value", "Ea_{}_error_ev": "activation_energy_ev.error"},
}
"""Columns for each species: lists in a document, and where an element of the list holds them."""


def find_rows(store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]) -> list[Row]:
    """Find materials as `find_materials` does, as rows; only what they show is read from the store."""
    names = [*_COLUMNS.values(), "failures"]
    for place, columns in _SPECIES.items():
        names += [f"{place}.{path}" for path in ("species", *columns.values())]
    return [dict(_row(entry["output"])) for entry in newest_entries(store, names, limit=limit, **filters)]


def find_frame(store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]) -> "DataFrame":
    """Find materials as `find_materials` does, as a pandas DataFrame with a row for each."""
    from pandas import DataFrame

    return DataFrame(find_rows(store, limit=limit, **filters))


def _row(output: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for column, path in _COLUMNS.items():
        value = _at(output, path)
        yield column, str(value).replace(" ", "T")[:19] if column == "created_at" else value
    yield "failures", "; ".join(f"{one['stage']}: {one['reason']}" for one in output.get("failures") or ())
    for place, columns in _SPECIES.items():
        for one in _at(output, place) or ():
            for column, path in columns.items():
                yield column.format(one["species"]), _at(one, path)


def _at(content: Any, path: str) -> Any:
    for name in path.split("."):
        content = content.get(name) if isinstance(content, Mapping) else None
    return content
