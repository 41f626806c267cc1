"""Documents of schema version 1, written by the code of that time, arrive whole in today's form."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tachylite.errors import InputError
from tachylite.schemas import Failure, Material, Protocol
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.ramp import RampResult
from tachylite.schemas.steps.relax import RelaxResult
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.schemas.steps.strain import StrainResult
from tachylite.schemas.steps.volume import VolumeResult
from tachylite.schemas.version1 import upgrade_protocol
from tachylite.stores.queries import read_document

DATA = Path(__file__).parent / "data"


def stored(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress((DATA / f"material-v1-{name}.json.gz").read_bytes()))
    assert content["schema_version"] == 1
    return content


def as_json(value: Any) -> Any:
    """What is left out by either side is no difference."""
    if hasattr(value, "model_dump_json"):
        value = json.loads(value.model_dump_json())
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items() if part is not None and key != "schema_version"}
    return [as_json(part) for part in value] if isinstance(value, list) else value


def test_every_stage_of_argon_is_a_step() -> None:
    old = stored("argon")
    material = read_document(Material, old)
    assert [(step.name, step.kind) for step in material.protocol.steps] == [
        ("melt-volume", "volume"),
        ("melt", "hold"),
        ("anneal-volume", "volume"),
        ("anneal", "hold"),
        ("quench", "ramp"),
        ("glass", "relax"),
        ("elasticity", "strain"),
        ("amorphous-limit", "snapshots"),
    ]
    assert [result.name for result in material.results] == [branch.name for branch in material.protocol.branches]
    assert {result.status for result in material.results} == {"completed"}
    assert (material.status, material.failures) == ("completed", [])
    for name in ("material_id", "formula", "elements", "n_atoms", "created_at", "provenance"):
        assert as_json(json.loads(material.model_dump_json())[name]) == as_json(old[name])


def test_states_keep_volume_run_and_properties() -> None:
    old = stored("argon")
    material = read_document(Material, old)
    states = [old["melt"], *old["anneals"]]
    searches, holds = material.of_kind(VolumeResult), material.of_kind(HoldResult)
    assert len(searches) == len(holds) == len(states) == 3
    for state, search, hold in zip(states, searches, holds, strict=True):
        assert search.temperature_k == hold.temperature_k == state["temperature_k"]
        equilibrium = state["equilibrium"]
        for name in ("volume_a3", "pressure_gpa", "samples", "equation_of_state", "state", "pressure_convention"):
            assert as_json(getattr(search, name)) == as_json(equilibrium[name])
        for name in ("density_g_cm3", "diffusivities", "structure", "run"):
            assert as_json(json.loads(hold.model_dump_json())[name]) == as_json(state[name])
        assert as_json(hold.volume_a3) == as_json(equilibrium["volume_a3"])
    assert holds[1].source == searches[1].name == "anneal-volume-60K"
    assert searches[1].source == "melt"


def test_the_glass_becomes_three_results() -> None:
    old = stored("argon")
    material = read_document(Material, old)
    glass = old["glass"]
    (ramp,), (relaxed,), (strained,) = (material.of_kind(kind) for kind in (RampResult, RelaxResult, StrainResult))
    assert isinstance(ramp, RampResult)
    assert (ramp.start_temperature_k, ramp.temperature_k) == (90, glass["final_temperature_k"])
    for name in ("cooling_rate_k_s", "transition", "heat_capacity", "structure", "run"):
        assert as_json(json.loads(ramp.model_dump_json())[name]) == as_json(glass[name])
    for name in ("density_g_cm3", "formation_energy_ev_per_atom", "above_crystal_ev_per_atom", "relaxation"):
        assert as_json(json.loads(relaxed.model_dump_json())[name]) == as_json(glass[name])
    assert isinstance(strained, StrainResult)
    assert as_json(strained.elasticity) == as_json(glass["elasticity"])
    (limit,) = material.of_kind(SnapshotsResult)
    for name in ("formation_energy_ev_per_atom", "above_crystal_ev_per_atom", "snapshots"):
        assert as_json(json.loads(limit.model_dump_json())[name]) == as_json(old["amorphous_limit"][name])


def test_what_follows_from_several_states_is_kept() -> None:
    old = stored("argon")
    material = read_document(Material, old)
    (activation,), (expansion,) = material.activations, material.expansions
    assert (activation.step, expansion.step) == ("anneal", "anneal-volume")
    assert as_json(activation) == as_json(old["activations"][0] | {"step": "anneal", "variant": ""})
    assert as_json(expansion) == as_json(old["expansion"] | {"step": "anneal-volume", "variant": ""})


def test_failures_and_what_was_never_reached() -> None:
    old = stored("copper-gold")
    material = read_document(Material, old)
    assert material.status == "partial"
    assert material.failures == [Failure.model_validate(failure) for failure in old["failures"]]
    cold = material.result("anneal-volume-1000K")
    assert (cold.status, cold.reason) == ("failed", old["anneals"][0]["equilibrium"]["reason"])
    never = material.result("anneal-1000K")
    assert (never.status, never.reason, never.final) == ("skipped", cold.reason, None)
    assert material.result("anneal-2500K").status == "completed"


def test_a_document_that_is_not_whole_gets_one_line() -> None:
    broken = stored("argon")
    del broken["melt"]["equilibrium"]["status"]
    with pytest.raises(InputError, match="has schema version 1 and cannot be read") as caught:
        read_document(Material, broken)
    assert "\n" not in str(caught.value)


def test_the_protocol_inside_a_campaign_is_read_too() -> None:
    old = stored("argon")["protocol"]
    campaign = {
        "schema_version": 1,
        "kind": "campaign",
        "campaign_id": "c",
        "launcher": {"launcher": "fireworks"},
        "cohorts": [["Ar"]],
        "material_ids": ["m"],
        "engine": "lennard-jones",
        "protocol": old,
        "seed": 0,
        "workdir": "work",
    }
    assert read_document(Campaign, campaign).protocol == Protocol.model_validate(upgrade_protocol(old))


def test_a_stage_without_a_volume_search_has_no_step_for_it() -> None:
    old = {"name": "p", "volume_search": None, "melt": {"temperature_k": 3000, "production_ps": 3}, "quench": None}
    (melt,) = Protocol.model_validate(upgrade_protocol(old)).steps
    assert (melt.name, melt.kind, melt.temperatures_k) == ("melt", "hold", [3000])
