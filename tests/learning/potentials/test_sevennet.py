"""Training of SevenNet by its own command, read by this package's engine."""

from pathlib import Path

import pytest
import torch
from tests.learning.potentials.potential_samples import copper

from tachylite.analysis.evaluation import evaluate
from tachylite.engines import get_engine
from tachylite.engines.single_points import compute_single_points
from tachylite.errors import InputError
from tachylite.learning.potentials.sevennet import SevennetTraining
from tachylite.schemas.evaluation import Evaluation, LabelledFrame

SMALL = SevennetTraining(channels=4, layers=2, highest_l=1, cutoff_a=4.0, epochs=20, batch=3, learning_rate=2e-2)
LEARNED = [f for f in copper() if f.trajectory in ("run 1", "run 3")]
UNSEEN = [f for f in copper() if f.trajectory == "run 2"]


def errors(file: Path, frames: list[LabelledFrame]) -> Evaluation:
    engine = get_engine(f"sevennet:{file}")
    return evaluate(frames, compute_single_points(engine, [f.state for f in frames], file.parent), str(file))


def test_stopped_it_goes_on_to_the_same_potential_which_has_learned(tmp_path: Path) -> None:
    def stop(done: int, total: int, error: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SMALL.train(LEARNED, ["Cu"], tmp_path / "stopped", seed=1, report=stop)
    epochs: list[int] = []
    stopped = SMALL.train(LEARNED, ["Cu"], tmp_path / "stopped", seed=1, report=lambda done, *_: epochs.append(done))
    assert epochs == [20]
    whole = SMALL.train(LEARNED, ["Cu"], tmp_path / "whole", seed=1)
    a, b = (torch.load(file, weights_only=False)["model_state_dict"] for file in (stopped, whole))
    assert all(torch.equal(a[name], b[name]) for name in a)

    evaluation = errors(whole, UNSEEN)
    assert evaluation.force_mae_ev_a < 0.5 * evaluation.force_mean_ev_a, "forces of a trajectory it has not seen"
    assert evaluation.energy_mae_ev_per_atom < 0.2


def test_the_reason_of_the_command_is_told(tmp_path: Path) -> None:
    wrong = SMALL.model_copy(update={"channels": -1})
    with pytest.raises(InputError, match=r"the command sevenn failed \(.+\); see .*output.txt"):
        wrong.train(LEARNED, ["Cu"], tmp_path, seed=1)


def test_what_cannot_be_gone_on_from_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.pth").write_bytes(b"hello")
    with pytest.raises(InputError, match="cannot be read as a SevenNet to start from"):
        SMALL.train(LEARNED, ["Cu"], tmp_path, seed=1, start=tmp_path / "none.pth")


@pytest.mark.slow
def test_published_weights_learn_another_zero_of_energy(tmp_path: Path) -> None:
    gentle = SMALL.model_copy(update={"epochs": 1, "learning_rate": 1e-4})
    tuned = gentle.train(LEARNED, ["Cu"], tmp_path, seed=1, start=Path("7net-0"))
    assert errors(tuned, UNSEEN).energy_mae_ev_per_atom < 0.2, "EMT counts from bulk copper, PBE from atoms"
