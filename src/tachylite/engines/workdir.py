"""Work kept on disk: checkpoints and finished answers, named by what was asked for."""

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
"""Files in the folder of a piece of work that is not finished."""

PARTIAL = ".partial"
"""Suffix of a file that is being written."""

_workdir: ContextVar[Path | None] = ContextVar("workdir", default=None)
_campaign: ContextVar[str] = ContextVar("campaign", default="")


def shared_workdir() -> Path:
    """Folder for work that outlives a campaign.

    That of `use_workdir`, else the one a launcher's job brings along in its metadata, else TACHYLITE_WORKDIR, else the
    user's cache. It must not be the folder a launcher runs a job in, which many launchers clean.
    """
    chosen = _workdir.get()
    if chosen is None and (brought := _metadata_of_job("workdir")):
        chosen = Path(brought)
    if chosen is None:
        cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
        chosen = Path(os.environ.get("TACHYLITE_WORKDIR", f"{cache}/tachylite/work"))
    return chosen.expanduser()


def current_workdir() -> Path:
    """Folder for the checkpoints and answers of the campaign under way."""
    campaign = _campaign.get() if _workdir.get() is not None else _metadata_of_job("campaign")
    return shared_workdir() / campaign


def _metadata_of_job(name: str) -> str:
    """What the job under way brings along; nothing outside of one."""
    from jobflow import CURRENT_JOB

    return str(CURRENT_JOB.job.metadata.get(name, "")) if CURRENT_JOB.job is not None else ""


@contextmanager
def use_workdir(folder: Path, campaign: str = "") -> Iterator[None]:
    """Keep work done inside the `with` block in a folder; that of a campaign in a folder of its own there."""
    tokens = _workdir.set(folder), _campaign.set(campaign)
    try:
        yield
    finally:
        _workdir.reset(tokens[0])
        _campaign.reset(tokens[1])


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder while working in it; who asks for the same work meanwhile waits, and then finds the answer.

    Raises InputError, naming the folder, where it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise cannot_write(folder, error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for remains in folder.glob(f".*{PARTIAL}"):  # of whoever was killed while writing
            remains.unlink()
        yield


def finish(path: Path, answer: bytes) -> None:
    """Write an answer, and remove what was only needed on the way to it."""
    write_atomically(path, answer)
    for name in (CHECKPOINT, LOG):
        (path.parent / name).unlink(missing_ok=True)


def content_key(*parts: Any) -> str:
    """A name for a piece of work: the same for equal JSON content, and for nothing else."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def cannot_write(folder: Path, error: OSError) -> InputError:
    """Name a folder and why it cannot be written."""
    return InputError(f"cannot write {folder}: {error.strerror}; choose another folder or free space")


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Replace a file so that a crash at any moment leaves the old or the new one, whole.

    Raises InputError, naming the folder, where it cannot be written; the old file is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
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
