"""Fetching published data sets, from a server on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.configs.published_server import NOTES, TABLE, Place, checksums, published, write_record, zip_of

from tachylite.configs import datasets
from tachylite.configs.datasets import load_dataset, state_of
from tachylite.configs.fetching import fetch_dataset
from tachylite.errors import InputError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("TACHYLITE_DATA", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "shipped_folder", lambda _: tmp_path / "records")
    return tmp_path / "cache" / "tachylite" / "datasets"


@pytest.fixture
def place(cache: Path) -> Iterator[Place]:
    with published() as place:
        place.files = {"/table.dat": TABLE, "/published.txt": NOTES}
        write_record(cache.parents[2] / "records", "sample", url=place.url)
        yield place


def refusal(name: str = "sample") -> str:
    with pytest.raises(InputError) as caught:
        fetch_dataset(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_are_fetched_once(place: Place, cache: Path) -> None:
    lines: list[str] = []
    assert state_of(load_dataset("sample")) == "absent"
    folder = fetch_dataset("sample", tell=lines.append)
    assert folder == cache / "sample" / "tables"
    assert (folder / "table.dat").read_bytes() == TABLE
    assert (folder / "notes.txt").read_bytes() == NOTES
    assert lines == [f"fetching {place.url}table.dat", f"fetching {place.url}published.txt"]
    assert state_of(load_dataset("sample")) == "here"
    fetch_dataset("sample")
    assert place.asked == ["/table.dat", "/published.txt"]


def test_a_file_that_was_damaged_here_is_fetched_again(place: Place) -> None:
    folder = fetch_dataset("sample")
    (folder / "table.dat").write_bytes(TABLE[::-1])
    fetch_dataset("sample")
    assert (folder / "table.dat").read_bytes() == TABLE
    assert place.asked.count("/published.txt") == 1


def test_a_tampered_file_is_refused_and_not_kept(place: Place, cache: Path) -> None:
    place.files["/table.dat"] = TABLE[::-1]
    message = refusal()
    assert f"{place.url}table.dat has another SHA-256 than what was published" in message
    assert "TACHYLITE_DATA" in message
    assert list((cache / "sample" / "tables").iterdir()) == []


def test_a_missing_file_is_named_and_what_came_before_it_stays(place: Place, cache: Path) -> None:
    del place.files["/published.txt"]
    message = refusal()
    assert f"{place.url}published.txt cannot be fetched: the server answers 404 Not Found" in message
    assert "TACHYLITE_DATA" in message
    assert [path.name for path in (cache / "sample" / "tables").iterdir()] == ["table.dat"]
    assert state_of(load_dataset("sample")) == "incomplete"
    place.files["/published.txt"] = NOTES
    fetch_dataset("sample")
    assert place.asked.count("/table.dat") == 1


def test_an_interrupted_download_leaves_nothing(place: Place, cache: Path) -> None:
    place.broken = {"/table.dat"}
    message = refusal()
    assert f"{place.url}table.dat cannot be fetched: the connection broke before the file was whole" in message
    assert list((cache / "sample" / "tables").iterdir()) == []
    place.broken = set()
    fetch_dataset("sample")


def test_a_server_that_is_not_there(cache: Path) -> None:
    with published() as gone:
        url = gone.url
    write_record(cache.parents[2] / "records", "sample", url=url)
    message = refusal()
    assert f"{url}table.dat cannot be fetched: the server cannot be reached" in message
    assert "TACHYLITE_DATA" in message


def test_a_cache_that_cannot_be_written(place: Place, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("not a folder")
    assert "cannot be written" in refusal()
    assert place.asked == []


def test_many_files_come_in_one_archive(place: Place, cache: Path) -> None:
    write_record(cache.parents[2] / "records", "packed", archive=f"{place.url}all.zip", inside="repository/rdf")
    good = zip_of(**{"repository/rdf/table.dat": TABLE, "repository/rdf/published.txt": NOTES, "repository/x": b"x"})
    place.files["/all.zip"] = good
    folder = fetch_dataset("packed")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"table.dat": TABLE, "notes.txt": NOTES}
    fetch_dataset("packed")
    assert place.asked == ["/all.zip"]


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        (zip_of(**{"repository/rdf/table.dat": TABLE[::-1]}), "all.zip: table.dat has another SHA-256"),
        (zip_of(**{"elsewhere/table.dat": TABLE}), "the archive is not as expected: There is no item named"),
        (b"<html>try again</html>", "the archive is not as expected: File is not a zip file"),
    ],
    ids=["tampered", "other contents", "no archive"],
)
def test_an_archive_that_is_another_one(place: Place, cache: Path, archive: bytes, expected: str) -> None:
    write_record(cache.parents[2] / "records", "packed", archive=f"{place.url}all.zip", inside="repository/rdf")
    place.files["/all.zip"] = archive
    assert expected in refusal("packed")
    assert list((cache / "packed" / "tables").iterdir()) == []


def test_what_has_no_public_place_says_where_it_is_from(cache: Path) -> None:
    write_record(cache.parents[2] / "records", "converted", note="Converted by hand.")
    message = refusal("converted")
    assert "converted has no public place to be fetched from (Converted by hand)" in message
    assert "https://example.org/data" in message
    assert "TACHYLITE_DATA" in message


def test_a_local_copy_is_checked_and_nothing_is_fetched(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    tables = copy / "sample" / "tables"
    tables.mkdir(parents=True)
    monkeypatch.setenv("TACHYLITE_DATA", str(copy))
    (tables / "table.dat").write_bytes(TABLE)
    message = refusal()
    assert f"TACHYLITE_DATA={copy}: sample/tables/notes.txt is not there" in message
    assert f"unset TACHYLITE_DATA to fetch it from {place.url}" in message
    (tables / "notes.txt").write_bytes(NOTES[::-1])
    assert "sample/tables/notes.txt has another SHA-256 than what was published" in refusal()
    (tables / "notes.txt").write_bytes(NOTES)
    assert fetch_dataset("sample") == tables
    assert place.asked == []


def test_an_excerpt_will_do_in_a_local_copy_only(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    half = TABLE[: len(TABLE) // 2]
    files = {"table.dat": {**checksums(TABLE), "excerpt": checksums(half)}}
    write_record(tmp_path / "records", "sample", url=place.url, files=files)
    tables = tmp_path / "copy" / "sample" / "tables"
    tables.mkdir(parents=True)
    (tables / "table.dat").write_bytes(half)
    monkeypatch.setenv("TACHYLITE_DATA", str(tmp_path / "copy"))
    assert state_of(load_dataset("sample")) == "excerpt"
    assert fetch_dataset("sample") == tables
    monkeypatch.delenv("TACHYLITE_DATA")
    folder = fetch_dataset("sample")
    (folder / "table.dat").write_bytes(half)
    assert state_of(load_dataset("sample")) == "incomplete"
    fetch_dataset("sample")
    assert (folder / "table.dat").read_bytes() == TABLE


@pytest.mark.usefixtures("place")
def test_a_local_copy_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACHYLITE_DATA", str(tmp_path / "nowhere"))
    assert f"TACHYLITE_DATA={tmp_path / 'nowhere'} is not a folder" in refusal()


@pytest.mark.usefixtures("place")
def test_a_misspelt_name() -> None:
    assert "no data set is named 'sampel'; did you mean 'sample'?" in refusal("sampel")
