"""Tables from stores: what becomes a row, and what is skipped with its reason."""

import base64
from pathlib import Path

import pytest
from jobflow import JobStore
from tests.descriptors.crystals import antifluorite, descriptors_of, rock_salt
from tests.jobs.learning_rows import material, melted, put_runs, trajectory_of
from tests.stores.store_samples import later, put

from tachylite.jobs.learning import training_rows
from tachylite.learning.dataset import dataset_from_bytes
from tachylite.learning.states import TrainingRow
from tachylite.schemas import Failure
from tachylite.stores import open_store


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return open_store(tmp_path / "store")


def test_every_state_with_a_diffusivity_is_a_row(store: JobStore) -> None:
    crystal = antifluorite()
    frames = trajectory_of(crystal)
    put_runs(store, frames)
    put(store, material(crystal, melted(crystal, 3000, 2e-4, frames), melted(crystal, 1500, 3e-5)))
    rows = list(training_rows(store, "Li", "exact"))
    hot, cold = (row for row in rows if isinstance(row, TrainingRow))
    assert len(rows) == 2
    assert (hot.formula, hot.temperature_k, hot.diffusivity_cm2_s) == ("Li2O", 3000, 2e-4)
    assert hot.n_frames == 6
    # without a trajectory in the store it is the last frame that counts
    assert cold.n_frames == 1
    assert cold.descriptors["LNC"] == descriptors_of(crystal)["LNC"].mean


def test_what_is_no_row_says_why(store: JobStore) -> None:
    crystal, salt = antifluorite(), rock_salt()
    vapour = melted(crystal, 5000, None).model_copy(
        update={"status": "skipped", "reason": "no liquid at zero pressure", "run": None, "diffusivities": []}
    )
    without = rock_salt()
    without.numbers[without.numbers == 3] = 11
    unknown = antifluorite()
    unknown.numbers[unknown.numbers == 8] = 2
    put(
        store,
        material(crystal, vapour, melted(crystal, 1000, None)),
        material(without, melted(without, 1000, 1e-5)),
        material(unknown, melted(unknown, 1000, 1e-5), material_id="unknown"),
        material(salt, melted(salt, 1000, 1e-5)),
    )
    reasons = {row.stage: row.reason for row in training_rows(store, "Li", "exact") if isinstance(row, Failure)}
    assert reasons["Li2O at 5000 K"] == "no liquid at zero pressure"
    assert reasons["Li2O at 1000 K"] == "the motion is not diffusive"
    assert "there is no Li" in reasons["NaCl at 1000 K"]
    (helium,) = (reason for stage, reason in reasons.items() if "He" in stage)
    assert "of He" in helium
    assert len(reasons) == 4


def test_the_newest_document_counts_and_queries_choose(store: JobStore) -> None:
    crystal = antifluorite()
    put(
        store,
        material(crystal, melted(crystal, 1000, 1e-5)),
        material(crystal, melted(crystal, 1000, 2e-5), created_at=later(1)),
    )
    (row,) = training_rows(store, "Li", "exact", protocol="quickstart")
    assert isinstance(row, TrainingRow)
    assert row.diffusivity_cm2_s == 2e-5
    assert list(training_rows(store, "Li", "exact", engine="vasp")) == []


def test_a_table_of_a_store_is_frozen(store: JobStore) -> None:
    pytest.importorskip("pyarrow")
    from jobflow import run_locally

    from tachylite.jobs.learning import collect_table

    states = [melted(antifluorite(4.4 + 0.02 * index), 1000 + index, 1e-5 * (1 + index)) for index in range(20)]
    put(store, material(antifluorite(), *states, melted(antifluorite(), 900, None)))
    job = collect_table("Li", "exact", ["SLPW"], {})
    output = run_locally(job, store=store, log=False, raise_immediately=True)[job.uuid][1].output
    dataset = dataset_from_bytes(base64.b64decode(output["parquet"]), "table")
    assert (len(dataset), dataset.target_name, dataset.target[3]) == (20, "D", pytest.approx(0.04))
    assert "SLPW" not in dataset.names
    assert "density" in dataset.names
    assert output["dataset"].fingerprint == dataset.fingerprint
    assert [failure.stage for failure in output["skipped"]] == ["Li2O at 900 K"]
