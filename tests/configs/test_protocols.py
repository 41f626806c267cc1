"""Protocols that ship say what their papers say; files of one's own are checked key by key."""

from pathlib import Path

import pytest

from tachylite.configs import load_protocol, protocol_names, protocol_text
from tachylite.errors import InputError

MELT = "melt: {temperature_k: 3000, production_ps: 20}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(source: str | Path) -> str:
    with pytest.raises(InputError) as caught:
        load_protocol(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_shipped_ones() -> None:
    assert protocol_names() == ["aykol2023", "quickstart", "yu2025", "zheng2024"]


@pytest.mark.parametrize("name", protocol_names())
def test_every_shipped_protocol_loads_and_says_what_it_is(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert len(protocol.description) > 60
    assert len(protocol_text(name).split("#")) > 3, "numbers without their source"


def test_zheng2024_has_the_published_numbers() -> None:
    protocol = load_protocol("zheng2024")
    search, anneal, snapshots = protocol.volume_search, protocol.anneal, protocol.snapshots
    assert protocol.doi == "10.1038/s41524-024-01469-2"
    assert (protocol.pressure, protocol.timestep_fs, protocol.packing.n_atoms) == ("virial", 2.0, 100)
    assert search is not None
    assert (search.fractions, search.sample_ps) == ([0.8, 1.0, 1.2], 4.0)
    assert (search.pressure_tolerance_gpa, search.energy_drift_tolerance, search.max_attempts) == (0.5, 1e-3, 15)
    assert (protocol.melt.temperature_k, protocol.melt.production_ps) == (5000, 20)
    assert anneal is not None
    assert (anneal.temperatures_k, anneal.production_ps) == ([1000, 1500, 2000, 2500], 20)
    assert snapshots is not None
    assert (snapshots.count, snapshots.interval_ps) == (10, 2.0)
    assert protocol.quench is None


def test_aykol2023_has_the_published_numbers() -> None:
    protocol = load_protocol("aykol2023")
    quench = protocol.quench

    def steps(time_ps: float) -> int:
        return round(time_ps * 1000 / protocol.timestep_fs)

    assert (protocol.packing.n_atoms, protocol.packing.volume_factor, protocol.volume_search) == (100, 1.15, None)
    assert (protocol.timestep_fs, protocol.melt.temperature_k, steps(protocol.melt.production_ps)) == (2.0, 3000, 1500)
    assert quench is not None
    assert (quench.final_temperature_k, steps(quench.ramp_ps), steps(quench.hold_ps)) == (300, 2500, 1500)
    assert protocol.anneal is None
    assert protocol.snapshots is None


def test_yu2025_is_aykol2023_by_assumption_and_says_so() -> None:
    ours, theirs = load_protocol("yu2025"), load_protocol("aykol2023")
    same = {"name", "description", "doi"}
    assert ours.model_dump(exclude=same) == theirs.model_dump(exclude=same)
    assert "assumed" in ours.description


def test_quickstart_exercises_every_stage() -> None:
    protocol = load_protocol("quickstart")
    assert all((protocol.volume_search, protocol.anneal, protocol.quench, protocol.snapshots))


def test_a_file_of_ones_own_takes_its_name_from_the_file(tmp_path: Path) -> None:
    protocol = load_protocol(write(tmp_path, MELT))
    assert (protocol.name, protocol.melt.temperature_k) == ("mine", 3000)


def test_a_printed_protocol_loads_as_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, protocol_text("zheng2024"))
    assert load_protocol(path) == load_protocol("zheng2024")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("melt: {temperature_k: -5}", "melt.temperature_k = -5 must be greater than 0"),
        ("melt: {temperature_k: 30000}", "melt.temperature_k = 30000 must be less than or equal to 20000"),
        ("melt: {temperature_k: .nan}", "melt.temperature_k = nan must be a finite number"),
        ("melt: {temperature_k: 3000, production_ps: .inf}", "melt.production_ps = inf must be a finite number"),
        ("melt: {temperature_k: hot}", "melt.temperature_k = 'hot' must be a valid number"),
        ("melt: {temprature_k: 3000}", "unknown key 'temprature_k' in melt; did you mean 'temperature_k'? allowed: "),
        ("melt: 3000", "melt = 3000 must be a mapping with the keys temperature_k, production_ps"),
        ("melt: {production_ps: 1}", "'temperature_k' is missing in melt; keys: temperature_k, production_ps"),
        ("pressure: virial", "'melt' is missing; keys: name, description"),
        (MELT + "presure: virial", "unknown key 'presure'; did you mean 'pressure'? allowed: name, description"),
        (MELT + "pressure: external", "pressure = 'external' must be 'total' or 'virial'"),
        (
            MELT + "anneal: {tempertures_k: [1000]}",
            "unknown key 'tempertures_k' in anneal; did you mean 'temperatures_k'? allowed: temperatures_k, prod",
        ),
        (MELT + "anneal: {temperatures_k: [1000, -1]}", "anneal.temperatures_k[1] = -1 must be greater than 0"),
        (MELT + "anneal: {temperatures_k: []}", "anneal.temperatures_k = []: list should have at least 1 item"),
        (MELT + "packing: {n_atoms: 0}", "packing.n_atoms = 0 must be greater than 0"),
        (
            "melt: {temperature_k: 3000, production_ps: 5}\nsnapshots: {count: 10, interval_ps: 2}",
            "snapshots.count x snapshots.interval_ps = 20 ps must fit into melt.production_ps = 5 ps",
        ),
        ("melt: [3000", "is not valid YAML at line 1: "),
        ("- melt", "must be a mapping of keys to values, and is a list; keys: name, "),
        ("", "must be a mapping of keys to values, and is empty; keys: name, "),
    ],
)
def test_a_bad_file_gets_one_line(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path, text)
    message = refusal(path)
    assert message.startswith(f"protocol {path}")
    assert expected in message


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    message = refusal("zhang2024")
    assert "did you mean 'zheng2024'?" in message
    assert "aykol2023, quickstart, yu2025, zheng2024" in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert f"{tmp_path / 'none.yaml'} does not exist" in refusal(tmp_path / "none.yaml")


def test_a_folder_or_a_binary_file_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read: it is not UTF-8 text" in refusal(tmp_path / "binary.yaml")
