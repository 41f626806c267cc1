import hashlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from ase import Atoms
from tests.engines.potentials.sample_structures import melt, state_of
from torch_sim.models.soft_sphere import SoftSphereModel

from tachylite.engines.contract import check_contract
from tachylite.engines.potentials import torchsim_models
from tachylite.engines.potentials.loading import FAMILIES
from tachylite.engines.potentials.wrapped_model import WrappedModel
from tachylite.errors import InputError, MissingPackageError

CPU = torch.device("cpu")
ARGON = [melt("Ar", 12, 30.0, seed=0, closest=3.0), melt("Ar", 7, 40.0, seed=1, closest=3.0)]


def argon(precision: torch.dtype = torch.float32, *, stress: bool = True) -> Any:
    """Somebody's model: TorchSim's own, which answers in the precision that it was made with."""
    return SoftSphereModel(
        sigma=5.0, epsilon=2.0, alpha=3.0, device=CPU, dtype=precision, compute_forces=True, compute_stress=stress
    )


class FarAwayFails(torch.nn.Module):
    """A model that cannot have atoms outside the cell."""

    dtype = torch.float32
    device = CPU

    def forward(self, state: Any) -> dict[str, torch.Tensor]:
        inverse = torch.linalg.inv(state.row_vector_cell)[state.system_idx]
        fractional = (state.positions[:, None] @ inverse).squeeze(1)
        assert ((fractional > -1e-3) & (fractional < 1 + 1e-3)).all()
        answer: dict[str, torch.Tensor] = argon()(state)
        return answer


def test_a_foreign_model_keeps_the_contract() -> None:
    check_contract(WrappedModel(argon()), ARGON, precision="float32")


def test_digits_are_not_lost_far_from_the_cell() -> None:
    near, far = ARGON[0], ARGON[0].copy()
    far.positions += 100_000 * near.cell.array[0]
    model = WrappedModel(FarAwayFails())
    expected, wrapped = model(state_of([near])), model(state_of([far]))
    torch.testing.assert_close(wrapped["forces"], expected["forces"], atol=1e-5, rtol=1e-5)


def test_only_what_is_asked_for() -> None:
    model = WrappedModel(argon())
    model.compute_stress = False
    assert set(model(state_of(ARGON))) == {"energy", "forces"}
    model.compute_forces = False
    assert set(model(state_of(ARGON))) == {"energy"}


def test_all_members_may_be_broken() -> None:
    broken = ARGON[0].copy()
    broken.positions[:] = float("nan")
    answer = WrappedModel(argon())(state_of([broken]))
    assert answer["energy"].isnan().all()
    assert answer["forces"].isnan().all()
    assert answer["stress"].shape == (1, 3, 3)


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A family of one package that is installed, with weights in a file; the file is given back."""
    weights = tmp_path / "argon.pt"
    weights.write_bytes(b"sigma = 3.4")

    def locate(name: str) -> str:
        if name != "published":
            raise ConnectionError("the network\nis away" + " and away" * 100)
        return str(weights)

    def build(path: Path, part: str, _: torch.device) -> tuple[Any, Iterable[int]]:
        print("loading ...")  # noqa: T201  packages do
        if path.read_bytes() != b"sigma = 3.4":
            raise KeyError("sigma")
        return argon(stress=part != "without"), [18]

    package = torchsim_models._Family("some-package", "json", locate, build)
    monkeypatch.setitem(torchsim_models.FAMILIES, "some", package)
    return weights


def test_a_file_and_a_name_are_the_same_model(family: Path, capfd: pytest.CaptureFixture[str]) -> None:
    by_file = torchsim_models._load("some", str(family), CPU)
    by_name = torchsim_models._load("some", "published", CPU)
    assert by_file.sha256 == by_name.sha256 == hashlib.sha256(family.read_bytes()).hexdigest()
    assert by_file.elements == {18}
    assert by_file.precision == "float32"
    assert by_file.packages == ("some-package",)
    assert capfd.readouterr().out == ""


def test_another_part_is_another_model(family: Path) -> None:
    plain, part = (torchsim_models._load("some", model, CPU) for model in (str(family), f"{family}@part"))
    assert plain.sha256 != part.sha256
    assert part.name == "some argon.pt@part"


def test_what_cannot_be_had_is_said_in_one_line(family: Path) -> None:
    with pytest.raises(InputError, match=r"needs a model: some:FILE or some:NAME"):
        torchsim_models._load("some", None, CPU)
    with pytest.raises(InputError, match=r"there is no file 'unpublished'.*ConnectionError: the network is") as error:
        torchsim_models._load("some", "unpublished", CPU)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    with pytest.raises(InputError, match="has no stress"):
        torchsim_models._load("some", f"{family}@without", CPU)
    family.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"cannot be read as a model of some \(KeyError: 'sigma'\)"):
        torchsim_models._load("some", str(family), CPU)


def test_universal_models_are_asked_for_crystals(family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: object) -> tuple[Any, Iterable[int]]:
        return argon(), range(1, 90)

    package = torchsim_models._Family("some-package", "json", str, build)
    monkeypatch.setitem(torchsim_models.FAMILIES, "some", package)
    with pytest.raises(InputError, match=f"weights {family} are misread"):
        torchsim_models._load("some", str(family), CPU)


@pytest.mark.parametrize("name", torchsim_models.FAMILIES)
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    package = torchsim_models.FAMILIES[name].package
    module, _, function = FAMILIES[name].partition(":")
    assert module == torchsim_models.__name__
    with pytest.raises(
        MissingPackageError, match=f"engine '{name}' needs the package {package}: pip install {package}$"
    ):
        getattr(torchsim_models, function)("weights", CPU)


def test_an_atom_alone() -> None:
    alone = Atoms("Ar", cell=[30.0] * 3, pbc=True)
    assert float(WrappedModel(argon())(state_of([alone]))["energy"]) == pytest.approx(0.0, abs=1e-12)
