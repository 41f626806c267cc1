"""Asking Slurm, and this machine, whether a job is still there."""

import functools
import shutil
import subprocess
from pathlib import Path

_SHELLS = {"bash", "dash", "fish", "ksh", "sh", "tcsh", "zsh"}


@functools.cache
def _has_slurm() -> bool:
    return shutil.which("squeue") is not None


def in_queue(job_id: str) -> bool | None:
    """Whether Slurm still has a job, waiting or running; None where it cannot be asked."""
    if not _has_slurm():
        return None
    command = ["squeue", "--noheader", f"--jobs={job_id}", "--format=%T"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own words
    if done.returncode:
        # long after its end Slurm no longer knows the number
        return False if "Invalid job id" in done.stderr else None
    return done.stdout.strip() in {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED"}


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
