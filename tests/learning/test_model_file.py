"""Models in files: what is read is what was written, and nothing else is read."""

import json
import pickle
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from tests.learning.learning_samples import known_law, make_sample, trained

from tachylite.errors import InputError
from tachylite.learning.model_file import from_bytes, load_model, save_model, to_bytes
from tachylite.learning.training import train

FEATURES = {"x0": 0.3, "x1": -0.2, "x2": 1.0, "other": 5.0}


def test_a_model_that_was_saved_predicts_the_same(tmp_path: Path) -> None:
    saved = trained()
    save_model(saved, tmp_path / "model.npz")
    again = load_model(tmp_path / "model.npz")
    assert again.card == saved.card
    options = {"source": "here", "n_frames": 1}
    assert again.predict(1500, FEATURES, "Li2O", **options) == saved.predict(1500, FEATURES, "Li2O", **options)  # type: ignore[arg-type]  # two kinds of values


@pytest.mark.parametrize("learner", ["forest-zheng2024", "boosting-zheng2024"])
def test_trees_are_saved_too(tmp_path: Path, learner: str) -> None:
    pytest.importorskip("xgboost")
    saved = train(make_sample(12), [learner])
    again = from_bytes(to_bytes(saved), "bytes")
    values = [model.predict(1500, FEATURES, "Li2O", source="", n_frames=1).value for model in (saved, again)]
    assert values[0] == values[1]


def test_predictions_are_in_cm2_s_with_an_interval() -> None:
    prediction = trained().predict(1500, FEATURES, "Li2O", source="here", n_frames=7)
    truth = 1e-3 * float(known_law(np.array([[0.3, -0.2]]), np.array([1500.0]))[0])
    assert (prediction.unit, prediction.n_frames, prediction.warnings) == ("cm^2/s", 7, [])
    assert prediction.interval is not None
    assert prediction.interval.low < truth < prediction.interval.high
    assert prediction.interval.low < prediction.value < prediction.interval.high


def test_inputs_unlike_the_training_set_are_named() -> None:
    saved = trained()

    def warnings(temperature: float = 1500, formula: str = "Li2O", **changes: float) -> str:
        prediction = saved.predict(temperature, {**FEATURES, **changes}, formula, source="here", n_frames=1)
        return " | ".join(prediction.warnings)

    assert warnings() == ""
    assert "most standard deviations from the mean: x1 (" in warnings(x1=30.0)
    assert warnings(formula="Li2Te") == "no training row has Te"
    assert warnings(300) == "300 K is outside the 1000 to 2000 K of the training set"


def test_what_cannot_be_predicted_is_one_line() -> None:
    saved = trained()
    with pytest.raises(InputError, match="here: the model needs x0, x2"):
        saved.predict(1500, {"x1": 0.0}, "Li2O", source="here", n_frames=1)
    with pytest.raises(InputError, match="x1 is not a finite positive number"):
        saved.predict(1500, {**FEATURES, "x1": float("nan")}, "Li2O", source="here", n_frames=1)
    with pytest.raises(InputError, match="the temperature is not"):
        saved.predict(0, FEATURES, "Li2O", source="here", n_frames=1)


def test_a_changed_model_is_refused() -> None:
    with np.load(BytesIO(to_bytes(trained()))) as archive:
        arrays = {name: archive[name] for name in archive.files}

    def packed(**changes: np.ndarray) -> bytes:
        buffer = BytesIO()
        np.savez_compressed(buffer, **{**arrays, **changes})
        return buffer.getvalue()

    assert from_bytes(packed(), "same").card == trained().card
    with pytest.raises(InputError, match="was changed after it was made"):
        from_bytes(packed(model_target=arrays["model_target"] + 1), "other")
    head = json.loads(arrays["head"].tobytes())
    newer = np.frombuffer(json.dumps(head | {"schema_version": 99}).encode(), dtype=np.uint8)
    with pytest.raises(InputError, match="its version 99 is newer"):
        from_bytes(packed(head=newer), "newer")
    head["card"].pop("learner")
    with pytest.raises(InputError, match="its card has 1 error"):
        from_bytes(packed(head=np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)), "old")


@pytest.mark.parametrize("content", [b"", b"nonsense", pickle.dumps({"a": 1})])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="file is not a model"):
        from_bytes(content, "file")


def test_objects_are_never_unpickled() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("something of the file was executed",))

    buffer = BytesIO()
    np.savez(buffer, head=np.array([Trap()], dtype=object))
    with pytest.raises(InputError, match="is not a model"):
        from_bytes(buffer.getvalue(), "trap")


def test_an_absent_file_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`tachylite learn` makes models"):
        load_model(tmp_path / "absent.npz")


def test_an_interval_that_is_not_known_is_none() -> None:
    saved = trained()
    unknown = replace(saved, calibration=replace(saved.calibration, factors=(1.0, float("inf"))))
    assert unknown.predict(1500, FEATURES, "Li2O", source="", n_frames=1).interval is None
