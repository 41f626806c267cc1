"""From a table to a model and from formulas to predictions, as flows."""

from functools import cache
from pathlib import Path

import pytest
from tests.learning.learning_samples import make_sample

from tachylite.engines import get_engine
from tachylite.errors import InputError
from tachylite.flows import LearningMaker, PredictionMaker
from tachylite.flows.learning import run_learning, run_prediction
from tachylite.learning.dataset import dataset_from_bytes, save_dataset
from tachylite.learning.model_file import SavedModel, from_bytes
from tachylite.learning.training import train
from tachylite.schemas import Failure, Protocol
from tachylite.schemas.learning import Prediction
from tachylite.stores import open_store
from tachylite.stores.queries import load_dataset_file, load_model_file

pytest.importorskip("sklearn")

PROTOCOL = Protocol.model_validate(
    {
        "name": "fluid",
        "timestep_fs": 2.0,
        "record_every": 5,
        "packing": {"n_atoms": 24},
        "steps": [{"kind": "hold", "name": "melt", "temperature_k": 2000, "time_ps": 0.4}],
    }
)


@cache
def model() -> SavedModel:
    """A model of two real descriptors."""
    return train(make_sample(15, names=("LNC", "AAV"), species="Cu"), ["gp"])


def test_learning_leaves_its_documents_in_the_store(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    save_dataset(make_sample(15), tmp_path / "table.parquet")
    store = open_store(tmp_path / "store")
    saved = run_learning(LearningMaker(learners=("gp",)), store, tmp_path / "table.parquet")
    assert saved.card.data.fingerprint == make_sample(15).fingerprint
    (entry,) = store.query({"output.model.kind": "model"})
    assert entry["output"]["model"]["model_id"] == saved.card.model_id
    assert "blob_uuid" in entry["output"]["archive"]  # the weights are in the blob store
    assert from_bytes(load_model_file(store, saved.card.model_id[:6]), "the store").card == saved.card
    with pytest.raises(InputError, match=f"0 models are named 'x' in .*; there are {saved.card.model_id}"):
        load_model_file(store, "x")
    (entry,) = store.query({"output.dataset.rows": 45})
    assert entry["output"]["dataset"]["source"] == "sample"
    kept = dataset_from_bytes(load_dataset_file(store, saved.card.data.fingerprint[:6]), "the store")
    assert kept.fingerprint == saved.card.data.fingerprint
    with pytest.raises(InputError, match="0 datasets are named 'x'"):
        load_dataset_file(store, "x")


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [2000.0, 1500.0])
def test_an_engine_as_a_surrogate(tmp_path: Path, temperature: float) -> None:
    """A melt of copper and gold, and what cannot be described beside it."""
    engine = get_engine("ase:emt")
    maker = PredictionMaker(model=model(), engine=engine, protocol=PROTOCOL)
    store = open_store(tmp_path / "store")
    fluid, other = run_prediction(["Cu3Au", "PdAu"], temperature, maker, store=store, workdir=tmp_path / "work")
    assert isinstance(fluid, Prediction)
    assert (fluid.formula, fluid.temperature_k, fluid.source) == ("Cu3Au", temperature, "ase:emt, protocol fluid")
    assert fluid.n_frames > 10
    assert fluid.simulated is not None
    assert fluid.simulated.species == "Cu"
    assert isinstance(other, Failure)
    assert "there is no Cu" in other.reason
