"""The command line: what it refuses, what it prints, how it ends."""

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

import tachylite
from tachylite.cli import main
from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.interruption import current_deadline
from tachylite.errors import InputError, OutOfTimeError
from tachylite.jobs.material import material_id
from tachylite.schemas import Failure, Material, Measured, Provenance
from tachylite.schemas.start import PackedStart
from tachylite.schemas.steps.volume import VolumeResult

Result = tuple[int, str, str]


class FakeEngine:
    """Knows lithium, phosphorus and oxygen, and computes nothing."""

    name = "fake"

    def check_elements(self, symbols: Sequence[str]) -> None:
        unknown = sorted(set(symbols) - {"Li", "P", "O"})
        if unknown:
            raise InputError(f"the fake model does not know {', '.join(unknown)}")

    def provenance(self, seed: int | None = None) -> Provenance:
        return Provenance(engine="fake", model="nothing", device="cpu", dtype="float64", seed=seed)


class FakeFlow:
    """Stands for `run_amorphous`: notes what it was asked, reports progress, answers with documents."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.failures: list[Failure] = []
        self.status = "completed"
        self.stop: BaseException | int | None = None
        self.options: dict[str, Any] = {}
        self.deadline: float | None = None

    def engine(self, _: str, **options: Any) -> FakeEngine:
        self.options = options
        return FakeEngine()

    def __call__(self, starts: Sequence[PackedStart], **options: Any) -> list[Material]:
        self.calls.append({"formulas": [start.formula for start in starts], **options})
        print("a library that prints")  # noqa: T201 - that is the point
        self.deadline = current_deadline()
        listener = progress_listener.get()
        assert listener is not None
        for done in (0, 500, 1000):
            listener(Progress(label="melt at 3000 K", done=done, total=1000, members=len(starts), rate=100.0))
        if isinstance(self.stop, int):
            os.kill(os.getpid(), self.stop)
        elif self.stop is not None:
            raise self.stop
        return [self.material(start, options) for start in starts]

    def material(self, start: PackedStart, options: dict[str, Any]) -> Material:
        formula, n_atoms = start.formula, sum(start.counts(options["protocol"].packing.n_atoms).values())
        search = VolumeResult(
            name="melt-volume",
            step="melt-volume",
            status="completed",
            formula=formula,
            n_atoms=n_atoms,
            temperature_k=3000,
            pressure_convention="virial",
            volume_a3=Measured(value=16.0 * n_atoms, error=0.2 * n_atoms),
            pressure_gpa=Measured(value=0.1, error=0.3),
        )
        return Material(
            material_id=material_id(start, options["protocol"], options["engine"], options["seed"]),
            formula=formula,
            elements=["Li", "O", "P"],
            n_atoms=n_atoms,
            status=self.status,
            failures=self.failures,
            results=[search],
            protocol=options["protocol"],
            provenance=options["engine"].provenance(options["seed"]),
        )


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeFlow:
    fake = FakeFlow()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tachylite.flows.run_amorphous", fake)
    monkeypatch.setattr("tachylite.cli.campaigns.plan.get_engine", fake.engine)
    return fake


@pytest.fixture
def command(flow: FakeFlow, capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    def call(*words: str) -> Result:
        code = main(words)
        out, err = capfd.readouterr()
        return code, out, err

    return call


def crystal(path: Path, species: Sequence[str]) -> Path:
    Structure(Lattice.cubic(3), species, [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]).to(str(path))
    return path


def test_the_version(command: Callable[..., Result]) -> None:
    assert command("--version") == (0, f"tachylite {tachylite.__version__}\n", "")


def test_no_command_shows_the_help(command: Callable[..., Result]) -> None:
    code, out, _ = command()
    assert code == 0
    assert all(name in out for name in ("run", "query", "status", "analyze", "protocols", "doctor"))


def test_protocols_are_listed_and_printed(command: Callable[..., Result]) -> None:
    code, out, _ = command("protocols")
    assert code == 0
    assert "zheng2024" in out
    code, out, _ = command("protocols", "zheng2024")
    assert code == 0
    assert out.startswith("# Sources")


def test_a_run_prints_progress_and_a_summary(command: Callable[..., Result], flow: FakeFlow) -> None:
    code, out, err = command("run", "Li3PO4", "--seed", "7", "--atoms", "16")
    assert code == 0
    assert "Li₃PO₄, 16 atoms, protocol quickstart, engine fake (nothing), seed 7: completed" in out
    assert "16.00 ± 0.20" in out
    assert "a library that prints" not in out + err
    assert err.splitlines()[0] == "melt at 3000 K: 0/1,000 steps, 100 steps/s, 10 s left"
    (call,) = flow.calls
    assert (call["formulas"], call["seed"], call["protocol"].packing.n_atoms) == (["Li3PO4"], 7, 16)
    assert call["workdir"] == Path("tachylite_store/work").absolute()
    assert "a library that prints" in (call["workdir"] / "tachylite.log").read_text(encoding="utf-8")


def test_json_is_alone_on_stdout(command: Callable[..., Result]) -> None:
    code, out, err = command("run", "Li3PO4", "Li2O", "--json")
    assert code == 0
    assert [one["formula"] for one in json.loads(out)] == ["Li3PO4", "Li2O"]
    assert "melt at 3000 K (2 at once)" in err


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("partial", 0), ("failed", 1)])
def test_failures_are_named_and_a_failed_material_ends_with_1(
    command: Callable[..., Result], flow: FakeFlow, status: str, code: int
) -> None:
    flow.status, flow.failures = status, [Failure(stage="quench", reason="no melt [at all]")]
    found, out, _ = command("run", "Li3PO4")
    assert found == code
    assert "failed: quench: no melt [at all]" in out


def test_what_the_store_holds_is_not_computed_again(command: Callable[..., Result], flow: FakeFlow) -> None:
    from tachylite.schemas import Trajectory
    from tachylite.stores import open_store

    command("run", "Li3PO4")
    options = flow.calls[0]
    document = flow.material(PackedStart(formula="Li3PO4"), options).model_dump(mode="json")
    store = open_store("tachylite_store")
    entry = {"uuid": "a", "index": 1, "output": document, "completed_at": "2026-01-01", "name": "material"}
    store.update(entry, save={"data": Trajectory})
    store.close()
    code, out, err = command("run", "Li3PO4", "Li2O")
    assert code == 0
    assert "Li3PO4 is in the store already; --force computes it again" in err
    assert "Li₃PO₄" in out
    assert flow.calls[-1]["formulas"] == ["Li2O"]
    command("run", "Li3PO4", "--force")
    assert flow.calls[-1]["formulas"] == ["Li3PO4"]


@pytest.mark.parametrize(
    ("stop", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; "),
        (signal.SIGINT, 130, "interrupted; "),
        (signal.SIGTERM, 143, "terminated; "),
        (OutOfTimeError("the walltime is used up at step 3"), 124, "the walltime is used up at step 3; "),
    ],
)
def test_stopped_it_says_how_to_go_on(
    command: Callable[..., Result], flow: FakeFlow, stop: BaseException | int, code: int, said: str
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    flow.stop = stop
    found, out, err = command("run", "Li3PO4")
    assert (found, out) == (code, "")
    assert err.splitlines()[-1].startswith(said)
    assert err.endswith("the same command goes on from there\n")
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_walltime_reaches_the_engines(command: Callable[..., Result], flow: FakeFlow) -> None:
    command("run", "Li3PO4")
    assert flow.deadline is None
    started = time.time()
    command("run", "Li3PO4", "--walltime", "2h30m")
    assert flow.deadline is not None
    assert started + 9000 <= flow.deadline < started + 9060


def test_options_reach_the_engine(command: Callable[..., Result], flow: FakeFlow) -> None:
    command("run", "Li3PO4", "--option", "repulsion=zbl", "--option", "guards.temperature_factor=4")
    assert flow.options == {"repulsion": "zbl", "guards": {"temperature_factor": "4"}}


def test_an_unexpected_error_is_one_line_without_debug(command: Callable[..., Result], flow: FakeFlow) -> None:
    flow.stop = RuntimeError("out of\nmemory")
    code, _, err = command("run", "Li3PO4")
    assert code == 3
    assert err.splitlines()[-1].startswith("error: unexpected RuntimeError: out of memory")
    with pytest.raises(RuntimeError):
        command("run", "Li3PO4", "--debug")


def test_a_crystal_goes_with_its_formula(command: Callable[..., Result], flow: FakeFlow, tmp_path: Path) -> None:
    file = crystal(tmp_path / "LiP.cif", ["Li", "P"])
    code, _, err = command("run", "LiP", "Li3PO4", "--crystal", str(file))
    assert code == 0, err
    assert list(flow.calls[0]["crystals"]) == ["LiP"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run"], "there is nothing to begin with; give formulas, or structures with --structure"),
        (["run", "Li3PO4", "--protokol", "x"], "No such option"),
        (["run", "Li3PO4", "--atoms", "0"], "--atoms"),
        (["run", "Li3PO4", "--walltime", "soon"], "--walltime 'soon' is not a time; write 2h30m"),
        (["run", "Li3PO4", "--option", "zbl"], "--option 'zbl' is not KEY=VALUE"),
        (["run", "Xx3PO4"], "unknown element 'Xx'"),
        (["run", ""], "the formula is empty"),
        (["run", "Li0"], "no atoms of Li"),
        (["run", "Li3PO4", "NaCl"], "the fake model does not know Cl, Na"),
        (["run", "Li3PO4", "P1O4Li3"], "Li3PO4 and P1O4Li3 would be the same material"),
        (["run", "Li3PO4", "--protocol", "zheng2023"], "did you mean 'zheng2024'?"),
        (["run", "Li3PO4", "--protocol", "bad.yaml"], "step 2 (anneal): unknown key 'tempertures_k'; did you mean"),
        (["run", "Li3PO4", "--store", "full"], "full is not a store"),
        (["run", "Li3PO4", "--report", "bad.yaml"], "cannot write into bad.yaml"),
        (["run", "Li3PO4", "--workdir", "bad.yaml/work"], "cannot write into bad.yaml/work"),
        (["run", "Li3PO4", "--crystal", "none.cif"], "structure file none.cif does not exist"),
        (["run", "Li3PO4", "--crystal", "bad.yaml"], "structure file bad.yaml cannot be read"),
        (["run", "Li3PO4", "--crystal", "MgO.cif"], "crystal MgO.cif is MgO, and not Li3PO4"),
        (["run", "--structure", "none.cif"], "structure file none.cif does not exist"),
        (["run", "--structure", "mp-1234"], "mp-1234 is asked from the Materials Project, which needs a key"),
        (["run", "Li2O", "--substitute", "Li=Na:0.5"], "--substitute replaces atoms of a crystal; give one with"),
        (["run", "--structure", "MgO.cif", "--substitute", "Mg:0.5"], "is not ELEMENT=ELEMENT:FRACTION, like Ge=Si"),
        (["run", "--structure", "MgO.cif", "--substitute", "Mg=Li:0.5"], "cannot be neutral"),
        (["run", "--structure", "MgO.cif", "--substitute", "Mg=Ca:0.5", "--atoms", "1"], "is no atom of 1"),
        (["protocols", "none"], "no protocol is named 'none'"),
        (["nonsense"], "No such command"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    command: Callable[..., Result], flow: FakeFlow, tmp_path: Path, words: list[str], expected: str
) -> None:
    melt, anneal = "{kind: hold, name: melt, temperature_k: 3000}", "{kind: hold, name: anneal, tempertures_k: [1]}"
    (tmp_path / "bad.yaml").write_text(f"steps: [{melt}, {anneal}]", encoding="utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    crystal(tmp_path / "MgO.cif", ["Mg", "O"])
    code, out, err = command(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert expected in err
    assert flow.calls == []
