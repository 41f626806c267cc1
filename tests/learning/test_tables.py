"""Tables as published and as users write them, and what is wrong with others."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.learning.learning_samples import PUBLISHED_COLUMNS
from tests.reference_data import reference

from tachylite.descriptors.registry import DESCRIPTORS
from tachylite.errors import InputError
from tachylite.learning.tables import read_dataset

PUBLISHED = reference("zheng2024/feature_target.dat")


def rows(**changes: Sequence[object]) -> dict[str, Sequence[object]]:
    count = 24
    table: dict[str, Sequence[object]] = {
        "formula": [f"Li{1 + index}O" for index in range(count)],
        "temperature": [1000 + index for index in range(count)],
        "diffusivity_cm2_s": [1e-5 * (1 + index) for index in range(count)],
        **{name: [index + place for index in range(count)] for place, name in enumerate(PUBLISHED_COLUMNS)},
    }
    return table | changes


def write(path: Path, table: Mapping[str, Sequence[object]], separator: str = ",") -> Path:
    lines = [separator.join(table), *(separator.join(map(str, row)) for row in zip(*table.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.reference("zheng2024/feature_target.dat")
def test_the_published_table() -> None:
    dataset = read_dataset(PUBLISHED)
    assert (len(dataset), len(set(dataset.compositions)), len(set(dataset.systems))) == (792, 207, 206)
    assert dataset.names == PUBLISHED_COLUMNS
    assert dataset.convention == "zheng2024"
    assert dataset.units[dataset.names.index("avg_B_with_Li")] == "GPa"
    assert (dataset.formulas[0], dataset.temperature_k[0], dataset.target[0]) == ("Li2Si2Os", 1500, 0.1251633)


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", ", "])
def test_separators(tmp_path: Path, separator: str) -> None:
    dataset = read_dataset(write(tmp_path / "table.csv", rows(), separator))
    assert len(dataset) == 24
    assert dataset.convention == "exact"
    np.testing.assert_allclose(dataset.target[:2], [0.01, 0.02])
    assert dataset.features[3, 5] == 8


def test_another_target_and_fewer_descriptors(tmp_path: Path) -> None:
    table = rows(hardness=[0.5] * 24)
    path = write(tmp_path / "table.csv", {name: column for name, column in table.items() if name != "PF"})
    dataset = read_dataset(path, target="hardness", without=["PF", "density"])
    assert (dataset.target_name, dataset.target_unit, dataset.target[0]) == ("hardness", "", 0.5)
    assert "PF" not in dataset.names


@pytest.mark.parametrize(
    ("changes", "gone", "options", "said"),
    [
        ({}, ["LNC", "PF"], {}, "no column LNC, PF; add it, or leave out descriptors with --without"),
        ({}, ["formula"], {}, "no column formula"),
        ({}, ["temperature"], {}, "no column temperature"),
        ({}, ["diffusivity_cm2_s"], {}, "no diffusivities"),
        ({}, [], {"target": "hardness"}, "no column hardness to learn"),
        ({}, [], {"without": ["LNCC"]}, "LNCC is no descriptor"),
        ({"LNC": [""] + ["1"] * 23}, [], {}, "LNC has no finite number in row 1, Li1O"),
        ({"LNC": ["1", "nan"] + ["1"] * 22}, [], {}, "LNC has no finite number in row 2"),
        ({"LNC": ["1", "many"] + ["1"] * 22}, [], {}, "LNC is 'many' in row 2; a number is needed"),
        ({"temperature": [-5] * 24}, [], {}, "a temperature is not positive"),
        ({"formula": ["MgO"] * 24}, [], {}, "there is no Li in row 1, MgO"),
        ({"formula": ["Lq2O"] * 24}, [], {}, "unknown element 'Lq'"),
        ({}, [], {"species": "Na"}, "there is no Na in row 1"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line(
    tmp_path: Path, changes: dict[str, Sequence[object]], gone: list[str], options: dict[str, object], said: str
) -> None:
    table = {name: column for name, column in rows(**changes).items() if name not in gone}
    path = write(tmp_path / "table.csv", table)
    with pytest.raises(InputError) as caught:
        read_dataset(path, **options)  # type: ignore[arg-type]  # options of several types
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_dataset(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="it is no text"):
        read_dataset(tmp_path / "binary.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match="no column"):
        read_dataset(tmp_path / "empty.csv", target="formula")
    ragged = write(tmp_path / "ragged.csv", rows()).read_text() + "Li2O,1\n"
    (tmp_path / "ragged.csv").write_text(ragged)
    with pytest.raises(InputError, match=f"row 25 has 2 values for {len(rows())} columns"):
        read_dataset(tmp_path / "ragged.csv")
    (tmp_path / "twice.csv").write_text("formula,formula\nLi2O,Li2O\n")
    with pytest.raises(InputError, match="formula more than once"):
        read_dataset(tmp_path / "twice.csv")
    few = {name: column[:5] for name, column in rows().items()}
    with pytest.raises(InputError, match="5 rows; at least 20"):
        read_dataset(write(tmp_path / "few.csv", few))


def test_every_descriptor_but_the_density_is_published() -> None:
    assert set(DESCRIPTORS) - set(PUBLISHED_COLUMNS) == {"density"}
