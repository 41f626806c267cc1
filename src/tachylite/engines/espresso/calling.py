"""One call of pw.x in a folder of its own: progress, a stop before the walltime ends, and its error in one line."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.espresso.inputs import INPUT, OUTDIR, PREFIX
from tachylite.engines.interruption import Interruption, must_end

OUTPUT, ERRORS, PROCESS = "pw.out", "pw.err", "pw.pid"

POLL_S = 0.2
"""Seconds between two checks of a running pw.x."""

_SECONDS_TO_END = 60.0
"""For the electronic iteration under way after pw.x was asked to stop; then it is killed."""

_ENERGY = b"\n!    total energy"
_ROUTINE = re.compile(r"Error in routine\s+(\S+)\s*\(\s*(-?\d+)\)\s*:\s*\n([^%]*)")
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Unless the environment has them: members run side by side, and OpenBLAS would take every core for each."""


def call_pw(
    command: Sequence[str],
    folder: Path,
    interruption: Interruption,
    report: Callable[[int, float], None] = lambda done, elapsed_s: None,
) -> str | None:
    """Run pw.x on the input in a folder; return the error in one line, or None.

    `report` is called with the ionic steps that are done and the seconds since the start. After a signal, or before
    the walltime is used up, pw.x is asked to stop; an exception such as KeyboardInterrupt kills it.
    """
    try:
        exit_code = _run(command, folder, interruption, report)
    except OSError as error:  # such as a full disk
        return f"pw.x cannot be run in {folder}: {error.strerror}"
    if exit_code < 0:
        time.sleep(2 * POLL_S)  # a signal that ended pw.x may be on its way to this process, too
    return _error_message(folder, exit_code)


def _run(command: Sequence[str], folder: Path, interruption: Interruption, report: Callable[[int, float], None]) -> int:
    started = time.monotonic()
    with (folder / OUTPUT).open("wb") as output, (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            [*command, "-in", INPUT],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=_THREADS | os.environ,
            start_new_session=True,  # Ctrl-C is for this process, which asks pw.x to stop
        )
        (folder / PROCESS).write_text(str(process.pid), encoding="utf-8")
        try:
            _watch(process, folder, interruption, report, started)
        except BaseException:
            _end(process)
            raise
    (folder / PROCESS).unlink()
    return process.returncode


def _watch(
    process: subprocess.Popen[bytes],
    folder: Path,
    interruption: Interruption,
    report: Callable[[int, float], None],
    started: float,
) -> None:
    asked_to_stop: float | None = None
    while process.poll() is None:
        time.sleep(POLL_S)
        elapsed = time.monotonic() - started
        steps = count_steps(folder)
        report(steps, elapsed)
        # a step takes about as long as the first one, which also has to find the wave functions
        step_s = elapsed / steps if steps else 0.0
        if asked_to_stop is None and must_end(interruption, step_s):
            asked_to_stop = time.monotonic()
            with contextlib.suppress(OSError):  # pw.x may not have made its folder yet
                (folder / OUTDIR / f"{PREFIX}.EXIT").touch()
        elif asked_to_stop is not None and time.monotonic() - asked_to_stop > _grace_s(interruption):
            _end(process)


def _grace_s(interruption: Interruption) -> float:
    if interruption.signal is not None or interruption.deadline is None:
        return 5.0
    return min(_SECONDS_TO_END, max(interruption.deadline - time.monotonic(), 0.0) / 2)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_orphan(folder: Path) -> None:
    """End a pw.x that outlived the process which called it in this folder, so that nothing writes there any more."""
    with contextlib.suppress(OSError, ValueError):
        number = int((folder / PROCESS).read_text(encoding="utf-8"))
        # the number may belong to another process by now
        if Path(f"/proc/{number}/cwd").resolve() == folder.resolve():
            os.kill(number, signal.SIGKILL)


def has_ended(folder: Path) -> bool:
    """Whether the call of pw.x in a folder went on to its own end, also where it was asked to stop."""
    return "JOB DONE" in _text(folder / OUTPUT)


def count_steps(folder: Path) -> int:
    """Number of ionic steps whose energy pw.x has written."""
    try:
        return (folder / OUTPUT).read_bytes().count(_ENERGY)
    except OSError:
        return 0


def _error_message(folder: Path, exit_code: int) -> str | None:
    """Why pw.x failed, in one line: its own words, the signal that killed it, or the last line of its output."""
    text = _text(folder / OUTPUT)
    routine = _ROUTINE.search(text)
    if routine:
        name, number, words = routine.groups()
        return f"pw.x failed: error in {name} ({number}): {' '.join(words.split())[:200]}"
    if "convergence NOT achieved" in text:
        return _not_converged(text)
    if exit_code == 0 or "JOB DONE" in text:
        return None
    if exit_code < 0:
        return f"pw.x was killed by {signal.Signals(-exit_code).name}"
    last = [line for line in _text(folder / ERRORS).splitlines() if line.strip()]
    # a Fortran program says first what happened, and then where
    words = next((line for line in last if "rror" in line or "No space" in line), last[-1] if last else "")
    return f"pw.x failed: exit code {exit_code}" + (f": {' '.join(words.split())[:200]}" if words else "")


def _not_converged(text: str) -> str:
    """Words for electronic steps that did not converge."""
    match = re.search(r"convergence NOT achieved after\s+(\d+)", text)
    return f"the electronic steps did not converge in {match.group(1) if match else 'the allowed'} iterations"


def report_progress(label: str, done_before: int, total: int) -> Callable[[int, float], None]:
    """A function that reports the steps of a call to the listener of progress, after those done before."""

    def report(done: int, elapsed_s: float) -> None:
        listener = progress_listener.get()
        if listener is not None:
            rate = done / max(elapsed_s, 1e-9)
            listener(Progress(label=label, done=min(done_before + done, total), total=total, members=1, rate=rate))

    return report


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
