"""Work shared by real processes: every piece once, and again where one was killed."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from tachylite.errors import InputError
from tachylite.flows.processes import each_once, side_by_side

NAMES = [f"piece-{number}" for number in range(6)]
SPAWN = multiprocessing.get_context("spawn")


def work(folder: Path, began: float, seconds: float = 0.1) -> None:
    """Do all pieces; a line in `done` for each."""

    def do(index: int) -> None:
        time.sleep(seconds)
        with (folder / "done").open("a") as done:
            done.write(f"{index} {os.getpid()}\n")

    each_once(NAMES, folder, do, began=began)


def done(folder: Path) -> list[tuple[int, int]]:
    lines = [line.split() for line in (folder / "done").read_text(encoding="utf-8").splitlines()]
    return [(int(index), int(process)) for index, process in lines]


def test_every_piece_is_done_by_one_process(tmp_path: Path) -> None:
    with side_by_side(2, work, tmp_path, 0.0, 1.0):
        while not (tmp_path / "done").exists():  # until the other one is ready
            time.sleep(0.05)
        work(tmp_path, 0.0)
    assert sorted(index for index, _ in done(tmp_path)) == list(range(6))
    assert len({process for _, process in done(tmp_path)}) == 2, "both took part"


def test_what_was_finished_before_is_for_the_caller_to_judge(tmp_path: Path) -> None:
    work(tmp_path, 0.0, seconds=0)
    work(tmp_path, time.time() + 2, seconds=0)
    assert len(done(tmp_path)) == 12, "a store may have lost it since"


def test_the_piece_of_a_killed_process_is_done_by_another(tmp_path: Path) -> None:
    other = SPAWN.Process(target=work, args=(tmp_path, 0.0, 600.0))
    other.start()
    first = tmp_path / f"{NAMES[0]}.lock"
    while not first.exists():
        time.sleep(0.05)

    def do(index: int) -> None:
        finished.append(index)
        if len(finished) == 5:
            assert other.pid is not None
            os.kill(other.pid, signal.SIGKILL)

    finished: list[int] = []
    each_once(NAMES, tmp_path, do, began=0.0)
    other.join()
    assert finished == [1, 2, 3, 4, 5, 0], "it was waited for, and then done"


def test_the_others_end_where_the_first_does(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="broken"), side_by_side(2, work, tmp_path, 0.0, 600.0):
        raise RuntimeError("broken")
    assert time.monotonic() - started < 60


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"cannot write {tmp_path}/file/inside"):
        work(tmp_path / "file" / "inside", 0.0)
