"""Two atoms of silicon, settings under which pw.x needs a second for them, and programs that fail in its place."""

import shlex
import sys
from pathlib import Path
from typing import Any

from ase.build import bulk

from tachylite.engines import Engine, get_engine
from tachylite.schemas import Request, Segment, State

ANY_FORCE_EV_A = 1e3

FAILING = """
import os, re, signal, subprocess, sys
from pathlib import Path

what, where, *arguments = sys.argv[1:]
text = Path("pw.in").read_text()
if where in Path.cwd().as_posix() + text:
    if what == "kill":
        print("     Program PWSCF starts", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "kill-once" and not Path("killed").exists():
        Path("killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "full":
        print("At line 270 of file xml_io_base.f90", file=sys.stderr)
        print("Fortran runtime error: No space left on device", file=sys.stderr)
        sys.exit(2)
    if what == "crash":
        print(" %%%%%%%%%%%%%%%%%\\n     Error in routine electrons (1):\\n     charge is wrong\\n %%%%%%%%%%%%%%%")
        sys.exit(1)
    if what == "nothing":
        sys.exit(0)
    if what == "unconverged":
        Path("pw.in").write_text(re.sub(r"electron_maxstep *= *\\d+", "electron_maxstep = 1", text))
sys.exit(subprocess.call(["pw.x", *arguments]))
"""
"""Fails as `what` says where the word `where` is in the folder or the input, and is pw.x elsewhere."""


def failing(folder: Path, what: str, where: str) -> str:
    """A command for the engine."""
    script = folder / "failing_pw.py"
    script.write_text(FAILING, encoding="utf-8")
    return shlex.join([sys.executable, str(script), what, where])


def engine(**options: Any) -> Engine:
    return get_engine("espresso", **{"ecutwfc": 16, "kspacing": 1.2} | options)


def silicon(a: float = 5.43, shift_a: tuple[float, float, float] = (0.05, 0.02, -0.03)) -> State:
    atoms = bulk("Si", a=a)
    atoms.positions[1] += shift_a
    return State.from_atoms(atoms)


def request(*segments: Segment, state: State | None = None) -> Request:
    return Request(label="production", state=state or silicon(), segments=list(segments), seed=3)


def nve(steps: int, **changes: Any) -> Segment:
    return Segment(**{"steps": steps, "temperature_k": 600, "thermostat": "none", "record_every": 2} | changes)
