"""`tachylite datasets`."""

import json
from pathlib import Path

import pytest
from tests.configs.published_server import NOTES, TABLE, published, write_record

from tachylite.cli import main
from tachylite.configs import datasets


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("TACHYLITE_DATA", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "shipped_folder", lambda _: tmp_path / "records")
    write_record(tmp_path / "records", "converted", note="Converted.", doi=None)
    return tmp_path / "records"


def test_the_list_names_size_licence_citation_and_what_is_here(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record(records, "sample", url="http://127.0.0.1:9/")
    assert main(["datasets"]) == 0
    out = capsys.readouterr().out
    for text in ("sample", "Diffusivities", "0.00", "CC0-1.0", "A. Author, J. Irreproducible Results", "10.1000/182"):
        assert text in out
    assert [line.split("│")[-2].strip() for line in out.splitlines() if "Diffusivities" in line] == [
        "no, and not public",
        "no",
    ]


def test_a_fetched_data_set_says_where_it_is_and_how_to_cite_it(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with published() as place:
        place.files = {"/table.dat": TABLE, "/published.txt": NOTES}
        write_record(records, "sample", url=place.url)
        assert main(["datasets", "sample"]) == 0
        out, err = capsys.readouterr()
        folder = records.parent / "cache" / "tachylite" / "datasets" / "sample" / "tables"
        assert out.splitlines()[0] == str(folder)
        assert (folder / "table.dat").read_bytes() == TABLE
        assert "licence: CC0-1.0" in out
        assert "cite: A. Author, J. Irreproducible Results 1 (1990) 1, https://doi.org/10.1000/182" in out
        assert err.splitlines() == [f"fetching {place.url}table.dat", f"fetching {place.url}published.txt"]
        assert main(["datasets", "sample", "--json"]) == 0
        (record,) = json.loads(capsys.readouterr().out)
    assert record["state"] == "here"
    assert record["folder"] == str(folder)
    assert record["size_bytes"] == len(TABLE) + len(NOTES)
    assert (record["files"], record["public"], record["licence"]) == (2, True, "CC0-1.0")


def test_json_of_all(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_record(records, "sample", url="http://127.0.0.1:9/")
    assert main(["datasets", "--json"]) == 0
    states = {record["name"]: (record["state"], record["public"]) for record in json.loads(capsys.readouterr().out)}
    assert states == {"converted": ("absent", False), "sample": ("absent", True)}


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize(
    ("name", "expected"), [("convertd", "did you mean 'converted'?"), ("converted", "has no public place")]
)
def test_what_cannot_be_fetched_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], name: str, expected: str
) -> None:
    assert main(["datasets", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert expected in err
