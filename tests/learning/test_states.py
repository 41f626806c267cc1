"""Simulated states as predictions; as rows of a table they are in tests/jobs."""

import pytest
from tests.descriptors.crystals import antifluorite, descriptors_of, rock_salt
from tests.jobs.learning_rows import melted, trajectory_of
from tests.learning.learning_samples import make_sample

from tachylite.learning.states import predict_state
from tachylite.learning.training import train
from tachylite.schemas import Failure
from tachylite.schemas.learning import Prediction

pytest.importorskip("sklearn")


def test_a_state_is_predicted_from_its_descriptors_or_says_why_not() -> None:
    model = train(make_sample(15, names=("LNC", "AAV")), ["gp"])
    crystal = antifluorite()
    values = descriptors_of(crystal).means
    prediction = predict_state(model, melted(crystal, 1500, 3e-5), None, "a run")
    assert isinstance(prediction, Prediction)
    direct = model.predict(1500, values, "Li2O", source="a run", n_frames=1)
    assert prediction.model_copy(update={"simulated": None}) == direct
    assert prediction.simulated is not None
    assert prediction.simulated.diffusivity_cm2_s == 3e-5

    averaged = predict_state(model, melted(crystal, 1500, None), trajectory_of(crystal, 4), "a run")
    assert isinstance(averaged, Prediction)
    assert averaged.n_frames == 4

    sodium = rock_salt()
    sodium.symbols[sodium.symbols == "Li"] = "Na"
    failure = predict_state(model, melted(sodium, 1000, 1e-5), None, "a run")
    assert failure == Failure(stage="NaCl at 1000 K", reason="there is no Li; the elements are Cl, Na")
