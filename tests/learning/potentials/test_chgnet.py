"""Fine-tuning of the real CHGNet by its own trainer, read by this package's engine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.io import write
from tests.learning.potentials.potential_samples import copper

from tachylite.engines import get_engine
from tachylite.engines.torchsim.engine import TorchSimEngine
from tachylite.errors import InputError
from tachylite.learning.potentials.chgnet import ChgnetTraining
from tachylite.schemas.evaluation import LabelledFrame

QUICK = ChgnetTraining(epochs=3, batch=2, learning_rate=2e-3)
FRAMES = [f for f in copper() if f.trajectory in ("run 1", "run 3")]


def errors(name: str, frames: list[LabelledFrame]) -> tuple[float, float]:
    """RMS error of forces in eV/A, and mean error of energies in eV/atom."""
    engine = get_engine(name)
    assert isinstance(engine, TorchSimEngine)
    points = list(zip(engine.single_points([f.state for f in frames]), frames, strict=True))
    forces = np.sqrt(np.mean([(p.forces_ev_a - f.label.forces_ev_a) ** 2 for p, f in points]))
    return float(forces), float(np.mean([p.energy_ev - f.label.energy_ev for p, f in points]) / 8)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return QUICK.train(FRAMES, ["Cu"], tmp_path_factory.mktemp("chgnet"), seed=1)


def test_it_learns_other_forces_and_another_zero_of_energy(tuned: Path) -> None:
    before, after = errors("chgnet", FRAMES), errors(f"chgnet:{tuned}", FRAMES)
    assert after[0] < 0.7 * before[0]
    assert abs(before[1]) > 3, "EMT counts from bulk copper, PBE from atoms"
    assert abs(after[1]) < 0.1


def test_what_is_frozen_stays(tuned: Path) -> None:
    from chgnet.model import CHGNet

    tensors = torch.load(tuned, weights_only=True)["model"]["state_dict"]
    published = CHGNet.load(verbose=False).state_dict()
    moved = {name for name, tensor in tensors.items() if not torch.equal(tensor, published[name])}
    assert not any(name.startswith(tuple(QUICK.freeze.split())) for name in moved)
    assert any(name.startswith("mlp") for name in moved)
    with pytest.raises(InputError, match="no weight of CHGNet begins with 'layer'; names begin with angle_basis"):
        QUICK.model_copy(update={"freeze": "layer"}).train(FRAMES, ["Cu"], tuned.parent / "x", seed=1)


def test_it_goes_on_from_a_checkpoint(tuned: Path, tmp_path: Path) -> None:
    gentle = QUICK.model_copy(update={"epochs": 1, "learning_rate": 1e-5})
    again = gentle.train(FRAMES, ["Cu"], tmp_path, seed=1, start=tuned)
    assert errors(f"chgnet:{again}", FRAMES)[0] < 1.1 * errors(f"chgnet:{tuned}", FRAMES)[0]
    (tmp_path / "none.pth.tar").write_bytes(b"hello")
    with pytest.raises(InputError, match="cannot be read as a CHGNet to start from"):
        gentle.train(FRAMES, ["Cu"], tmp_path / "x", seed=1, start=tmp_path / "none.pth.tar")


def test_stopped_it_goes_on_to_the_same_potential(tmp_path: Path) -> None:
    short, few = QUICK.model_copy(update={"epochs": 2}), FRAMES[:6]

    def stop(done: int, total: int, error: float) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        short.train(few, ["Cu"], tmp_path / "stopped", seed=2, report=stop)
    epochs: list[int] = []
    stopped = short.train(few, ["Cu"], tmp_path / "stopped", seed=2, report=lambda done, *_: epochs.append(done))
    assert epochs == [2]
    whole = short.train(few, ["Cu"], tmp_path / "whole", seed=2)
    a, b = (torch.load(file, weights_only=True)["model"]["state_dict"] for file in (stopped, whole))
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.slow
def test_what_is_replayed_is_forgotten_less(tmp_path: Path) -> None:
    """Other frames, which keep the forces that the published weights give them."""
    others = [f for f in copper() if f.trajectory == "run 5"]
    write(tmp_path / "others.xyz", [f.atoms for f in others], format="extxyz")
    published = get_engine("chgnet")
    assert isinstance(published, TorchSimEngine)
    remembered = [
        LabelledFrame(f.state, point)
        for f, point in zip(others, published.single_points([f.state for f in others]), strict=True)
    ]
    stiff = [replace(f, label=replace(f.label, forces_ev_a=2 * f.label.forces_ev_a)) for f in FRAMES[:6]]
    forgetful = QUICK.train(stiff, ["Cu"], tmp_path / "a", seed=1)
    careful = QUICK.model_copy(update={"replay": str(tmp_path / "others.xyz")}).train(
        stiff, ["Cu"], tmp_path / "b", seed=1
    )
    assert errors(f"chgnet:{careful}", remembered)[0] < 0.8 * errors(f"chgnet:{forgetful}", remembered)[0]
