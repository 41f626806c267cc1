"""The work folder: checkpoints and finished answers on disk, named by the content of their request."""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from tachylite.errors import InputError

CHECKPOINT, LOG = "checkpoint.pt", "log"
"""Files in the folder of a calculation that is not finished."""

_PARTIAL = ".partial"
"""Suffix of a file that is being written."""

_workdir: ContextVar[Path | None] = ContextVar("workdir", default=None)
_campaign: ContextVar[str] = ContextVar("campaign", default="")


def shared_workdir() -> Path:
    """Folder for checkpoints and answers that several campaigns share.

    It is that of `use_workdir`, or the one in the metadata of a launcher's job, or TACHYLITE_WORKDIR, or in the user's
    cache, whichever is set first. It must not be the folder a launcher runs a job in, which many launchers clean.
    """
    folder = _workdir.get()
    if folder is None and (of_job := _job_metadata("workdir")):
        folder = Path(of_job)
    if folder is None:
        cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
        folder = Path(os.environ.get("TACHYLITE_WORKDIR", f"{cache}/tachylite/work"))
    return folder.expanduser()


def current_workdir() -> Path:
    """Folder for the checkpoints and answers of the campaign under way."""
    campaign = _campaign.get() if _workdir.get() is not None else _job_metadata("campaign")
    return shared_workdir() / campaign


def _job_metadata(name: str) -> str:
    """Metadata of the jobflow job that is running; an empty string outside of a job."""
    from jobflow import CURRENT_JOB

    return str(CURRENT_JOB.job.metadata.get(name, "")) if CURRENT_JOB.job is not None else ""


@contextmanager
def use_workdir(folder: Path, campaign: str = "") -> Iterator[None]:
    """Use a work folder inside the `with` block, and in it a folder named by the campaign."""
    tokens = _workdir.set(folder), _campaign.set(campaign)
    try:
        yield
    finally:
        _workdir.reset(tokens[0])
        _campaign.reset(tokens[1])


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Lock a work folder inside the `with` block: other processes with the same request wait, then find the answer.

    Makes the folder. Raises InputError, naming it, where it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise cannot_write(folder, error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for partial_file in folder.glob(f".*{_PARTIAL}"):  # of a process that was killed while writing
            partial_file.unlink()
        yield


def write_answer(path: Path, answer: bytes) -> None:
    """Write a finished answer, and remove the checkpoint and log that led to it."""
    write_atomically(path, answer)
    for name in (CHECKPOINT, LOG):
        (path.parent / name).unlink(missing_ok=True)


def content_key(*parts: Any) -> str:
    """A name (hash) for a calculation: the same for equal JSON content, different otherwise."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def cannot_write(folder: Path, error: OSError) -> InputError:
    """Make the error that names a folder and why it cannot be written."""
    return InputError(f"cannot write {folder}: {error.strerror}; choose another folder or free space")


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Replace a file so that a crash at any moment leaves the old or the new one, whole.

    Raises InputError, naming the folder, where it cannot be written; the old file is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise cannot_write(path.parent, error) from error
