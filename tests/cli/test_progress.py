"""Progress as plain lines and as a bar."""

import io

import pytest
from rich.console import Console

from tachylite.cli.progress import PlainLines, counts, shown_progress
from tachylite.engines.base import Progress, progress_listener


def work(
    done: int, total: int = 1500, label: str = "melt at 3000 K", members: int = 1, rate: float = 100.0
) -> Progress:
    return Progress(label=label, done=done, total=total, members=members, rate=rate)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (work(0, rate=0), "0/1,500 steps"),
        (work(600, rate=85), "600/1,500 steps, 85 steps/s, 11 s left"),
        (work(0, 90_000), "0/90,000 steps, 100 steps/s, 15 min 0 s left"),
        (work(0, 900_000), "0/900,000 steps, 100 steps/s, 2 h 30 min left"),
        (work(1500), "1,500/1,500 steps, 100 steps/s"),
    ],
)
def test_counts(progress: Progress, expected: str) -> None:
    assert counts(progress) == expected


def test_plain_lines_come_at_the_ends_and_every_ten_seconds() -> None:
    lines: list[str] = []
    times = iter([0.0, 4.0, 9.0, 11.0, 11.0, 15.0])
    listener = PlainLines(lines.append, clock=lambda: next(times))
    for done in (0, 400, 900, 1100, 1500):
        listener(work(done))
    assert [line.split(" steps")[0] for line in lines] == [
        "melt at 3000 K: 0/1,500",
        "melt at 3000 K: 1,100/1,500",
        "melt at 3000 K: 1,500/1,500",
    ]


def test_a_second_stage_of_the_same_name_begins_again() -> None:
    lines: list[str] = []
    listener = PlainLines(lines.append, clock=lambda: 0.0)
    for done in (0, 1500, 0, 1500):
        listener(work(done, members=3))
    assert len(lines) == 4
    assert all(line.startswith("melt at 3000 K (3 at once): ") for line in lines)


@pytest.mark.parametrize("terminal", [True, False])
def test_work_that_ends_early_says_how_it_ended(terminal: bool) -> None:
    out = io.StringIO()
    with shown_progress(Console(file=out, force_terminal=terminal, width=120)):
        listener = progress_listener.get()
        assert listener is not None
        for done in (1, 137):
            listener(work(done, 1000, "element Li", rate=0.0))
        listener(Progress("element Li", 137, 137, 1, 0.0, outcome="converged after 137 steps"))
    assert out.getvalue().count("element Li: converged after 137 steps") == 1
    assert "1,000/1,000" not in out.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_engines_are_heard_inside_the_block_only(terminal: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    with shown_progress(console):
        listener = progress_listener.get()
        assert listener is not None
        for done in (0, 700, 1500, 0, 1500):
            listener(work(done))
        listener(work(10, label="quench [to] 300 K"))
    assert progress_listener.get() is None
    assert out.getvalue().count("melt at 3000 K: 1,500") == 2
    assert "quench [to] 300 K" in out.getvalue()
