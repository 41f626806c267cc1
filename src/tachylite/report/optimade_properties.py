"""What the properties of OPTIMADE entries mean: type, unit and description of each."""

from dataclasses import dataclass
from typing import Any, Literal

from tachylite.schemas.steps.columns import Cell

PREFIX = "_tachylite_"
"""Of the properties that the specification does not define."""

_DEFINITIONS = "https://schemas.optimade.org/defs/v1.3/properties/optimade/trajectories"


@dataclass(frozen=True)
class Property:
    """A property of entries; of trajectories with the names of its dimensions, frames first."""

    type: Literal["string", "integer", "float", "boolean", "timestamp", "list"]
    description: str
    unit: str | None = None
    dimensions: tuple[str, ...] = ()


_COMMON = {
    "last_modified": Property("timestamp", "When the material was computed"),
    "immutable_id": Property("string", "Not used"),
}
_CHEMISTRY = {
    "elements": Property("list", "Symbols of the elements", None, ("dim_elements",)),
    "nelements": Property("integer", "Number of elements"),
    "elements_ratios": Property("list", "Fractions of atoms, in the order of the elements", None, ("dim_elements",)),
    "chemical_formula_descriptive": Property("string", "Formula as chemists write it"),
    "chemical_formula_reduced": Property("string", "Formula with the elements in alphabetical order"),
    "chemical_formula_anonymous": Property("string", "Formula with letters for the elements, most frequent first"),
    "dimension_types": Property("list", "Periodic (1) along the three lattice vectors", None, ("dim_lattice",)),
    "nperiodic_dimensions": Property("integer", "Number of periodic directions"),
    "lattice_vectors": Property("list", "Lattice vectors as rows", "Å", ("dim_lattice", "dim_spatial")),
    "cartesian_site_positions": Property(
        "list", "Positions, not wrapped into the cell", "Å", ("dim_sites", "dim_spatial")
    ),
    "nsites": Property("integer", "Number of atoms"),
    "species": Property("list", "The kinds of atoms, each one element", None, ("dim_species",)),
    "species_at_sites": Property("list", "Kind of every atom", None, ("dim_sites",)),
    "structure_features": Property("list", "None: every atom has a place", None, ("dim_structure_features",)),
}
_OWN = {
    "material_id": Property("string", "Names a member of a campaign: its start, protocol, engine and seed"),
    "result": Property("string", "Which result of the protocol left the structure: step and variant"),
    "step": Property("string", "The step of the protocol"),
    "kind": Property("string", "The kind of the step: hold, ramp, relax, ..."),
    "temperature_k": Property("float", "Temperature of the step", "K"),
    "crystalline": Property("boolean", "Whether the structure is a crystal after all; null where it was not asked"),
    "start": Property("string", "How the material began"),
    "protocol": Property("string", "Name of the protocol"),
    "engine": Property("string", "Who computed the forces"),
    "model": Property("string", "The potential or functional"),
    "level": Property("string", "Level of theory: engine, model, weights and settings"),
    "seed": Property("integer", "Seed of packing, velocities and thermostat"),
    "trajectory_ids": Property("list", "SHA-256 of the trajectories behind the numbers", None, ("dim_trajectories",)),
}
_FRAMES = {
    "trajectory_id": Property("string", "SHA-256 of the whole trajectory as H5MD"),
    "stride": Property("integer", "Every how many recorded frames one is here"),
    "time_fs": Property("list", "Times of the frames", "fs", ("dim_frames",)),
    "frame_temperature_k": Property("list", "Temperature of the frames, of their kinetic energy", "K", ("dim_frames",)),
    "potential_energy_ev": Property("list", "Potential energies of the frames", "eV", ("dim_frames",)),
}

OF_THIS_PACKAGE = {PREFIX + name: known for name, known in _OWN.items()}
"""Properties that tell where a structure comes from."""

OF_STRUCTURES = _COMMON | _CHEMISTRY
"""Properties of structures that the specification defines."""

OF_TRAJECTORIES = (
    _COMMON
    | {
        name: Property("list", known.description, known.unit, ("dim_frames", *known.dimensions))
        for name, known in _CHEMISTRY.items()
    }
    | {
        "nframes": Property("integer", "Number of frames"),
        "reference_frames": Property("list", "First and last frame", None, ("dim_reference_frames",)),
    }
    | OF_THIS_PACKAGE
    | {PREFIX + name: known for name, known in _FRAMES.items()}
)


def definition(known: Property) -> dict[str, Any]:
    """As the info of version 1.2 has it in optimade-maker and optimade-python-tools."""
    unit = {"unit": known.unit} if known.unit else {}
    return {"description": known.description, "type": known.type, **unit}


def definition_of_frames(name: str, known: Property) -> dict[str, Any]:
    """As version 1.3 has it, with dimensions; what the specification defines is referred to by its address."""
    own = name.startswith(PREFIX)
    json_type = {"float": "number", "list": "array", "timestamp": "string"}.get(known.type, known.type)
    meaning: dict[str, Any] = {} if own else {"$id": f"{_DEFINITIONS}/{name}"}
    meaning |= {"title": name, "description": known.description, "type": [json_type, "null"]}
    unit = known.unit or ("dimensionless" if known.type in {"float", "integer"} else "inapplicable")
    meaning |= {"x-optimade-type": known.type, "x-optimade-unit": unit}
    if known.dimensions:
        sizes = [3 if dimension in {"dim_lattice", "dim_spatial"} else None for dimension in known.dimensions]
        compact = ["constant" if not own and axis == "dim_frames" else "no" for axis in known.dimensions]
        dimensions = {"names": list(known.dimensions), "sizes": sizes, "compactable": compact}
        meaning["x-optimade-dimensions"] = dimensions
    return meaning


def property_of(cell: Cell, name: str) -> Property:
    """Of a column of results: the number itself, its standard error, or an end of its 95 % interval."""
    unit = cell.column.shown_unit.removesuffix("/atom") if cell.column.per_atom else cell.column.shown_unit
    suffix = name.removeprefix(cell.quantity)
    words = {"_error": "standard error of {}", "_low": "lower end of the 95 % interval of {}"}
    words |= {"_high": "upper end of the 95 % interval of {}"}
    text = next((text for start, text in words.items() if suffix.startswith(start)), "{}")
    return Property("float", text.format(cell.heading), unit or "dimensionless")
