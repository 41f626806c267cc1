"""Potentials of the user's own: what the page about them shows is run here."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ase import Atoms
from tests.engines.potentials.sample_structures import melt, state_of

from tachylite.engines import get_engine
from tachylite.engines.potentials.model import PotentialModel
from tachylite.engines.potentials.wrapped_model import load
from tachylite.errors import InputError
from tachylite.schemas import Request, Segment, State

PAGE = Path(__file__).parents[3] / "docs" / "own-potential.md"
CPU = torch.device("cpu")


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """A folder with the files that the page shows."""
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        (tmp_path / name).write_text(code)
    return tmp_path


def test_what_the_page_shows_keeps_the_contract(shown: Path) -> None:
    done = subprocess.run([sys.executable, "check.py"], cwd=shown, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_page_shows_the_message_of_a_wrong_sign(shown: Path) -> None:
    code = (shown / "spheres.py").read_text()
    (shown / "spheres.py").write_text(code.replace("(-overlap", "(overlap"))
    done = subprocess.run([sys.executable, "check.py"], cwd=shown, capture_output=True, text=True)
    (promised,) = re.findall(r"^AssertionError: .*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    last_line = done.stderr.strip().splitlines()[-1]
    assert re.fullmatch(re.escape(promised).replace(re.escape("..."), ".*"), last_line), last_line


def test_an_own_model_runs(shown: Path, tmp_path: Path) -> None:
    engine = get_engine(f"torchsim:{shown / 'spheres.py'}:SoftSpheres")
    with pytest.raises(InputError, match="does not know Cu"):
        engine.check_elements(["Ar", "Cu"])
    state = State.from_atoms(melt("Ar", 6, 20.0, seed=0, closest=2.5))
    segments = [Segment(steps=10, temperature_k=100.0, timestep_fs=2.0)]
    (answer,) = engine.run([Request(label="run", state=state, segments=segments, seed=0)], tmp_path)
    assert answer.run.status == "completed"
    assert answer.run.provenance.model.startswith("SoftSpheres")


def test_an_own_calculator_runs(shown: Path) -> None:
    engine = get_engine(f"ase:{shown / 'copper.py'}:copper")
    assert engine.provenance().model.startswith("LennardJones")


def test_a_model_of_torchsim_is_wrapped() -> None:
    pair = Atoms("Ar2", positions=[[0, 0, 0], [43.6, 0, 0]], cell=[20.0] * 3, pbc=True)
    loaded = load("torch_sim.models.lennard_jones:LennardJonesModel", CPU)
    assert isinstance(loaded.potential, PotentialModel)
    broken = pair.copy()
    broken.positions[0] = float("nan")
    energy = loaded.potential(state_of([pair, broken]))["energy"]
    assert energy.dtype == torch.float64
    assert energy.isnan().tolist() == [False, True]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, "engine 'torchsim' needs a model of yours; give torchsim:PACKAGE.MODULE:NAME"),
        ("mace", "needs a model of yours"),
        ("ase.calculators.emt:EMT", "gives a EMT, and no TorchSim model"),
        ("torch_sim.models.lennard_jones:Nope", "has no Nope"),
    ],
)
def test_what_is_no_model_is_refused(name: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(name, CPU)
