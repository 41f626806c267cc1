"""Structures of materials, as files that other programs read."""

from collections.abc import Iterator
from pathlib import Path

from tachylite.schemas import Material, State


def export_structures(material: Material, folder: Path) -> list[Path]:
    """Write the last state of every melt and anneal, and the relaxed glass, as extended XYZ files."""
    from ase.io import write

    written = []
    for name, state in _states(material):
        path = folder / f"{material.formula}-{material.material_id[:8]}-{name}.extxyz"
        write(path, state.atoms, format="extxyz")
        written.append(path)
    return written


def _states(material: Material) -> Iterator[tuple[str, State]]:
    if material.melt is not None and material.melt.run is not None:
        yield "melt", material.melt.run.final
    for anneal in material.anneals:
        if anneal.run is not None:
            yield f"anneal-{anneal.temperature_k:g}K", anneal.run.final
    if material.glass is not None and material.glass.relaxation is not None:
        yield "glass", material.glass.relaxation.state
