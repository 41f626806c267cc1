"""Step `strain`: the moduli of an isotropic solid, and what is refused."""

from pathlib import Path

import pytest
from tests.flows.fake_engine import LAME_GPA, SHEAR_GPA, fresh_engine, lineage
from tests.flows.steps.step_samples import make, protocol_of, results, searched, starts

from tachylite.flows.steps.base import Inputs
from tachylite.flows.steps.strain import StrainMaker

STRAIN = {"kind": "strain", "name": "elasticity", "amount": 0.002}


def test_an_isotropic_solid_has_the_moduli_of_its_lame_constants(tmp_path: Path) -> None:
    engine = fresh_engine()
    for result, start in zip(
        results(make(StrainMaker, "elasticity", protocol_of(STRAIN), engine), Inputs([starts()]), tmp_path),
        ("argon", "alloy"),
        strict=True,
    ):
        assert result.status == "completed"
        assert result.elasticity.strain == 0.002
        assert result.elasticity.bulk_modulus_gpa.hill.value == pytest.approx(LAME_GPA + 2 / 3 * SHEAR_GPA, rel=1e-6)
        assert result.elasticity.shear_modulus_gpa.hill.value == pytest.approx(SHEAR_GPA, rel=1e-6)
        bulk, shear = LAME_GPA + 2 / 3 * SHEAR_GPA, SHEAR_GPA
        young = 9 * bulk * shear / (3 * bulk + shear)
        assert result.elasticity.young_modulus_gpa.value == pytest.approx(young, rel=1e-6)
        assert result.elasticity.poisson_ratio.value == pytest.approx(young / (2 * shear) - 1, rel=1e-6)
        assert lineage(result.final) == (start,), "the structure without strain goes on"
        assert list(result.refusals()) == []
    assert not any(relax_cell for _, _, relax_cell in engine.relaxed)


def test_a_strain_that_does_not_settle_is_a_refusal_beside_a_good_one(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Ar: strain 3"])
    argon, alloy = results(make(StrainMaker, "elasticity", protocol_of(STRAIN), engine), Inputs([starts()]), tmp_path)
    assert argon.status == "completed", "the step was done, and its question not answered"
    assert list(argon.refusals()) == [("elastic moduli", "under strain 3: it never settled")]
    assert argon.elasticity.young_modulus_gpa is None
    assert alloy.elasticity.reason is None


def test_what_has_nothing_to_continue_is_skipped_with_the_reason(tmp_path: Path) -> None:
    engine = fresh_engine()
    protocol = protocol_of({"kind": "volume", "name": "search", "temperature_k": 3000}, STRAIN)
    maker = make(StrainMaker, "elasticity", protocol, engine)
    skipped, completed = results(maker, Inputs([[searched(None), searched(starts()[1])]]), tmp_path)
    assert (skipped.status, skipped.reason, skipped.elasticity) == ("skipped", "search: a vapour", None)
    assert (completed.status, completed.temperature_k) == ("completed", 3000)
