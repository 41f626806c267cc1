"""Training of NEPs by the real neppo, read by the real calorine: what they learn, and how they stop and go on."""

from pathlib import Path

import numpy as np
import pytest
from tests.learning.potentials.potential_samples import copper, frame

from tachylite.engines import get_engine
from tachylite.engines.torchsim.engine import TorchSimEngine
from tachylite.errors import InputError
from tachylite.learning.potentials import nep
from tachylite.learning.potentials.nep import NepTraining, closest_pair_a

QUICK = NepTraining(steps=300, radial_cutoff_a=4.5, angular_cutoff_a=3.5, neurons=10, learning_rate=1e-2)


def force_error(file: Path) -> float:
    engine = get_engine(f"nep:{file}")
    assert isinstance(engine, TorchSimEngine)
    points = engine.single_points([f.state for f in copper()])
    return float(
        np.sqrt(np.mean([(p.forces_ev_a - f.label.forces_ev_a) ** 2 for p, f in zip(points, copper(), strict=True)]))
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, int, float]]]:
    heard: list[tuple[int, int, float]] = []
    folder = tmp_path_factory.mktemp("nep")
    return QUICK.train(copper(), ["Cu"], folder, seed=1, report=lambda *line: heard.append(line)), heard


def test_it_learns_copper(trained: tuple[Path, list[tuple[int, int, float]]]) -> None:
    file, heard = trained
    rms = np.sqrt(np.mean([f.label.forces_ev_a**2 for f in copper()]))
    assert force_error(file) < 0.25 * rms
    assert heard[-1][:2] == (300, 300)
    assert heard[-1][2] == pytest.approx(force_error(file), rel=1e-3), "calorine computes what neppo trained"


def test_stopped_it_goes_on_to_the_same_potential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nep, "_PART", 20)
    short = QUICK.model_copy(update={"steps": 60})

    def stop(done: int, total: int, error: float) -> None:
        if done == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        short.train(copper(), ["Cu"], tmp_path / "stopped", seed=3, report=stop)
    steps: list[int] = []
    stopped = short.train(copper(), ["Cu"], tmp_path / "stopped", seed=3, report=lambda done, *_: steps.append(done))
    assert steps == [60]
    whole = short.train(copper(), ["Cu"], tmp_path / "whole", seed=3)
    assert stopped.read_text() == whole.read_text()
    other = short.train(copper(), ["Cu"], tmp_path / "other", seed=4)
    assert other.read_text() != whole.read_text()


def test_it_goes_on_from_a_potential(trained: tuple[Path, object], tmp_path: Path) -> None:
    first, _ = trained
    gentle = QUICK.model_copy(update={"steps": 20, "learning_rate": 1e-4})
    second = gentle.train(copper(), ["Cu"], tmp_path / "second", seed=2, start=first)
    assert force_error(second) < 1.2 * force_error(first)
    with pytest.raises(InputError, match="does not know Au; leave --start out"):
        gentle.train(copper(), ["Au", "Cu"], tmp_path / "third", seed=2, start=first)
    (tmp_path / "none.txt").write_text("hello")
    with pytest.raises(InputError, match="cannot be read as a NEP to start from"):
        gentle.train(copper(), ["Cu"], tmp_path / "third", seed=2, start=tmp_path / "none.txt")


def test_atoms_that_come_nearer_than_ever_repel(trained: tuple[Path, object]) -> None:
    file, _ = trained
    engine = get_engine(f"nep:{file}")
    assert isinstance(engine, TorchSimEngine)
    closest = min(closest_pair_a(f) for f in copper())
    near, nearer = engine.single_points([frame(a * closest * 2**0.5, 0.0).state for a in (0.7, 0.55)])
    assert nearer.energy_ev > near.energy_ev + 100
