"""What watches over VASP: it ends a run in time, names what went wrong, and changes nothing."""

import os
import time
from pathlib import Path

import pytest
from tests.engines.vasp.vasp_samples import metal, nve, request

from tachylite.engines import get_engine
from tachylite.engines.interruption import Interruption, must_end
from tachylite.engines.vasp.calling import CallContext, FrozenJobHandler, StopInTime, count_steps


@pytest.mark.parametrize(("step_s", "ends"), [(0.0, False), (2.0, False), (4.0, True)])
def test_three_steps_must_fit_into_the_time_left(step_s: float, ends: bool) -> None:
    assert must_end(Interruption(deadline=time.monotonic() + 10), step_s) is ends


def test_without_a_walltime_only_a_signal_ends_a_run() -> None:
    assert not must_end(Interruption(), 1e6)
    assert must_end(Interruption(signal=15), 0.0)


def test_vasp_is_told_to_stop_once(tmp_path: Path) -> None:
    handler = StopInTime(Interruption(signal=15), CallContext("melt", 0, 100))
    assert handler.check(str(tmp_path))
    assert handler.correct(str(tmp_path))["actions"] is None
    assert (tmp_path / "STOPCAR").read_text(encoding="utf-8") == "LSTOP = .TRUE.\n"
    assert not handler.check(str(tmp_path))


def test_a_vasp_that_is_silent_is_given_up_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "vasp.out").touch()
    assert not FrozenJobHandler().check(str(tmp_path))
    os.utime(tmp_path / "vasp.out", (0, 0))
    assert FrozenJobHandler().check(str(tmp_path))
    assert FrozenJobHandler().correct(str(tmp_path))["actions"] is None


def test_ionic_steps_are_counted(tmp_path: Path) -> None:
    assert count_steps(tmp_path) == 0
    lines = "DAV:   1    -0.1E+01\n   1 T=  5000. E= -.3E+02 F= -.3E+02 E0= -.3E+02  EK= 0.5E+01\n"
    (tmp_path / "OSZICAR").write_text(lines * 3, encoding="utf-8")
    assert count_steps(tmp_path) == 3
    (tmp_path / "OSZICAR").write_text("   1 F= -.3E+02 E0= -.3E+02  d E =-.1E-01\n", encoding="utf-8")
    assert count_steps(tmp_path) == 1


def test_custodian_changes_nothing_in_molecular_dynamics(vasp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_VASP", "crash:2")
    monkeypatch.setattr("atomate2.SETTINGS.VASP_CUSTODIAN_MAX_ERRORS", 0)
    get_engine("vasp").run([request(metal(), nve(4))], vasp)
    (folder,) = vasp.glob("run-*/chunk-*")
    for name in ("INCAR", "POSCAR", "KPOINTS"):
        assert (folder / name).read_bytes() == (folder / f"{name}.orig").read_bytes()
    assert not list(folder.glob("error.*"))
