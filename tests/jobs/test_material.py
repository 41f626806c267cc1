"""The document of a member: its status, what failed, what identifies it."""

from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest
from tests.flows.fake_engine import FakeEngine, start_state

from tachylite.configs import load_protocol
from tachylite.jobs.material import gather_material, material_id
from tachylite.schemas import Material, Measured, Protocol, Result
from tachylite.schemas.protocol import Packing
from tachylite.schemas.relaxation import References
from tachylite.schemas.start import PackedStart, Start, StructureStart
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.relax import RelaxResult
from tachylite.schemas.steps.volume import VolumeResult

STEPS: list[dict[str, Any]] = [
    {"kind": "volume", "name": "search", "temperature_k": [1000, 2000]},
    {"kind": "hold", "name": "melt"},
    {"kind": "relax", "name": "glass", "from": "melt"},
]
PROTOCOL = Protocol.model_validate({"name": "test", "packing": {"n_atoms": 4}, "steps": STEPS})
KINDS = {"search": VolumeResult, "melt": HoldResult, "glass": RelaxResult}


def results(**statuses: str) -> list[Result]:
    """Results of the protocol above, completed where no status is given; `glass_2000K="failed"`."""
    found: list[Result] = []
    for branch in PROTOCOL.branches:
        status = statuses.get(branch.name.replace("-", "_"), "completed")
        fields: dict[str, Any] = branch.model_dump(include={"name", "step", "variant", "source", "temperature_k"})
        fields |= {"status": status, "formula": "Ar", "n_atoms": 4}
        fields |= {"reason": f"{branch.name} broke"} if status != "completed" else {}
        if branch.step == "search":
            volume = Measured(value=80.0 + 0.01 * branch.temperature_k, error=0.1) if branch.temperature_k else None
            fields |= {"pressure_convention": "total", "volume_a3": volume}
        found.append(KINDS[branch.step](**fields))
    return found


def references(*failing: str) -> References:
    symbols = ["Ar", "Cu"]
    states = [start_state([symbol], symbol) for symbol in symbols]
    engine = FakeEngine(fails=tuple(f"{symbol}: element" for symbol in failing))
    labels = [f"element {symbol}" for symbol in symbols]
    relaxed = engine.relax(states, Path(), relax_cell=True, labels=labels)
    return References(elements=dict(zip(symbols, relaxed, strict=True)), crystals=[])


def gather(found: list[Result], above: References | None = None, seed: int = 0) -> Material:
    start = start_state(["Ar"] * 4, "argon")
    material: Material = unwrap(gather_material)(
        FakeEngine(),
        PROTOCOL,
        seed,
        PackedStart(formula="Ar"),
        start,
        found,
        above if above is not None else references(),
    )
    return material


def test_where_nothing_failed_it_is_completed() -> None:
    material = gather(results(), seed=3)
    assert (material.status, material.failures) == ("completed", [])
    assert (material.formula, material.n_atoms, material.elements) == ("Ar", 4, ["Ar"])
    assert [result.name for result in material.results] == [branch.name for branch in PROTOCOL.branches]
    assert (material.provenance.engine, material.provenance.seed) == ("fake", 3)
    (expansion,) = material.expansions
    # from 90 to 100 A^3 in 1000 K, over the volume halfway
    assert expansion.step == "search"
    assert expansion.coefficient_per_k.value == pytest.approx(0.01 / 95)


def test_a_failure_beside_a_result_is_partial_and_is_named() -> None:
    material = gather(results(melt_2000K="failed", glass_2000K="skipped"))
    assert material.status == "partial"
    assert [(failure.stage, failure.reason) for failure in material.failures] == [("melt, 2000K", "melt-2000K broke")]


@pytest.mark.parametrize("searches", ["completed", "failed"])
def test_where_only_searches_went_well_it_has_failed(searches: str) -> None:
    """A volume is a means: nobody asked for it."""
    lost = {"melt_1000K": "failed", "melt_2000K": "failed", "glass_1000K": "skipped", "glass_2000K": "skipped"}
    material = gather(results(search_1000K=searches, search_2000K=searches, **lost))
    assert material.status == "failed"
    assert [failure.stage for failure in material.failures][-2:] == ["melt, 1000K", "melt, 2000K"]


def test_what_was_skipped_is_no_failure_of_its_own() -> None:
    skipped = {f"{step}_{kelvin}K": "skipped" for step in ("melt", "glass") for kelvin in (1000, 2000)}
    material = gather(results(search_1000K="failed", search_2000K="failed", **skipped))
    assert material.status == "failed"
    assert [failure.stage for failure in material.failures] == ["search, 1000K", "search, 2000K"]


def test_a_failure_without_a_reason_is_still_named() -> None:
    found = [result.model_copy(update={"reason": None}) for result in results(glass_1000K="failed")]
    assert [failure.reason for failure in gather(found).failures] == ["no reason recorded"]


def test_only_references_of_its_own_elements_concern_a_member() -> None:
    assert gather(results(), references("Cu")).status == "completed"
    material = gather(results(), references("Ar"))
    assert material.status == "partial"
    assert [(failure.stage, failure.reason) for failure in material.failures] == [("reference Ar", "it never settled")]


def test_the_id_is_that_of_the_input_alone() -> None:
    def identity(seed: int = 0, n_atoms: int = 4, formula: str = "Ar", **changes: Any) -> str:
        protocol = PROTOCOL.model_copy(update={"packing": Packing(n_atoms=n_atoms)} | changes)
        return material_id(PackedStart(formula=formula), protocol, FakeEngine(), seed)

    assert identity() == identity(name="another name", description="and words", doi="10.1000/x")
    colder = [PROTOCOL.steps[0].model_copy(update={"temperature_k": [1000, 1999]}), *PROTOCOL.steps[1:]]
    others = [
        identity(seed=1),
        identity(n_atoms=8),
        identity(formula="Kr"),
        identity(pressure="virial"),
        identity(steps=colder),
        identity(steps=PROTOCOL.steps[:2]),
    ]
    assert len({identity(), *others}) == 1 + len(others)
    assert gather(results()).material_id == identity()


def test_structures_of_one_composition_are_different_materials() -> None:
    state = start_state(["Ar"] * 4, "Ar")
    start, moved = StructureStart(source="a.cif", state=state), StructureStart(state=state.scaled_to(500.0))

    def identity(of: Start) -> str:
        return material_id(of, PROTOCOL, FakeEngine(), 0)

    assert len({identity(start), identity(moved), identity(PackedStart(formula="Ar"))}) == 3
    assert identity(start) == identity(StructureStart(source="another name", state=state))


def test_ids_of_shipped_protocols_stay_when_settings_are_added() -> None:
    """What a store holds is not made again: a setting that is not used does not count."""
    start = PackedStart(formula="Li3PO4")
    identity = material_id(start, load_protocol("quickstart"), "lennard-jones", 0)
    assert identity == "e81d91266147cc9665d46e40", "as stored documents have it"
