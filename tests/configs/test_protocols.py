"""Protocols that ship say what their papers say; files of one's own are checked key by key."""

from pathlib import Path

import pytest

from tachylite.configs import load_protocol, protocol_names, protocol_text
from tachylite.errors import InputError
from tachylite.schemas.steps import SETTINGS
from tachylite.schemas.steps.hold import Hold
from tachylite.schemas.steps.ramp import Ramp
from tachylite.schemas.steps.snapshots import Snapshots
from tachylite.schemas.steps.volume import VolumeSearch

MELT = "{kind: hold, name: melt, temperature_k: 3000}"


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
    assert protocol_names() == ["aykol2023", "frames", "quickstart", "yu2025", "zheng2024"]


@pytest.mark.parametrize("name", protocol_names())
def test_every_shipped_protocol_loads_and_says_what_it_is(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert len(protocol.description) > 60
    assert len(protocol_text(name).split("#")) > 3, "numbers without their source"


def test_zheng2024_has_the_published_numbers() -> None:
    protocol = load_protocol("zheng2024")
    melt_volume, melt, anneal_volume, anneal, snapshots = protocol.steps
    assert protocol.doi == "10.1038/s41524-024-01469-2"
    assert (protocol.pressure, protocol.timestep_fs, protocol.packing.n_atoms) == ("virial", 2.0, 100)
    for search, temperatures in ((melt_volume, [5000]), (anneal_volume, [1000, 1500, 2000, 2500])):
        assert isinstance(search, VolumeSearch)
        assert search.temperature_k == temperatures
        assert (search.fractions, search.sample_ps) == ([0.8, 1.0, 1.2], 4.0)
        assert (search.pressure_tolerance_gpa, search.energy_drift_tolerance, search.max_attempts) == (0.5, 1e-3, 15)
    assert isinstance(melt, Hold)
    assert ([branch.temperature_k for branch in protocol.branches_of("melt")], melt.time_ps) == ([5000], 20)
    assert isinstance(anneal, Hold)
    assert anneal.time_ps == 20
    assert [branch.temperature_k for branch in protocol.branches_of("anneal")] == [1000, 1500, 2000, 2500]
    assert isinstance(snapshots, Snapshots)
    assert (snapshots.sources, snapshots.count, snapshots.interval_ps) == (["melt"], 10, 2.0)


def test_aykol2023_has_the_published_numbers() -> None:
    protocol = load_protocol("aykol2023")
    melt, quench, glass = protocol.steps

    def steps(time_ps: float) -> int:
        return round(time_ps * 1000 / protocol.timestep_fs)

    assert (protocol.packing.n_atoms, protocol.packing.volume_factor, protocol.timestep_fs) == (100, 1.15, 2.0)
    assert isinstance(melt, Hold)
    assert (melt.temperature_k, steps(melt.time_ps)) == ([3000], 1500)
    assert isinstance(quench, Ramp)
    assert (quench.temperature_k, steps(quench.time_ps), steps(quench.hold_ps)) == (300, 2500, 1500)
    assert protocol.branches_of("quench")[0].start_temperature_k == 3000
    assert (glass.kind, glass.sources) == ("relax", ["quench"])


def test_yu2025_is_aykol2023_by_assumption_and_says_so() -> None:
    ours, theirs = load_protocol("yu2025"), load_protocol("aykol2023")
    same = {"name", "description", "doi", "crystal_samples"}
    assert ours.model_dump(exclude=same) == theirs.model_dump(exclude=same)
    assert "assumed" in ours.description
    assert ours.crystal_samples > 1


def test_quickstart_exercises_every_stage() -> None:
    protocol = load_protocol("quickstart")
    names = ["melt-volume", "melt", "anneal-volume", "anneal", "quench", "glass", "amorphous-limit"]
    assert [step.name for step in protocol.steps] == names
    assert {step.kind for step in protocol.steps} == {"volume", "hold", "ramp", "relax", "snapshots"}


def test_a_file_of_ones_own_takes_its_name_from_the_file(tmp_path: Path) -> None:
    protocol = load_protocol(write(tmp_path, f"steps: [{MELT}]"))
    assert (protocol.name, protocol.branches[0].temperature_k) == ("mine", 3000)


def test_a_printed_protocol_loads_as_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, protocol_text("zheng2024"))
    assert load_protocol(path) == load_protocol("zheng2024")


