"""Moment tensor potentials: a published one on the amorphous cells that were published with it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.io import iread
from tests.engines.potentials.sample_structures import state_of
from tests.reference_data import reference, require

from tachylite.engines import get_engine
from tachylite.engines.contract import check_contract
from tachylite.engines.potentials import mtp
from tachylite.errors import InputError, MissingPackageError
from tachylite.units import GPA_PER_EV_A3, KB_EV

CPU = torch.device("cpu")
MGVO = reference("mgvo/MgVO.mtp")
needs_mgvo = pytest.mark.reference("mgvo")


def configurational_temperature(file: Path) -> float:
    """Mean square force over the mean curvature of the energy, <F^2> / k <d2E/dx2>, which is T in equilibrium.

    Rugh 1997 (DOI 10.1103/PhysRevLett.78.772); the curvature by central differences along 12 random directions.
    """
    potential = mtp.load(f"{MGVO}@Mg,V,O", CPU).potential
    (atoms,) = iread(file)
    force = potential(state_of([atoms]))["forces"].numpy()
    random, step, curvatures = np.random.default_rng(0), 1e-3, []
    for _ in range(12):
        direction = random.choice([-1.0, 1.0], size=force.shape)
        ahead, behind = atoms.copy(), atoms.copy()
        ahead.positions += step * direction
        behind.positions -= step * direction
        change = potential(state_of([ahead]))["forces"].numpy() - potential(state_of([behind]))["forces"].numpy()
        curvatures.append(-(change * direction).sum() / (2 * step))
    return float((force**2).sum() / np.mean(curvatures) / KB_EV)


@needs_mgvo
@pytest.mark.parametrize("temperature", [600, 900])
def test_the_published_cells_have_the_temperature_in_their_name(temperature: int) -> None:
    """288 coordinates and 12 directions give it to about 9 %; two elements exchanged would more than double it."""
    measured = configurational_temperature(require(f"mgvo/amorphous_MgV2O5_{temperature}K.vasp"))
    assert measured == pytest.approx(temperature, rel=0.2)


@needs_mgvo
def test_the_published_cells_are_under_little_pressure() -> None:
    cells = [cell for t in (600, 900) for cell in iread(require(f"mgvo/amorphous_MgV2O5_{t}K.vasp"))]
    loaded = mtp.load(f"{MGVO}@Mg,V,O", CPU)
    pressures = -loaded.potential(state_of(cells))["stress"].diagonal(dim1=1, dim2=2).mean(dim=1) * GPA_PER_EV_A3
    assert pressures.abs().max() < 6
    assert loaded.elements == {8, 12, 23}
    assert loaded.precision == "float64"


@needs_mgvo
def test_keeps_the_contract() -> None:
    (cell,), (other,) = (iread(require(f"mgvo/amorphous_MgV2O5_{t}K.vasp")) for t in (600, 900))
    check_contract(mtp.load(f"{MGVO}@Mg,V,O", CPU).potential, [other[::4], cell], precision="float64")


@needs_mgvo
def test_another_order_of_elements_is_another_model() -> None:
    right, wrong = (get_engine(f"mtp:{MGVO}@{order}").provenance() for order in ("Mg,V,O", "V,Mg,O"))
    assert right.model == "MTP MgVO of Mg,V,O"
    assert right.model_sha256 != wrong.model_sha256
    assert "motep" in right.versions
    with pytest.raises(InputError, match="does not know Li"):
        get_engine(f"mtp:{MGVO}@Mg,V,O").check_elements(["Li", "O"])


@needs_mgvo
@pytest.mark.parametrize("elements", ["", "@Mg,V", "@Mg,V,O,P", "@Mg,Mg,O", "@Mg,V,Xx", "@X,V,O"])
def test_elements_that_do_not_fit_are_refused(elements: str) -> None:
    with pytest.raises(InputError, match=r"has 3 species, and .* give mtp:FILE@ELEMENTS"):
        mtp.load(f"{MGVO}{elements}", CPU)


def test_files_that_are_no_potential_are_refused(tmp_path: Path) -> None:
    for model in (None, str(tmp_path / "none.mtp"), f"{tmp_path}/none.mtp@Mg"):
        with pytest.raises(InputError, match="give mtp:FILE@ELEMENTS"):
            mtp.load(model, CPU)
    other = tmp_path / "other.mtp"
    other.write_text("nep4 2 Cu Zr\n")
    with pytest.raises(InputError, match=r"no fitted coefficients|cannot be read") as caught:
        mtp.load(f"{other}@Cu,Zr", CPU)
    assert "\n" not in str(caught.value)


@needs_mgvo
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match="pip install motep"):
        mtp.load(f"{MGVO}@Mg,V,O", CPU)
