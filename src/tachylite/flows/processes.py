"""Work shared by processes: each piece is done by one of them, and by another where that one was killed."""

import fcntl
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tachylite.engines.interruption import Terminated, current_deadline, raising_terminated, use_deadline
from tachylite.engines.sharing import take_share
from tachylite.engines.workdir import cannot_write
from tachylite.errors import OutOfTimeError


def each_once(names: Sequence[str], folder: Path, work: Callable[[int], None], *, began: float) -> None:
    """Do all pieces of work, by their position, that no process has finished since `began` (seconds since 1970).

    A piece that another process is at is waited for at the end, and done here where that process has ended without
    finishing it. Names, of files in `folder`, tell the pieces apart. Raises InputError where the folder cannot be
    written.
    """
    busy = [i for i in range(len(names)) if not _do(folder / f"{names[i]}.lock", i, work, began, fcntl.LOCK_NB)]
    for index in busy:
        _do(folder / f"{names[index]}.lock", index, work, began, 0)


def _do(path: Path, index: int, work: Callable[[int], None], began: float, flag: int) -> bool:
    """Do a piece of work unless it is finished; False where another process is at it and is not waited for."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | flag)
        except BlockingIOError:
            return False
        written = path.stat()
        # some file systems round the time of a file down to a second
        if written.st_size and written.st_mtime >= int(began):
            return True
        work(index)
        lock.write("finished\n")
    return True


@contextmanager
def side_by_side(n_processes: int, work: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """Have `work(*arguments)` done by other processes too while the `with` block runs, `n_processes` with this one.

    Each takes its share of the cores, and the next GPU. Where the block ends with an exception they are told to save
    and to end; both ways they are waited for.
    """
    deadline, context = current_deadline(), multiprocessing.get_context("spawn")
    others = [
        context.Process(target=_work_beside, args=(number, n_processes, deadline, work, arguments))
        for number in range(1, n_processes)
    ]
    for process in others:
        process.start()
    if others:
        take_share(0, n_processes)
    try:
        yield
    except BaseException:
        for process in others:
            process.terminate()
        raise
    finally:
        for process in others:
            process.join()


def _work_beside(
    number: int, n_processes: int, deadline: float | None, work: Callable[..., None], arguments: Sequence[Any]
) -> None:
    take_share(number, n_processes)
    try:
        with use_deadline(deadline), raising_terminated():
            work(*arguments)
    except (KeyboardInterrupt, Terminated, OutOfTimeError):
        return  # the first process says so
