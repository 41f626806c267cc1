"""Terms that options add to a potential: which parameters, what a document says, what is refused."""

import importlib.util
from pathlib import Path

import pytest
from tests.reference_data import require

from tachylite.engines import get_engine
from tachylite.engines.potentials import dispersion_parameters
from tachylite.engines.potentials.dispersion_parameters import DAMPINGS, damping_for
from tachylite.engines.potentials.functionals import functional_of
from tachylite.errors import InputError, MissingPackageError


@pytest.mark.parametrize(
    ("family", "name", "functional"),
    [
        ("chgnet", "CHGNet 0.3.0", "PBE"),
        ("chgnet", "CHGNet r2scan", "r2SCAN"),
        ("chgnet", "CHGNet best.pth.tar", None),
        ("matgl", "TensorNet-MatPES-PBE-v2025.1-PES", "PBE"),
        ("matgl", "TensorNet-MatPES-r2SCAN-v2025.1-PES", "r2SCAN"),
        ("mace", "mace medium-mpa-0", "PBE"),
        ("mace", "mace mace-matpes-r2scan-0", "r2SCAN"),
        ("mace", "mace MACE-OFF23_medium.model", "wB97M with dispersion"),
        ("mace", "mace mine.model", None),
        ("sevennet", "sevennet 7net-mf-0@R2SCAN", "r2SCAN"),
        ("sevennet", "sevennet 7net-0", "PBE"),
        ("orb", "orb orb-d3-v2.ckpt", "PBE with dispersion"),
        ("orb", "orb orb-v3-conservative-inf-omat.ckpt", "PBE"),
        ("fairchem", "fairchem uma-s-1p1.pt", "PBE"),
        ("fairchem", "fairchem uma-s-1p1.pt@omol", "wB97M with dispersion"),
        ("fairchem", "fairchem uma-s-1p1.pt@oc20", "RPBE"),
        ("nequix", "Nequix nequix-oam-1", "PBE"),
        ("nep", "NEP UNEP-v1", None),
        ("mtp", "MTP MgVO of Mg,V,O", None),
        ("ase", "EMT (emt)", None),
    ],
)
def test_functionals_of_published_weights(family: str, name: str, functional: str | None) -> None:
    assert functional_of(family, name) == functional


def test_the_level_of_theory_is_in_the_document() -> None:
    plain, corrected = get_engine("chgnet").provenance(), get_engine("chgnet", dispersion="d3").provenance()
    assert corrected.model == f"{plain.model}+d3"
    assert corrected.options == plain.options | {"dispersion": "d3"}
    assert corrected.versions.keys() == plain.versions.keys() | {"torch-dftd"}
    assert corrected.model_sha256 == plain.model_sha256


def test_both_corrections_at_once() -> None:
    options = get_engine("chgnet", dispersion="d3", repulsion="zbl").provenance().options
    assert options == {"repulsion": "zbl", "dispersion": "d3"}


def test_parameters_follow_the_functional_or_are_chosen() -> None:
    assert damping_for("r2SCAN", None, "x") == DAMPINGS["r2SCAN"] == damping_for("r2SCAN", "r2scan", "x")
    assert damping_for(None, "pbe", "x") == DAMPINGS["PBE"]


def refusal(engine: str, **options: str) -> str:
    with pytest.raises(InputError) as caught:
        get_engine(engine, **options).provenance()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_refused_is_told_with_the_way_out() -> None:
    assert "Lennard-Jones argon has dispersion already" in refusal("lennard-jones", dispersion="d3")
    assert "CHGNet 0.3.0 was trained on PBE; write dispersion=d3" in refusal("chgnet", dispersion="d3@SCAN")
    assert "dispersion = 'd4' must be 'd3', or 'd3@FUNCTIONAL' with one of PBE," in refusal("chgnet", dispersion="d4")
    assert "dispersion = 'd3@LDA' must be 'd3', or" in refusal("chgnet", dispersion="d3@LDA")
    unknown = refusal("ase:emt", dispersion="d3")
    assert "functional that EMT (emt) was trained on, which is not known; give it, as in dispersion=d3@PBE" in unknown


def test_unknown_weights_take_a_functional() -> None:
    unep = require("models/UNEP-v1.txt")
    provenance = get_engine(f"nep:{unep}", dispersion="d3@PBE").provenance()
    assert (provenance.model, provenance.options) == ("NEP UNEP-v1+d3", {"dispersion": "d3@PBE"})


def test_elements_beyond_plutonium_are_not_known() -> None:
    get_engine("ase:emt").check_elements(["Cu"])
    with pytest.raises(InputError, match="does not know Am"):
        get_engine("ase:lj", dispersion="d3@PBE").check_elements(["Pu", "Am"])


def test_without_the_coefficients_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    dispersion_parameters.reference_coefficients.cache_clear()
    with pytest.raises(MissingPackageError, match=r"needs the package torch-dftd: pip install 'tachylite\[d3\]'"):
        dispersion_parameters.reference_coefficients()


def test_another_dispersion_is_another_piece_of_work(tmp_path: Path) -> None:
    from ase.build import bulk

    from tachylite.schemas import State

    state = State.from_atoms(bulk("Cu", cubic=True))
    energies = []
    for options in ({}, {"dispersion": "d3@PBE"}, {"dispersion": "d3@revPBE"}):
        (relaxation,) = get_engine("ase:emt", **options).relax([state], tmp_path, relax_cell=False, labels=["Cu"])
        energies.append(relaxation.energy_ev_per_atom)
    assert energies[0] > energies[1] > energies[2]
