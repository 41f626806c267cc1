"""`tachylite train`: from frames and from a store to an engine, and bad input in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.io import read, write
from tests.learning.potentials.potential_samples import copper, frame

from tachylite.cli import main
from tachylite.schemas.potential import PotentialCard

QUICK = ["steps=200", "radial_cutoff_a=4.5", "angular_cutoff_a=3.5", "neurons=8", "learning_rate=0.01"]
SETTINGS = [word for setting in QUICK for word in ("--setting", setting)]

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    def run(*words: str | Path) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        return (code, *capfd.readouterr())

    return run


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    write(tmp_path / "copper.xyz", [f.atoms for f in copper()], format="extxyz")
    return tmp_path / "copper.xyz"


def test_a_committee_becomes_an_engine(call: Call, frames: Path, tmp_path: Path) -> None:
    output = tmp_path / "cu.txt"
    words = ("--committee", "2", "--learning-curve", *SETTINGS)
    code, out, err = call("train", "--frames", frames, "-o", output, *words, "--json")
    assert code == 0, err
    card = PotentialCard.model_validate_json(out)
    curve = [point.n_frames / card.training.n_frames for point in card.learning_curve]
    assert curve == pytest.approx([0.25, 0.5, 1.0], abs=0.02)
    assert card.learning_curve[-1].force_rmse_ev_a.value == pytest.approx(card.evaluation.force_rmse_ev_a)
    assert card.learning_curve[0].force_rmse_ev_a.value > card.learning_curve[-1].force_rmse_ev_a.value
    assert card == PotentialCard.model_validate_json((tmp_path / "cu.card.json").read_text())
    assert [member.file for member in card.members] == ["cu.txt", "cu-2.txt"]
    assert (tmp_path / "cu-2.txt").is_file()
    assert len({f.info["trajectory"] for f in read(tmp_path / "cu.frames" / "test.xyz", ":")}) == 1
    assert not (tmp_path / "cu.unfinished").exists()
    code, out, err = call("evaluate", tmp_path / "cu.frames" / "test.xyz", "--engine", f"nep:{output}", "--json")
    assert code == 0, err
    assert json.loads(out)["force_rmse_ev_a"] == pytest.approx(card.evaluation.force_rmse_ev_a, rel=1e-6)


def test_what_a_store_kept_is_learned_from(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames that were run, exported and from the store, give one training set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(
        "name: p\ntimestep_fs: 2\nrecord_every: 5\npacking: {n_atoms: 8, volume_factor: 1.3}\n"
        "steps:\n  - {kind: hold, name: hot, temperature_k: [1500, 1800, 2100, 2400, 2700], time_ps: 0.4}\n"
    )
    code, _, err = call("run", "Cu", "--protocol", "p.yaml", "--engine", "ase:emt", "--store", "store")
    assert code in (0, 1), err
    short = ["--setting", "steps=20", *SETTINGS[2:]]
    code, out, err = call("train", "--store", "store", "-o", "a.txt", *short, "--json")
    assert code == 0, err
    by_store = PotentialCard.model_validate_json(out)
    assert by_store.training.level.startswith("ase: ")
    assert by_store.left_out.correlated > 0
    assert call("query", "--store", "store", "--frames", "exported")[0] == 0
    files = [word for file in sorted(Path("exported").glob("*.extxyz")) for word in ("--frames", file)]
    code, out, err = call("train", *files, "-o", "b.txt", *short, "--json")
    assert code == 0, err
    by_files = PotentialCard.model_validate_json(out)
    names = [sorted(card.training.trajectories + card.test.trajectories) for card in (by_store, by_files)]
    assert names[0] == names[1]
    assert by_files.training.level == by_store.training.level


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--frames", "none.xyz"], "there is no file none.xyz with labelled frames"),
        (["--frames", "three.xyz"], "frames to learn from and"),
        (["--frames", "mixed.xyz"], "labels of 2 levels of theory"),
        (["--frames", "unlabelled.xyz"], "unlabelled.xyz, frame 1: no energy and no forces"),
        (["--frames", "nan.xyz"], "energy or forces are not finite; take the frame out"),
        (["--frames", "good.xyz", "--setting", "steps=many"], "--setting steps: input should be a valid integer"),
        (["--frames", "good.xyz", "--setting", "epochs=3"], "settings of nep are radial_cutoff_a, angular_cutoff_a"),
        (["--frames", "good.xyz", "--start", "gone.txt"], "cannot read gone.txt: No such file"),
        (["--store", "nowhere"], "nowhere"),
        (["Cu", "--teacher", "ase:emt", "--learning-curve"], "leave out --learning-curve"),
        (["--frames", "copper.xyz", "--to", "fireworks"], "--to submits learning while exploring"),
    ],
)
def test_bad_input_is_one_line(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    good = [f.atoms for f in copper()]
    write("good.xyz", good, format="extxyz")
    write("three.xyz", good[:3], format="extxyz")
    write("mixed.xyz", [*good, frame(level="PBE").atoms], format="extxyz")
    bare = good[0].copy()
    write("unlabelled.xyz", [bare], format="extxyz")
    broken = [f.atoms for f in copper()][:12]
    broken[4].calc.results["forces"][0, 0] = float("nan")
    write("nan.xyz", broken, format="extxyz")
    code, out, err = call("train", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.strip().count("\n") == 0, err


def test_what_was_trained_is_kept_where_its_card_cannot_be_written(call: Call, frames: Path, tmp_path: Path) -> None:
    (tmp_path / "cu.card.json").mkdir()
    words = ("train", "--frames", frames, "-o", tmp_path / "cu.txt", "--setting", "steps=20", *SETTINGS[2:])
    code, _, err = call(*words)
    assert code == 2
    assert "Is a directory; what was trained is kept in" in err
    (tmp_path / "cu.card.json").rmdir()
    code, _, err = call(*words)
    assert code == 0, err
    assert "20 of 20" not in err, "nothing is trained again"
