"""One call of VASP under custodian: progress, a stop before the walltime ends, and its error in one line."""

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
from tachylite.engines.interruption import Interruption, must_end
from tachylite.engines.vasp.setup import quietly, settings, vasp_command

POLL_S = 5.0
"""Seconds between two checks of a running VASP; custodian writes its log at each."""

_IONIC_STEP = b" F= "


@dataclass(frozen=True)
class CallContext:
    """The calculation that a call of VASP belongs to, for progress reports: label, steps done before, and in all."""

    label: str
    done_before: int
    total: int


class FrozenJobHandler(FrozenJobErrorHandler):
    """Ends a VASP that has written nothing for six hours; custodian's own handler would change ALGO and continue."""

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Report the error without a correction, so that custodian gives up."""
        return {"errors": ["FrozenJobHandler job"], "actions": None}


class StopInTime(ErrorHandler):
    """Makes VASP end after the current ionic step, by a STOPCAR: after a signal, or when time runs out."""

    is_monitor = True
    is_terminating = False
    raises_runtime_error = False

    def __init__(self, interruption: Interruption, context: CallContext) -> None:
        self.interruption, self.context = interruption, context
        self.started = time.monotonic()
        self.stop_requested = False

    def check(self, directory: str = "./") -> bool:
        """Report the progress of VASP; True once when it has to end."""
        done, elapsed = count_steps(Path(directory)), time.monotonic() - self.started
        _report(self.context, done, elapsed)
        if self.stop_requested or not must_end(self.interruption, elapsed / max(done, 1)):
            return False
        self.stop_requested = True
        return True

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Write the STOPCAR."""
        (Path(directory) / "STOPCAR").write_text("LSTOP = .TRUE.\n", encoding="utf-8")
        return {"errors": ["told to stop"], "actions": None}

    def as_dict(self) -> dict[str, Any]:
        """Name of the handler for custodian's log; its interruption cannot be serialised."""
        return {"@module": type(self).__module__, "@class": type(self).__name__}


def call_vasp(
    folder: Path,
    interruption: Interruption,
    context: CallContext,
    *,
    corrections: Sequence[ErrorHandler] = (),
) -> str | None:
    """Run VASP on the inputs in a folder; return the error in one line, or None.

    Apart from `corrections`, custodian only monitors and changes nothing. POTCARs are removed from the folder when
    VASP has ended. An exception such as KeyboardInterrupt makes VASP end at once, and is raised again.
    """
    from atomate2.vasp.run import run_vasp

    atomate2_settings = settings()
    try:
        with quietly():
            run_vasp(
                vasp_cmd=vasp_command(),
                vasp_gamma_cmd=atomate2_settings.VASP_GAMMA_CMD,
                max_errors=atomate2_settings.VASP_CUSTODIAN_MAX_ERRORS,
                # custodian copies the folder of the process there, which is not this one
                scratch_dir=None,  # type: ignore[arg-type]  # annotated as str; custodian's own default is None
                handlers=[*corrections, FrozenJobHandler(), StopInTime(interruption, context)],
                # vasprun.xml is checked when its steps are read
                validators=[VaspFilesValidator()],
                custodian_kwargs={"directory": str(folder), "polling_time_step": POLL_S, "monitor_freq": 1},
            )
    except Exception as error:  # custodian's handlers fail in their own ways on files that are broken
        return _error_message(folder, error)
    except BaseException:
        (folder / "STOPCAR").write_text("LABORT = .TRUE.\n", encoding="utf-8")
        raise
    finally:
        remove_potcars(folder)
    return None


def remove_potcars(folder: Path) -> None:
    """Remove POTCARs from a folder: their content is licensed, and their titles are in vasprun.xml."""
    for path in folder.glob("POTCAR*"):
        path.unlink()


def count_steps(folder: Path) -> int:
    """Number of ionic steps that VASP has finished, from OSZICAR."""
    try:
        return (folder / "OSZICAR").read_bytes().count(_IONIC_STEP)
    except OSError:
        return 0


def _error_message(folder: Path, error: Exception) -> str:
    """Custodian's message, with the errors it recognises in VASP's output, or the last line of that output."""
    message = str(error).removesuffix(". Terminating...") or type(error).__name__
    handler: Any = VaspErrorHandler()
    recognised = False
    with contextlib.suppress(OSError), quietly():
        recognised = handler.check(directory=str(folder))
    if recognised:
        return f"VASP failed: {message} ({', '.join(sorted(handler.errors))})"
    last_lines = [_last_line(folder / name) for name in ("std_err.txt", "vasp.out")]
    output = next((line for line in last_lines if line), "")
    return f"VASP failed: {message}" + (f": {output}" if output else "")


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((" ".join(line.split())[:200] for line in reversed(lines) if line.strip()), "")


def _report(context: CallContext, done: int, elapsed_s: float) -> None:
    listener = progress_listener.get()
    if listener is not None:
        rate = done / max(elapsed_s, 1e-9)
        done += context.done_before
        listener(Progress(label=context.label, done=done, total=context.total, members=1, rate=rate))
