from typing import Any

import pytest

from tachylite.errors import InputError
from tachylite.stores.conditions import parse_condition


def of_step(name: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    """The query for a result of a step, or of that name."""
    named = {"$or": [{"step": name}, {"name": name}]}
    return {"output.results": {"$elemMatch": {"$and": [*conditions, named]}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("melt.density_g_cm3.value>2.5", of_step("melt", {"density_g_cm3.value": {"$gt": 2.5}})),
        ("melt.density_g_cm3.value <= 3e0", of_step("melt", {"density_g_cm3.value": {"$lte": 3.0}})),
        ("n_atoms=96", {"output.n_atoms": {"$eq": 96.0}}),
        (
            "melt.diffusivities.diffusivity_cm2_s>=1e-5",
            of_step("melt", {"diffusivities.diffusivity_cm2_s": {"$gte": 1e-5}}),
        ),
        ("melt.diffusivities.diffusive = true", of_step("melt", {"diffusivities.diffusive": {"$eq": True}})),
        ("anneal-987.5K.density_g_cm3.value>2", of_step("anneal-987.5K", {"density_g_cm3.value": {"$gt": 2.0}})),
        ("anneal-1500K.density_g_cm3.value>2", of_step("anneal-1500K", {"density_g_cm3.value": {"$gt": 2.0}})),
        (
            "amorphous-limit.formation_energy_ev_per_atom<0",
            of_step("amorphous-limit", {"formation_energy_ev_per_atom": {"$lt": 0.0}}),
        ),
        ("step_2-volume.samples.attempt>=3", of_step("step_2-volume", {"samples.attempt": {"$gte": 3.0}})),
        (
            "quench.transition.energy.reason='too short'",
            of_step("quench", {"transition.energy.reason": {"$eq": "too short"}}),
        ),
        ("results.elasticity.strain<0.01", {"output.results.elasticity.strain": {"$lt": 0.01}}),
        ("protocol.steps.amount>0.001", {"output.protocol.steps.amount": {"$gt": 0.001}}),
        ("activations.vft.reason=none", {"output.activations.vft.reason": {"$eq": "none"}}),
        ("provenance.device != 'cpu'", {"output.provenance.device": {"$ne": "cpu"}}),
        ("provenance.versions.torch=2.13.0", {"output.provenance.versions.torch": {"$eq": "2.13.0"}}),
    ],
)
def test_a_condition_becomes_a_query(text: str, expected: dict[str, Any]) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize("sign", ["<", "!="])
def test_a_number_that_has_an_error_in_some_steps_is_compared_in_all(sign: str) -> None:
    comparison = {{"<": "$lt", "!=": "$ne"}[sign]: 2.0}
    number = {"kind": {"$nin": ["hold", "ramp"]}, "density_g_cm3": comparison}
    measured = {"kind": {"$in": ["hold", "ramp"]}, "density_g_cm3.value": comparison}
    assert parse_condition(f"glass.density_g_cm3{sign}2") == of_step("glass", {"$or": [number, measured]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dense", "is not PATH SIGN VALUE"),
        ("melt.density_g_cm3.value>", "is not PATH SIGN VALUE"),
        ("$where=1", "is not PATH SIGN VALUE"),
        ("melt.$ne>1", "is not PATH SIGN VALUE"),
        ("melt.density.value>2", "step 'melt' has no 'density'; did you mean 'density_g_cm3'?"),
        ("anneal-1500K.densty_g_cm3.value>2", "'anneal-1500K' has no 'densty_g_cm3'; did you mean 'density_g_cm3'?"),
        ("glass.elasticity.youngs_modulus>2", "elasticity has no 'youngs_modulus'; did you mean 'young_modulus_gpa'?"),
        ("results.elasticty.strain>2", "results has no 'elasticty'; did you mean 'elasticity'?"),
        ("protocol.steps.temperature>2", "protocol.steps has no 'temperature'; did you mean 'temperature_k'?"),
        ("colour=red", "'colour' is no field of a material (schema_version, kind, material_id, start"),
        ("anneal-1500K>2", "'anneal-1500K' is no field of a material"),
        ("colour.red=1", "step 'colour' has no 'red'; it has kind, name, step, "),
        ("melt.volume_a3>2", "volume_a3 has parts: value, error"),
        ("melt.run.provenance=chgnet", "provenance has parts: engine, model"),
        ("failures>2", "failures has parts: stage, reason"),
        ("anneal 1500.n_atoms>2", "is not PATH SIGN VALUE"),
        ("n_atoms>many", "compares with 'many', which is not a number"),
    ],
)
def test_other_conditions_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_condition(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
