"""Structures and trajectories for OPTIMADE (https://optimade.org, DOI 10.1039/D4DD00039K), as JSON Lines.

`optimade.jsonl` has a structure for every completed result of a step that left one, with the numbers of that result and
their errors as properties that begin with `_tachylite_`; optimade-maker (DOI 10.1039/D6DD00125D) serves it, by
`optimade.yaml` beside it. `trajectories.jsonl.gz` has the recorded frames of runs, as version 1.3 of the
specification defines trajectories; optimade-maker does not serve these yet.
"""

import gzip
import io
import json
import math
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase
from typing import Any, TextIO

import yaml

from tachylite import __version__
from tachylite.report.optimade_properties import (
    OF_STRUCTURES,
    OF_THIS_PACKAGE,
    OF_TRAJECTORIES,
    PREFIX,
    Property,
    definition,
    definition_of_frames,
    property_of,
)
from tachylite.schemas import Material, Result, State, Trajectory
from tachylite.schemas.material import ACTIVATION
from tachylite.schemas.steps.base import result_name
from tachylite.schemas.steps.columns import Cell, cells

STRUCTURES, TRAJECTORIES, SETTINGS = "optimade.jsonl", "trajectories.jsonl.gz", "optimade.yaml"
VALUES_AT_MOST = 500_000
"""Coordinates of one trajectory: as BSON they stay below the 16 MB of a document of MongoDB."""

type Entry = dict[str, Any]


def write_structures(materials: Iterable[Material], folder: Path, description: str) -> int:
    """Write the structures of materials, and the settings by which optimade-maker serves them; how many there were."""
    settings = {
        "config_version": "0.1.0",
        "database_description": description,
        "entries": {"jsonl_path": STRUCTURES},
    }
    (folder / SETTINGS).write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    own: dict[str, Property] = {}
    count = 0
    with tempfile.TemporaryFile("w+", encoding="utf-8", dir=folder) as body:
        for material in materials:
            for entry, properties in structure_entries(material):
                own |= properties
                count += 1
                _write(body, entry)
        body.seek(0)
        with (folder / STRUCTURES).open("w", encoding="utf-8") as file:
            definitions = {name: definition(known) for name, known in (OF_STRUCTURES | OF_THIS_PACKAGE | own).items()}
            _write_head(file, "1.2.0", "structures", "Structures that steps of simulations left", definitions)
            # definitions come first, and are known last
            shutil.copyfileobj(body, file)
    return count


def write_trajectories(runs: Iterable[tuple[Material, Result, Trajectory]], folder: Path) -> int:
    """Write the recorded frames of runs; how many runs there were."""
    count = 0
    with (
        (folder / TRAJECTORIES).open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as packed,
        io.TextIOWrapper(packed, encoding="utf-8") as file,
    ):
        definitions = {name: definition_of_frames(name, known) for name, known in OF_TRAJECTORIES.items()}
        _write_head(file, "1.3.0", "trajectories", "Frames of molecular dynamics", definitions)
        for material, result, trajectory in runs:
            _write(file, trajectory_entry(material, result, trajectory))
            count += 1
    return count


def structure_entries(material: Material) -> Iterator[tuple[Entry, dict[str, Property]]]:
    """An entry for every completed result that left a structure, each with the definitions of its measured numbers."""
    for result in material.results:
        if result.status == "completed" and result.final is not None:
            numbers = {
                name: (known, value) for cell in result_cells(material, result) for name, known, value in _own(cell)
            }
            attributes = {
                **_of_material(material),
                **_chemistry(result.final),
                "structure_features": [],
                "lattice_vectors": result.final.cell,
                "cartesian_site_positions": result.final.positions,
                **_of_result(material, result),
                **{name: value for name, (_, value) in numbers.items()},
            }
            entry = {"type": "structures", "id": f"{material.material_id}-{result.name}", "attributes": attributes}
            yield entry, {name: known for name, (known, _) in numbers.items()}


def trajectory_entry(material: Material, result: Result, trajectory: Trajectory) -> Entry:
    """The frames of a run; where they are too many, every second, third, ... of them, counted from the last.

    What is the same in all frames is a list of one value, the compact form of the specification.
    """
    stride = math.ceil(trajectory.positions.size / VALUES_AT_MOST)
    chosen = slice((trajectory.n_frames - 1) % stride, None, stride)
    cells_of_frames = trajectory.cells[chosen]
    constant = bool((cells_of_frames == cells_of_frames[0]).all())
    energies = trajectory.energies_ev
    times = trajectory.times_fs[chosen].tolist()
    attributes = {
        **_of_material(material),
        **{name: [value] for name, value in _chemistry(trajectory.frame(0)).items()},
        "structure_features": [[]],
        "nframes": len(times),
        "reference_frames": sorted({0, len(times) - 1}),
        "lattice_vectors": cells_of_frames[: 1 if constant else None].tolist(),
        "cartesian_site_positions": trajectory.positions[chosen].round(5).tolist(),
        **_of_result(material, result),
        f"{PREFIX}trajectory_id": trajectory.sha256,
        f"{PREFIX}stride": stride,
        f"{PREFIX}time_fs": times,
        f"{PREFIX}frame_temperature_k": [_finite(value) for value in trajectory.temperatures_k[chosen].tolist()],
        f"{PREFIX}potential_energy_ev": None if energies is None else energies[chosen].tolist(),
    }
    return {"type": "trajectories", "id": trajectory.sha256, "attributes": attributes}


