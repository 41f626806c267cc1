"""Asking Slurm, and this machine, whether a job is still there."""

import subprocess
from functools import cached_property
from pathlib import Path

_SHELLS = {"bash", "dash", "fish", "ksh", "sh", "tcsh", "zsh"}


class Queue:
    """Slurm's queue as it was when it was first asked about: one question for any number of jobs."""

    @cached_property
    def _jobs(self) -> frozenset[str] | None:
        """Jobs that wait or run; None where Slurm cannot be asked."""
        try:
            command = ["squeue", "--noheader", "--format=%i"]
            said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout  # noqa: S603 - our own words
        # there is no Slurm here, or it does not answer
        except (OSError, subprocess.SubprocessError):
            return None
        return frozenset(said.split())

    def holds(self, job_id: str) -> bool | None:
        """Whether a job waits or runs; None where that cannot be known."""
        return None if self._jobs is None else job_id in self._jobs


def worked_in(folder: str) -> bool | None:
    """Whether a process of this machine, other than a shell, works in a folder; None where that cannot be known."""
    processes = Path("/proc")
    if not (processes / "self" / "cwd").exists():
        return None
    place = Path(folder).resolve()
    for process in processes.iterdir():
        try:
            here = process.name.isdigit() and (process / "cwd").readlink() == place
            # what a shell runs is a process of its own, and without that it is somebody who looks around
            if here and (process / "comm").read_text(encoding="utf-8").strip() not in _SHELLS:
                return True
        except PermissionError:  # somebody else's, and so none of ours
            continue
        except OSError:  # it has ended meanwhile
            continue
    return False
