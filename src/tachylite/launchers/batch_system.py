"""Whether a job still runs, according to Slurm or to the processes of this machine."""

import subprocess
from functools import cached_property
from pathlib import Path

_SHELLS = {"bash", "dash", "fish", "ksh", "sh", "tcsh", "zsh"}


class Queue:
    """Slurm's queue at the time of the first question, with a single call of squeue for any number of jobs."""

    @cached_property
    def _jobs(self) -> frozenset[str] | None:
        """Ids of jobs that wait or run; None where squeue fails."""
        try:
            command = ["squeue", "--noheader", "--format=%i"]
            process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own words
        # no Slurm here, or it does not answer
        except (OSError, subprocess.SubprocessError):
            return None
        return frozenset(process.stdout.split())

    def holds(self, job_id: str) -> bool | None:
        """Whether a job waits or runs; None if unknown."""
        return None if self._jobs is None else job_id in self._jobs


def worked_in(folder: str) -> bool | None:
    """Whether a process of this machine, other than a shell, has a folder as working directory; None if unknown."""
    processes = Path("/proc")
    if not (processes / "self" / "cwd").exists():
        return None
    resolved = Path(folder).resolve()
    for process in processes.iterdir():
        try:
            is_inside = process.name.isdigit() and (process / "cwd").readlink() == resolved
            # a shell that runs a job has a child process there; one without is a person looking around
            if is_inside and (process / "comm").read_text(encoding="utf-8").strip() not in _SHELLS:
                return True
        except PermissionError:  # of another user, so not one of our jobs
            continue
        except OSError:  # it has ended meanwhile
            continue
    return False
