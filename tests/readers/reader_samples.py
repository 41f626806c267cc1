"""A walk of three atoms in a skewed, breathing cell, and what several programs would write of it."""

import gzip
from pathlib import Path

import h5py
import numpy as np
from ase import Atoms

from tachylite.arrays import Array

NUMBERS = np.array([3, 3, 8])
SYMBOLS = ["Li", "Li", "O"]
TRICLINIC = np.array([[6.0, 0, 0], [1.5, 5.5, 0], [-0.7, 0.9, 6.5]])


def walk(n_frames: int = 30, changing: bool = True) -> tuple[Array, Array]:
    """Unwrapped positions that leave the cell, (F, 3, 3), and cells (F, 3, 3)."""
    rng = np.random.default_rng(2)
    scaled = rng.random((3, 3)) + np.cumsum(rng.normal(0.06, 0.03, (n_frames, 3, 3)), axis=0)
    breathing = 1 + (0.02 * np.sin(np.arange(n_frames) / 3) if changing else np.zeros(n_frames))
    cells = TRICLINIC * breathing[:, None, None]
    return scaled @ cells, cells


def wrapped(positions: Array, cells: Array) -> Array:
    scaled: Array = positions @ np.linalg.inv(cells)
    return (scaled % 1.0) @ cells


def frames_of(positions: Array, cells: Array) -> list[Atoms]:
    return [
        Atoms(numbers=NUMBERS, positions=p, cell=cell, pbc=True)
        for p, cell in zip(wrapped(positions, cells), cells, strict=True)
    ]


def write_vasprun(
    path: Path, positions: Array, cells: Array, potim_fs: float = 2.0, end: str = "</modeling>\n"
) -> None:
    """Write the parts of a vasprun.xml that say where atoms are."""
    atoms = "".join(f"<rc><c>{symbol:2s}</c><c>1</c></rc>" for symbol in SYMBOLS)
    text = (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling><incar><i type="int" name="IBRION">0</i>'
        f'<i name="POTIM">{potim_fs}</i></incar><atominfo><atoms>3</atoms><array name="atoms">'
        f"<set>{atoms}</set></array></atominfo>"
    )
    for scaled, cell in zip((positions @ np.linalg.inv(cells)) % 1.0, cells, strict=True):
        text += (
            f'<calculation><scstep><energy/></scstep><structure><crystal><varray name="basis">{_rows(cell)}</varray>'
            f'</crystal><varray name="positions">{_rows(scaled)}</varray></structure></calculation>'
        )
    path.write_text(text + end, encoding="utf-8")


def _rows(rows: Array) -> str:
    return "".join(f"<v> {row[0]:.10f} {row[1]:.10f} {row[2]:.10f} </v>" for row in rows)


def write_dump(path: Path, positions: Array, cells: Array, columns: str, header: str = "") -> None:
    """Write a LAMMPS dump with the atoms in another order in every frame and an origin that is not zero."""
    origin = np.array([-1.0, 2.0, 0.5])
    rng = np.random.default_rng(0)
    lines: list[str] = []
    folded = wrapped(positions, cells)
    for i, (unwrapped, inside, cell) in enumerate(zip(positions, folded, cells, strict=True)):
        xy, xz, yz = cell[1, 0], cell[2, 0], cell[2, 1]
        low, high = origin, origin + np.diag(cell)
        bounds = [
            (low[0] + min(0, xy, xz, xy + xz), high[0] + max(0, xy, xz, xy + xz), xy),
            (low[1] + min(0, yz), high[1] + max(0, yz), xz),
            (low[2], high[2], yz),
        ]
        lines += [header] if header and i == 0 else []
        lines += ["ITEM: TIMESTEP", str(100 + 10 * i), "ITEM: NUMBER OF ATOMS", "3"]
        lines += ["ITEM: BOX BOUNDS xy xz yz pp pp pp", *(" ".join(f"{x:.12g}" for x in row) for row in bounds)]
        lines += [f"ITEM: ATOMS {columns}"]
        inverse = np.linalg.inv(cell)
        image = np.round((unwrapped - inside) @ inverse).astype(int)
        for atom in rng.permutation(3):
            known = {"id": atom + 1, "type": 1 if atom < 2 else 2, "element": SYMBOLS[atom]}
            for axis, name in enumerate("xyz"):
                known[name] = inside[atom, axis] + origin[axis]
                known[f"{name}u"] = unwrapped[atom, axis] + origin[axis]
                known[f"{name}s"] = (inside[atom] @ inverse)[axis]
                known[f"{name}su"] = (unwrapped[atom] @ inverse)[axis]
                known[f"i{name}"] = image[atom, axis]
            lines.append(" ".join(str(known[name]) for name in columns.split()))
    text = "\n".join(lines) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")


def write_h5md(path: Path, positions: Array, cells: Array, *, images: bool, unit: str = "nm") -> None:
    """Write H5MD as another program would: nanometres, picoseconds, a fixed time between frames, images or not."""
    folded = wrapped(positions, cells)
    with h5py.File(path, "w") as file:
        file.create_group("h5md/creator").attrs["name"] = "another program"
        group = file.create_group("particles/atoms")
        value = group.create_dataset("position/value", data=folded / 10)
        if unit:
            value.attrs["unit"] = unit
        time = group["position"].create_dataset("time", data=0.004)
        time.attrs["unit"] = "ps"
        group["species"] = NUMBERS
        group.create_group("box").attrs["boundary"] = np.array([b"periodic"] * 3)
        group["box"].create_dataset("edges/value", data=cells / 10)
        if images:
            group["image/value"] = np.round((positions - folded) @ np.linalg.inv(cells)).astype(int)
