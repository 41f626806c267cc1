"""What goes wrong with pw.x is one line in the document of its member, and the others go on."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from tests.engines.espresso.espresso_samples import ANY_FORCE_EV_A, engine, failing, silicon

from tachylite.engines.interruption import use_deadline
from tachylite.errors import OutOfTimeError
from tachylite.schemas import State

MISHAPS = {
    "kill": "pw.x was killed by SIGKILL",
    "full": "pw.x failed: exit code 2: Fortran runtime error: No space left on device",
    "crash": "pw.x failed: error in electrons (1): charge is wrong",
    "nothing": "pw.x ended without a result",
    "unconverged": "the electronic steps did not converge in 1 iterations",
}


def helium() -> State:
    return State.from_atoms(Atoms("He", positions=[[0, 0, 0]], cell=[4.0, 4.0, 4.0], pbc=True))


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=() if what == "kill" else pytest.mark.slow) for what in MISHAPS]
)
def test_one_line_for_the_member_and_the_others_go_on(pw: Path, tmp_path: Path, what: str) -> None:
    chosen = engine(command=failing(tmp_path, what, "He.upf"), max_pulay_gpa=1e3)
    states, labels = [helium(), silicon()], ["He", "Si"]
    common: dict[str, Any] = {"relax_cell": False, "labels": labels, "max_force_ev_a": ANY_FORCE_EV_A}
    bad, good = chosen.relax(states, pw, **common)
    assert (bad.status, good.status) == ("failed", "converged"), good.reason
    assert MISHAPS[what] in (bad.reason or "")
    assert "\n" not in (bad.reason or "")
    mended = engine(max_pulay_gpa=1e3)
    done = len(list(pw.glob("relax-*/relaxation.json")))
    again, _ = mended.relax(states, pw, **common)
    assert again.status == "converged", "the failed member is tried again when it is asked for"
    assert (done, len(list(pw.glob("relax-*/relaxation.json")))) == (1, 2)


@pytest.mark.parametrize(("what", "where"), [("kill-once", "cutoff-"), ("crash", "nosym_evc        = .false.")])
def test_a_crash_is_followed_by_a_call_without_use_of_symmetry(pw: Path, tmp_path: Path, what: str, where: str) -> None:
    """In the calculations that prepare the long one, too; the energy is the same."""
    unsteady, crystal = engine(command=failing(tmp_path, what, where)), silicon(5.4, (0, 0, 0))
    common: dict[str, Any] = {"relax_cell": False, "labels": ["Si"], "max_force_ev_a": ANY_FORCE_EV_A}
    (relaxation,) = unsteady.relax([crystal], pw, **common)
    assert relaxation.status == "converged", relaxation.reason
    inputs = [file.read_text() for file in pw.glob("relax-*/cutoff-*/pw.in")]
    assert ["nosym_evc        = .true." in text for text in inputs] == [True, True]
    (steady,) = engine().relax([crystal], pw / "steady", **common)
    assert relaxation.energy_ev_per_atom == pytest.approx(steady.energy_ev_per_atom, abs=1e-5)


def test_a_missing_program_or_pseudopotential_is_said_before_anything_is_computed(pw: Path) -> None:
    uranium = State.from_atoms(Atoms("U", positions=[[0, 0, 0]], cell=[3.0, 3.0, 3.0], pbc=True))
    (unknown,) = engine().relax([uranium], pw, relax_cell=False, labels=["U"])
    assert "no pseudopotential of U in " in (unknown.reason or "")
    (missing,) = engine(command="no-such-program").relax([silicon()], pw, relax_cell=False, labels=["Si"])
    assert "'no-such-program' (option command) is not on the PATH" in (missing.reason or "")
    assert not list(pw.glob("*/cutoff-*"))


def test_the_end_of_the_walltime_stops_it_and_the_rest_is_done_later(pw: Path) -> None:
    common: dict[str, Any] = {"relax_cell": False, "labels": ["Si"], "max_force_ev_a": ANY_FORCE_EV_A}
    with use_deadline(time.time() + 0.5), pytest.raises(OutOfTimeError):
        engine().relax([silicon()], pw, **common)
    assert signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, signal.Handlers.SIG_DFL)
    (later,) = engine().relax([silicon()], pw, **common)
    assert later.status == "converged"
