"""The records of the published data sets, and the helper through which tests find the data."""

import re
from pathlib import Path

import pytest
from tests.reference_data import datasets_with, reference, require

from tachylite.configs.datasets import dataset_names, load_dataset, local_copy
from tachylite.configs.fetching import fetch_dataset


@pytest.mark.parametrize("name", dataset_names())
def test_a_record_says_what_a_user_must_know(name: str) -> None:
    dataset = load_dataset(name)
    assert all((dataset.title, dataset.citation, dataset.licence, dataset.files))
    assert dataset.source or dataset.note
    assert not (dataset.url and dataset.archive)
    assert (dataset.archive is None) == (dataset.inside is None)
    # an address that does not name a commit may give other contents tomorrow
    address = dataset.url or dataset.archive
    assert address is None or re.search("/[0-9a-f]{40}[/.]", address)
    assert address is not None or dataset.note
    assert not Path(dataset.folder).is_absolute()
    for file in dataset.files.values():
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.size > 0


def test_no_two_records_have_the_same_file() -> None:
    records = [load_dataset(name) for name in dataset_names()]
    places = [f"{record.folder}/{file}" for record in records for file in record.files]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("name", dataset_names())
def test_a_local_copy_has_what_was_published(name: str) -> None:
    """Every file of it, by SHA-256; only where there is a copy, for nothing is fetched here."""
    dataset = load_dataset(name)
    require(dataset.folder)
    if local_copy() is None:
        pytest.skip("TACHYLITE_DATA is not set")
    assert fetch_dataset(name) == reference(dataset.folder)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("zheng2024/rdf", ["zheng2024-rdf"]),
        ("zheng2024", ["zheng2024", "zheng2024-rdf"]),
        ("zheng2024/feature_target.dat", ["zheng2024"]),
        ("models/UNEP-v1.txt", ["unep-v1"]),
        ("silica", ["silica-glass", "silica-neutrons"]),
        ("nowhere", []),
    ],
)
def test_the_data_sets_of_a_path(path: str, names: list[str]) -> None:
    assert datasets_with(path) == names


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("CI", "TACHYLITE_DATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_a_user_without_the_data_is_told_how_to_get_them(empty_cache: Path) -> None:
    with pytest.raises(pytest.skip.Exception) as caught:
        require("zheng2024/rdf")
    place = empty_cache / "tachylite" / "datasets" / "zheng2024" / "rdf"
    assert str(caught.value).startswith(f"{place} is missing: `tachylite datasets zheng2024-rdf` fetches it")


@pytest.mark.parametrize("variable", ["CI", "TACHYLITE_DATA"])
def test_missing_data_fail_where_they_should_be(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(empty_cache))
    with pytest.raises(pytest.fail.Exception, match=r"liquid_na is missing: .*`tachylite datasets liquid-na`"):
        require("liquid_na")
    monkeypatch.setenv("TACHYLITE_DATA", str(empty_cache / "nowhere"))
    with pytest.raises(pytest.fail.Exception, match="nowhere/liquid_na is missing"):
        require("liquid_na")