def step_file(*steps: str) -> str:
    return f"steps: [{', '.join(steps)}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pressure: virial", "'steps' is missing; keys: name, description"),
        ("stpes: []", "unknown key 'stpes'; did you mean 'steps'? allowed: name, description"),
        ("steps:", "steps = null must be a list"),
        ("steps: []", "steps = [] must have at least 1 entry"),
        (step_file(MELT) + "\npresure: virial", "unknown key 'presure'; did you mean 'pressure'? allowed: name, descr"),
        (step_file(MELT) + "\npressure: external", "pressure = 'external' must be 'total' or 'virial'"),
        (step_file(MELT) + "\npacking: {n_atoms: 0}", "packing.n_atoms = 0 must be greater than 0"),
        (step_file(MELT) + "\npacking: 100", "packing = 100 must be a mapping with the keys n_atoms, volume_factor"),
        (step_file(MELT) + "\ntimestep_fs: .nan", "timestep_fs = nan must be a finite number"),
        ("melt: {temperature_k: 3000}", "has a key 'melt', of an earlier version: a protocol is a list of 'steps' now"),
        ("name: x\nvolume_search: null", "has a key 'volume_search', of an earlier version"),
        ("steps: [{kind: hold", "is not valid YAML at line 1: "),
        (f"- {MELT}", "must be a mapping of keys to values, and is a list; keys: name, "),
        ("", "must be a mapping of keys to values, and is empty; keys: name, "),
    ],
)
def test_a_bad_file_gets_one_line(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path, text)
    message = refusal(path)
    assert message.startswith(f"protocol {path}")
    assert expected in message


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{kind: hold, temperature_k: -5}", "(hold): temperature_k = -5 must be greater than 0"),
        (
            "{kind: hold, name: a, temperature_k: 30000}",
            "(a): temperature_k = 30000 must be less than or equal to 20000",
        ),
        ("{kind: hold, name: a, temperature_k: [1000, -1]}", "(a): temperature_k[1] = -1 must be greater than 0"),
        ("{kind: hold, name: a, temperature_k: .nan}", "(a): temperature_k = nan must be a finite number"),
        ("{kind: hold, name: a, time_ps: .inf}", "(a): time_ps = inf must be a finite number"),
        ("{kind: hold, name: a, temperature_k: true}", "(a): temperature_k = true must be a number"),
        ("{kind: hold, name: a, sources: [b]}", "(a): unknown key 'sources'; did you mean 'from'?"),
        ("{kind: hold, name: a, temperature_k: hot}", "(a): temperature_k = 'hot' must be a number"),
        ("{kind: hold, name: a, temperature_k: null}", "(a): temperature_k = null must be a number"),
        ("{kind: hold, name: a, time_ps: [1, 2]}", "(a): time_ps = [1, 2] must be a number"),
        (
            "{kind: hold, temprature_k: 3000}",
            "(hold): unknown key 'temprature_k'; did you mean 'temperature_k'? allowed: ",
        ),
        ("{kind: relax, form: melt}", "(relax): unknown key 'form'; did you mean 'from'? allowed: kind, name, from, "),
        (
            "{kind: relax, source: melt}",
            "(relax): unknown key 'source'; did you mean 'from'? allowed: kind, name, from, ",
        ),
        ("{kind: hold, name: a, temperature_k: 1000, 2000}", "(a): key 2000 is not a word; several values are a list"),
        (
            "{kind: volume, name: v}",
            "(v): 'temperature_k' is missing; keys: kind, name, from, temperature_k, fractions",
        ),
        ("{kind: volume, name: v, temperature_k: []}", "(v): temperature_k = [] must have at least 1 entry"),
        ("{kind: volume, temperature_k: 9, fractions: [1]}", "(volume): fractions = [1] must have at least 2 entries"),
        ("{kind: volume, temperature_k: 9, fractions: 1}", "(volume): fractions = 1 must be a list"),
        ("{kind: snapshots, count: 2.5}", "(snapshots): count = 2.5 must be a whole number"),
        ("{kind: relax, relax_cell: maybe}", "(relax): relax_cell = 'maybe' must be true or false"),
        ("{kind: strain, amount: 0.5}", "(strain): amount = 0.5 must be less than or equal to 0.05"),
        (
            "{kind: relax, name: my glass}",
            "name = 'my glass' must begin with a letter and hold only letters, digits, -",
        ),
        ("{kind: relax, name: 3}", "name = 3 must be text"),
        (f"{{kind: relax, name: {'a' * 41}}}", "must have at most 40 characters"),
        ("{kind: relax, from: 3}", "(relax): from = 3 must be the name of a step, or a list of names"),
        (
            "{name: a, temperature_k: 3000}",
            f"(a): 'kind' is missing; kinds: {', '.join(SETTINGS)}",
        ),
        (
            "{kind: holt}",
            "kind = 'holt' is not known; did you mean 'hold'? kinds: compare, compress, hold, insert, ramp, relax",
        ),
        ("{kind: [hold]}", "kind = ['hold'] is not known; did you mean 'hold'? kinds: compare, compress, hold"),
        ("hold", "step 2 = 'hold' must be a mapping of keys to values; kinds: compare, compress, hold"),
        ("null", "step 2 = null must be a mapping of keys to values; kinds: compare, compress, hold"),
        (
            "{kind: relax, from: mlet}",
            "(relax): from = 'mlet' is no earlier step; did you mean 'melt'? earlier steps: melt",
        ),
        ("{kind: hold, name: melt}", "(melt): an earlier step is named 'melt' too; give one of them another name"),
        ("{kind: snapshots}", "(snapshots): count x interval_ps = 20 ps must fit into the 5 ps of melt"),
    ],
)
def test_a_bad_step_is_named_by_number_and_name(tmp_path: Path, step: str, expected: str) -> None:
    path = write(tmp_path, step_file("{kind: hold, name: melt, temperature_k: 3000, time_ps: 5}", step))
    message = refusal(path)
    assert message.startswith(f"protocol {path}: step 2")
    assert expected in message


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    message = refusal("zhang2024")
    assert "did you mean 'zheng2024'?" in message
    assert "aykol2023, frames, quickstart, yu2025, zheng2024" in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert f"{tmp_path / 'none.yaml'} does not exist" in refusal(tmp_path / "none.yaml")


def test_a_folder_or_a_binary_file_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read: it is not UTF-8 text" in refusal(tmp_path / "binary.yaml")
