"""One call of VASP under custodian: watched, ended in time, and its complaint in one line."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custodian.custodian import ErrorHandler
from custodian.vasp.handlers import FrozenJobErrorHandler, VaspErrorHandler
from custodian.vasp.validators import VaspFilesValidator

from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.interruption import RESERVE_S, Interruption
from tachylite.engines.vasp.setup import quietly, settings, vasp_command

POLL_S = 5.0
"""Between two looks at a VASP that runs; custodian writes its log at each."""

STEPS_IN_RESERVE = 3
"""Ionic steps that must fit into the time left, as custodian's handler of the walltime has it."""

_IONIC_STEP = b" F= "


@dataclass(frozen=True)
class Work:
    """What a call of VASP is part of: steps done before it and in all, for whoever watches."""

    label: str
    before: int
    total: int


class FrozenJobHandler(FrozenJobErrorHandler):
    """Ends a VASP that has written nothing for six hours; custodian's own handler would change ALGO and go on."""

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Give up."""
        return {"errors": ["FrozenJobHandler job"], "actions": None}


class StopInTime(ErrorHandler):
    """Asks VASP, by a STOPCAR, to end after the ionic step under way: after a signal, or when time runs out."""

    is_monitor = True
    is_terminating = False
    raises_runtime_error = False

    def __init__(self, interruption: Interruption, work: Work) -> None:
        self.interruption, self.work = interruption, work
        self.started = time.monotonic()
        self.asked = False

    def check(self, directory: str = "./") -> bool:
        """Report how far VASP is, and say once whether it has to end."""
        done, elapsed = count_steps(Path(directory)), time.monotonic() - self.started
        _report(self.work, done, elapsed)
        if self.asked or not must_end(self.interruption, elapsed / max(done, 1)):
            return False
        self.asked = True
        return True

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Write the STOPCAR."""
        (Path(directory) / "STOPCAR").write_text("LSTOP = .TRUE.\n", encoding="utf-8")
        return {"errors": ["told to stop"], "actions": None}

    def as_dict(self) -> dict[str, Any]:
        """Name it in custodian's log; what it listens to cannot be written down."""
        return {"@module": type(self).__module__, "@class": type(self).__name__}


def must_end(interruption: Interruption, step_s: float) -> bool:
    """Whether a signal has come, or a few ionic steps more might not fit into the time left."""
    if interruption.signal is not None or interruption.deadline is None:
        return interruption.signal is not None
    return time.monotonic() + STEPS_IN_RESERVE * step_s + RESERVE_S > interruption.deadline


def call_vasp(
    folder: Path,
    interruption: Interruption,
    work: Work,
    *,
    corrections: Sequence[ErrorHandler] = (),
) -> str | None:
    """Run VASP on the inputs in a folder; a line that says what went wrong, or None.

    Beside `corrections`, custodian only watches: it changes nothing. POTCARs are removed from the folder when
    VASP has ended. An exception from outside asks VASP to end at once, and goes on its way.
    """
    from atomate2.vasp.run import run_vasp

    chosen = settings()
    try:
        with quietly():
            run_vasp(
                vasp_cmd=vasp_command(),
                vasp_gamma_cmd=chosen.VASP_GAMMA_CMD,
                max_errors=chosen.VASP_CUSTODIAN_MAX_ERRORS,
                # custodian copies the folder of the process there, which is not this one
                scratch_dir=None,
                handlers=[*corrections, FrozenJobHandler(), StopInTime(interruption, work)],
                # what vasprun.xml is worth, is seen when its steps are read
                validators=[VaspFilesValidator()],
                custodian_kwargs={"directory": str(folder), "polling_time_step": POLL_S, "monitor_freq": 1},
            )
    except Exception as error:  # custodian's handlers fail in their own ways on files that are broken
        return _complaint(folder, error)
    except BaseException:
        (folder / "STOPCAR").write_text("LABORT = .TRUE.\n", encoding="utf-8")
        raise
    finally:
        remove_potcars(folder)
    return None


def remove_potcars(folder: Path) -> None:
    """Leave no POTCAR behind: their content is licensed, and its titles are in vasprun.xml."""
    for path in folder.glob("POTCAR*"):
        path.unlink()


def count_steps(folder: Path) -> int:
    """Ionic steps that VASP has finished, by its OSZICAR."""
    try:
        return (folder / "OSZICAR").read_bytes().count(_IONIC_STEP)
    except OSError:
        return 0


def _complaint(folder: Path, error: Exception) -> str:
    """What custodian says, the errors that it knows from VASP's words, and else the last of these words."""
    what = str(error).removesuffix(". Terminating...") or type(error).__name__
    handler: Any = VaspErrorHandler()
    known = False
    with contextlib.suppress(OSError), quietly():
        known = handler.check(directory=str(folder))
    if known:
        return f"VASP failed: {what} ({', '.join(sorted(handler.errors))})"
    words = [_last_line(folder / name) for name in ("std_err.txt", "vasp.out")]
    said = next((line for line in words if line), "")
    return f"VASP failed: {what}" + (f": {said}" if said else "")


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((" ".join(line.split())[:200] for line in reversed(lines) if line.strip()), "")


def _report(work: Work, done: int, elapsed_s: float) -> None:
    listener = progress_listener.get()
    if listener is not None:
        rate = done / max(elapsed_s, 1e-9)
        listener(Progress(label=work.label, done=work.before + done, total=work.total, members=1, rate=rate))
