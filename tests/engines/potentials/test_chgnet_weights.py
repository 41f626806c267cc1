import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ase.build import bulk
from tests.engines.potentials.chgnet_reference import GPA
from tests.engines.potentials.sample_structures import state_of

from tachylite.engines.potentials.chgnet import potential as module
from tachylite.engines.potentials.chgnet.potential import ChgnetPotential
from tachylite.engines.potentials.chgnet.weights import load_weights
from tachylite.errors import InputError


@pytest.mark.parametrize("version", ["0.3.0", "r2scan", "0.2.0"])
def test_published_weights_load_in_silence(version: str, capfd: pytest.CaptureFixture[str]) -> None:
    potential = ChgnetPotential(version)
    assert capfd.readouterr() == ("", "")
    assert len(potential.weights.sha256) == 64
    assert potential.weights.path.is_file()


def test_misread_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = load_weights("0.3.0")
    tensors = dict(weights.tensors)
    tensors["angle_embedding.weight"] = tensors["angle_embedding.weight"].roll(1, dims=1)
    for misread in (replace(weights, envelope_power=6), replace(weights, tensors=tensors)):
        monkeypatch.setattr(module, "load_weights", lambda _, misread=misread: misread)
        with pytest.raises(InputError, match=r"misread: Li2O has .* instead of -4\.9267 eV/atom"):
            ChgnetPotential()


def test_own_checkpoint_is_checked_against_chgnet_itself(tmp_path: Path) -> None:
    published = load_weights("0.2.0")
    checkpoint = torch.load(published.path, map_location="cpu", weights_only=True)
    checkpoint["model"]["state_dict"]["mlp.layers.5.bias"] += 0.5
    path = tmp_path / "tuned.pth.tar"
    torch.save({"model": checkpoint["model"]}, path)
    tuned, plain = ChgnetPotential(str(path)), ChgnetPotential("0.2.0")
    state = state_of([bulk("Si")])
    assert float(tuned(state)["energy"] - plain(state)["energy"]) == pytest.approx(1.0, abs=1e-5)
    assert tuned.weights.sha256 != plain.weights.sha256


def test_unknown_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'0\.4\.0'.*0\.3\.0, r2scan, 0\.2\.0"):
        load_weights("0.4.0")
    path = tmp_path / "notes.txt"
    path.write_text("not a checkpoint")
    with pytest.raises(InputError, match=r"notes\.txt is not a CHGNet checkpoint"):
        load_weights(str(path))


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    checkpoint = torch.load(load_weights("0.3.0").path, map_location="cpu", weights_only=True)
    checkpoint["model"]["model_args"]["mlp_first"] = False
    path = tmp_path / "other.pth.tar"
    torch.save({"model": checkpoint["model"]}, path)
    with pytest.raises(InputError, match="mlp_first=False"):
        load_weights(str(path))


def test_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    load_weights.cache_clear()
    monkeypatch.setitem(sys.modules, "chgnet", None)
    monkeypatch.setattr("tachylite.engines.potentials.chgnet.weights.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install chgnet"):
        load_weights("0.3.0")


def test_elements_without_training_data_are_left_out() -> None:
    """Transfer learning changed the embeddings of all elements but those that its data lack."""
    plain, transferred = load_weights("0.3.0"), load_weights("r2scan")
    name = "atom_embedding.embedding.weight"
    unchanged = (plain.tensors[name] == transferred.tensors[name]).all(dim=1).nonzero().flatten() + 1
    assert set(range(1, 95)) - set(transferred.elements) == set(unchanged.tolist())
    lengths = plain.tensors[name].norm(dim=1)
    untouched = set((lengths < 10).nonzero().flatten().add(1).tolist())
    assert set(range(1, 95)) - set(plain.elements) == untouched
    assert len(plain.elements) == 89  # as published, DOI 10.1038/s42256-023-00716-3


def test_pressure_has_the_sign_of_ase() -> None:
    squeezed = ChgnetPotential()(state_of([bulk("Si", a=5.0)]))["stress"][0]
    assert float(squeezed.trace()) * GPA / 3 < -10
