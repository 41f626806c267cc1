"""Frozen tables: their fingerprints, and what is refused."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from tests.learning.learning_samples import make_sample

from tachylite.errors import InputError
from tachylite.learning.dataset import Dataset, dataset_from_bytes, dataset_to_bytes, load_dataset, save_dataset

pytest.importorskip("pyarrow")


def changed(dataset: Dataset, **fields: object) -> Dataset:
    return replace(dataset, **fields)  # type: ignore[arg-type]  # what is changed is the point


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    dataset = make_sample()
    path = tmp_path / "table.parquet"
    save_dataset(dataset, path)
    loaded = load_dataset(path)
    assert loaded.fingerprint == dataset.fingerprint
    assert (loaded.formulas, loaded.names, loaded.units, loaded.source) == (
        dataset.formulas,
        dataset.names,
        dataset.units,
        dataset.source,
    )
    np.testing.assert_array_equal(loaded.features, dataset.features)


@pytest.mark.parametrize(
    "fields",
    [
        {"target": make_sample().target * 1.0001},
        {"units": ("1", "A", "1")},
        {"target_unit": "cm^2/s"},
        {"formulas": ("Li9O", *make_sample().formulas[1:])},
        {"species": "O"},
        {"convention": "zheng2024"},
    ],
)
def test_every_change_of_content_is_another_fingerprint(fields: dict[str, object]) -> None:
    dataset = make_sample()
    assert changed(dataset, **fields).fingerprint != dataset.fingerprint
    assert changed(dataset, source="elsewhere").fingerprint == dataset.fingerprint


def test_a_table_that_was_changed_after_freezing_is_refused() -> None:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(BytesIO(dataset_to_bytes(make_sample())))
    column = table.column("x0").to_numpy() + 1e-9
    where = table.schema.get_field_index("x0")
    other = table.set_column(where, "x0", pyarrow.array(column)).replace_schema_metadata(table.schema.metadata)
    buffer = BytesIO()
    pyarrow.parquet.write_table(other, buffer)
    with pytest.raises(InputError, match="changed after it was frozen"):
        dataset_from_bytes(buffer.getvalue(), "table")


def test_other_parquet_files_are_refused() -> None:
    import pyarrow
    import pyarrow.parquet

    buffer = BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), buffer)
    with pytest.raises(InputError, match="no dataset of tachylite"):
        dataset_from_bytes(buffer.getvalue(), "table")
    with pytest.raises(InputError, match="no parquet file"):
        dataset_from_bytes(b"PAR1", "table")


def test_one_composition_has_one_label_however_it_is_written() -> None:
    dataset = changed(make_sample(), formulas=("Li2O", "Li4O2", "LiO0.5", *make_sample().formulas[3:]))
    assert set(dataset.compositions[:3]) == {"Li2O"}
    assert set(dataset.systems[:3]) == {"Li-O"}
    assert "O" in dataset.elements


def test_features_can_be_left_out() -> None:
    dataset = make_sample().without(["x1"])
    assert dataset.names == ("x0", "x2")
    assert dataset.features.shape == (90, 2)
    with pytest.raises(InputError, match="no feature x9"):
        dataset.without(["x9"])
    with pytest.raises(InputError, match="no feature is left"):
        dataset.without(["x0", "x2"])
