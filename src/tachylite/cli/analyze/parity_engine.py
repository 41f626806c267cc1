"""`tachylite analyze parity A --engine`: melts computed here against references."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from tachylite.cli.options import parse_options
from tachylite.cli.output import log_to_file
from tachylite.cli.working import check_writable, default_workdir, resumable
from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.schemas.parity import ParityReference, ParityReport


def run_engine(
    reference: str,
    engine: str,
    options: Sequence[str],
    protocol: str,
    formulas: Sequence[str],
    smoothing: float,
    temperature: float | None,
    seed: int,
    store: Path | None,
) -> ParityReport:
    """Melt the compositions of the references and score them; interrupted, the same command goes on."""
    with redirect_stdout(sys.stderr):
        from rich.console import Console

        from tachylite.cli.progress import shown_progress
        from tachylite.configs import load_protocol
        from tachylite.engines import get_engine
        from tachylite.flows.parity import run_parity
        from tachylite.stores import open_store

        settings = load_protocol(protocol)
        forces = get_engine(engine, **parse_options(options))
        references = _references(reference, formulas, smoothing, temperature)
        job_store = open_store(store)
        folder = default_workdir(job_store)
        check_writable(folder)
    try:
        with resumable(folder), shown_progress(Console(file=sys.stderr)), log_to_file(folder / "tachylite.log"):
            return run_parity(references, protocol=settings, engine=forces, store=job_store, workdir=folder, seed=seed)
    finally:
        job_store.close()


def _references(
    pattern: str, formulas: Sequence[str], smoothing: float, temperature: float | None
) -> list[ParityReference]:
    """Read the references of the given formulas, or all of them where no formula is given."""
    from tachylite.analysis.parity_files import read_reference
    from tachylite.physics.composition import parse_formula
    from tachylite.readers.tables import composition_in, files_by_composition
    from tachylite.schemas.run import reduced_formula

    path = Path(pattern)
    alone = composition_in(path) if path.is_file() else None
    files = {alone: path} if alone is not None else files_by_composition(pattern)
    compositions = [reduced_formula(parse_formula(formula).unit) for formula in formulas] or list(files)
    missing = [formula for formula in compositions if formula not in files]
    if missing:
        raise InputError(f"{pattern} has no reference of {', '.join(missing)}")
    return [
        read_reference(files[formula], formula, smoothing_a=smoothing, temperature_k=temperature)
        for formula in compositions
    ]
