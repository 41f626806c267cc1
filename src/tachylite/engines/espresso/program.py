"""pw.x with its pseudopotentials and a level of theory: one method that computes a task in a folder."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tachylite.engines.espresso.calling import call_pw, has_ended
from tachylite.engines.espresso.inputs import OUTDIR, PREFIX, Task, input_text, write_input
from tachylite.engines.espresso.output import Output, read_output
from tachylite.engines.espresso.settings import LevelOfTheory
from tachylite.engines.espresso.setup import pw_command
from tachylite.engines.interruption import Interruption
from tachylite.schemas import State


@dataclass(frozen=True)
class Program:
    """The command of pw.x, the folder of its pseudopotentials, and the level of theory."""

    command: str | None
    """As the user gave it; None for pw.x on the PATH."""
    pseudopotentials: Path
    level: LevelOfTheory

    def compute(
        self,
        folder: Path,
        state: State,
        task: Task,
        interruption: Interruption,
        *,
        report: Callable[[int, float], None] = lambda done, elapsed_s: None,
        earlier: Path | None = None,
    ) -> tuple[Output, str | None]:
        """Compute a task in a new folder; what it gave, and its error in one line, or None.

        pw.x's own files are moved from the folder of an `earlier` call, to begin with its charge density and, where
        the task says so, its wave functions. Raises InputError where the folder cannot be written.
        """
        # files of a call that was killed may be cut off
        if earlier is None or not has_ended(earlier) or not (earlier / OUTDIR).is_dir():
            earlier, task = None, replace(task, scratch=True, same_waves=False)
        write_input(folder, input_text(state, self.level, task, self.pseudopotentials))
        if earlier is not None:
            shutil.rmtree(folder / OUTDIR, ignore_errors=True)
            (earlier / OUTDIR).rename(folder / OUTDIR)
            (folder / OUTDIR / f"{PREFIX}.xml").unlink(missing_ok=True)
        error = call_pw(pw_command(self.command), folder, interruption, report)
        return read_output(folder), error


def remove_outdirs(folder: Path) -> None:
    """Remove pw.x's own files, which are large, below the folder of a calculation that is finished."""
    for outdir in folder.glob(f"*/{OUTDIR}"):
        shutil.rmtree(outdir, ignore_errors=True)
