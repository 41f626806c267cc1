"""Structures of materials, as files that other programs read."""

from pathlib import Path

from tachylite.schemas import Material


def export_structures(material: Material, folder: Path) -> list[Path]:
    """Write the state that each step of a material left as an extended XYZ file, and give their paths."""
    from ase.io import write

    written = []
    for result in material.results:
        if not result.prepares and (state := result.shown_state) is not None:
            path = folder / f"{material.formula}-{material.material_id[:8]}-{result.name}.extxyz"
            write(path, state.atoms, format="extxyz")
            written.append(path)
    return written