def _of_material(material: Material) -> Entry:
    return {"last_modified": material.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"), "immutable_id": None}


def _of_result(material: Material, result: Result) -> Entry:
    """What tells where a structure comes from."""
    order = result.measured_order
    values = {
        "material_id": material.material_id,
        "result": result.name,
        "step": result.step,
        "kind": result.kind,
        "temperature_k": result.temperature_k,
        "crystalline": None if order is None else order.crystalline,
        "start": material.begins_as or "packed",
        "protocol": material.protocol.name,
        "engine": material.provenance.engine,
        "model": material.provenance.model,
        "level": material.provenance.level,
        "seed": material.provenance.seed,
        "trajectory_ids": list(result.trajectory_ids),
    }
    return {PREFIX + name: value for name, value in values.items()}


def _chemistry(state: State) -> Entry:
    """The atoms of a periodic cell by their kinds, in the terms of the specification."""
    symbols = state.atoms.get_chemical_symbols()
    counts = Counter(symbols)
    elements = state.elements
    divisor = reduce(math.gcd, counts.values())
    units = {element: counts[element] // divisor for element in elements}
    return {
        "elements": elements,
        "nelements": len(elements),
        "elements_ratios": [counts[element] / len(symbols) for element in elements],
        "chemical_formula_descriptive": state.formula,
        "chemical_formula_reduced": _formula(elements, list(units.values())),
        "chemical_formula_anonymous": _formula(_anonymous(), sorted(units.values(), reverse=True)),
        "dimension_types": [1, 1, 1],
        "nperiodic_dimensions": 3,
        "nsites": len(symbols),
        "species": [{"name": element, "chemical_symbols": [element], "concentration": [1.0]} for element in elements],
        "species_at_sites": symbols,
    }


def _formula(names: Iterable[str], counts: Sequence[int]) -> str:
    return "".join(f"{name}{count if count > 1 else ''}" for name, count in zip(names, counts, strict=False))


def _anonymous() -> Iterator[str]:
    """A, B, ..., Z, Aa, Ba, ..."""
    yield from (capital + small for small in ("", *ascii_lowercase) for capital in ascii_uppercase)


def result_cells(material: Material, result: Result) -> Iterator[Cell]:
    """Numbers of a result, with activation energies of the series that it belongs to."""
    content = result.model_dump()
    for column in result.columns:
        yield from cells(column, content)
    series = {"", result_name(result.step, result.series_variant)}
    laws = [law for law in material.activations if law.name in series]
    yield from cells(ACTIVATION, {"activations": [law.model_dump() for law in laws]})


def _own(cell: Cell) -> Iterator[tuple[str, Property, float]]:
    """The number of a cell and its error or interval, each as a property; those that are not known are left out."""
    for name, value in cell.fields():
        if (known := _finite(value)) is not None:
            yield f"{PREFIX}{name.lower()}", property_of(cell, name), known


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _write_head(
    file: TextIO, version: str, entry_type: str, description: str, definitions: Mapping[str, Mapping[str, Any]]
) -> None:
    """The lines before the entries: version, provider, and what properties mean."""
    provider = {
        "name": "tachylite",
        "description": "Amorphous materials by simulation",
        "prefix": PREFIX.strip("_"),
        "homepage": "https://github.com/tachylite/tachylite",
    }
    implementation = {"name": "tachylite", "version": __version__}
    _write(file, {"x-optimade": {"api_version": version}})
    base = {
        "api_version": version,
        "available_api_versions": [],
        "formats": ["json"],
        "available_endpoints": ["info", entry_type],
        "entry_types_by_format": {"json": [entry_type]},
    }
    # optimade-maker looks for definitions up to the first line without `properties`: hence no line of `meta`
    of_file = {"provider": provider, "implementation": implementation, "properties": {}}
    _write(file, {"type": "info", "id": "/", "attributes": base, **of_file})
    info = {"formats": ["json"], "description": description, "properties": definitions}
    _write(file, {"type": "info", "id": entry_type, **info, "output_fields_by_format": {"json": list(definitions)}})


def _write(file: TextIO, content: Mapping[str, Any]) -> None:
    file.write(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")
