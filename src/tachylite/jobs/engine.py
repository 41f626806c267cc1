"""Calling an engine from a job."""

from collections.abc import Sequence
from typing import Any

from tachylite.engines import Engine, get_engine
from tachylite.engines.workdir import current_workdir
from tachylite.schemas import Request

type EngineLike = str | Engine
"""An engine, or the name of one."""


def resolve_engine(engine: EngineLike) -> Engine:
    """Return the engine itself, given it or its name."""
    return get_engine(engine) if isinstance(engine, str) else engine


def simulate(engine: EngineLike, requests: Sequence[Request | None]) -> dict[str, list[Any]]:
    """Run requests; `runs` and `trajectories` in their order, None where there was no request."""
    asked = [r for r in requests if r is not None]
    answers = iter(resolve_engine(engine).run(asked, current_workdir()) if asked else [])
    aligned = [next(answers) if r is not None else None for r in requests]
    return {
        "runs": [a.run if a else None for a in aligned],
        "trajectories": [a.trajectory if a else None for a in aligned],
    }
