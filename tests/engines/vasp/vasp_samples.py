"""A machine with the stand-in for VASP, POTCARs without content, and small metals for both."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk

from tachylite.schemas import Request, Segment, State

ROOT = Path(__file__).parents[3]
COMMAND = f"env PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} -m tests.engines.vasp.stand_in_vasp"
NO_CONTENT = "this file stands where a pseudopotential would be"

TITLES = {
    "Cu": ("Cu_pv", "PAW_PBE Cu_pv 06Sep2000"),
    "Al": ("Al", "PAW_PBE Al 04Jan2001"),
    "Fe": ("Fe_pv", "PAW_PBE Fe_pv 06Sep2000"),
    "O": ("O", "PAW_PBE O 08Apr2002"),
}
"""Names of the Materials Project's POTCARs, and titles, which are in every published vasprun.xml."""


def write_potcars(folder: Path, elements: Sequence[str]) -> Path:
    """A folder of POTCARs as `PMG_VASP_PSP_DIR` names it, with headers alone."""
    for element in elements:
        name, title = TITLES[element]
        place = folder / "POT_GGA_PAW_PBE" / name
        place.mkdir(parents=True)
        (place / "POTCAR").write_text(
            f"  {title}\n   11.0\n parameters from PSCTR are:\n   VRHFIN ={element}: none\n   LEXCH  = PE\n"
            f"   TITEL  = {title}\n   POMASS =   1.000; ZVAL   =   11.000    mass and valenz\n"
            f"   ENMAX  =  100.000; ENMIN  =   50.000 eV\n END of PSCTR-controll parameters\n {NO_CONTENT}\n"
            " 1.0 2.0 3.0\n End of Dataset\n",
            encoding="utf-8",
        )
    return folder


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, elements: Sequence[str] = ("Cu", "Al")) -> None:
    """Have atomate2 and pymatgen find the stand-in and POTCARs, and custodian look often."""
    import atomate2
    from pymatgen.core import SETTINGS

    monkeypatch.setattr(atomate2.SETTINGS, "VASP_CMD", COMMAND)
    monkeypatch.setattr(atomate2.SETTINGS, "VASP_INCAR_UPDATES", {})
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(write_potcars(folder / "potcars", elements)))
    monkeypatch.setattr("tachylite.engines.vasp.calling.POLL_S", 0.05)
    monkeypatch.delenv("STAND_IN_VASP", raising=False)


def metal(symbol: str = "Cu", *, shaken_a: float = 0.05, temperature_k: float | None = 600.0, seed: int = 1) -> State:
    """Four atoms of a face-centred metal, off their places, in the order of no element."""
    atoms = bulk(symbol, "fcc", a=4.05 if symbol == "Al" else 3.61, cubic=True)
    rng = np.random.default_rng(seed)
    atoms.positions += rng.normal(0, shaken_a, atoms.positions.shape)
    state = State.from_atoms(atoms)
    if temperature_k is None:
        return state
    velocities = rng.normal(0, 0.003, (len(atoms), 3))
    return state.model_copy(update={"velocities": (velocities - velocities.mean(axis=0)).tolist()})


def alloy() -> State:
    """Cu and Al in turns, so that the order of a POSCAR is another one."""
    state = metal("Cu")
    return state.model_copy(update={"numbers": [29, 13, 29, 13]})


def request(state: State, *segments: Segment, label: str = "production") -> Request:
    return Request(label=label, state=state, segments=list(segments), seed=3)


def nve(steps: int, **changes: Any) -> Segment:
    return Segment(steps=steps, temperature_k=600, thermostat="none", **changes)
