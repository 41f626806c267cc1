from typing import Any

import pytest
from jobflow import JobStore
from tests.stores.store_samples import later, make_hold, make_material, put

from tachylite.errors import InputError
from tachylite.schemas import Diffusivity, Failure, Interval, Measured
from tachylite.schemas.material import Activation
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.relax import RelaxResult
from tachylite.stores import find_frame, find_materials, find_rows

LITHIUM = Diffusivity(
    species="Li",
    temperature_k=3000,
    diffusive=True,
    n_independent=90,
    lags_fs=[],
    msd_a2=[],
    msd_error_a2=[],
    diffusivity_cm2_s=1.2e-4,
    diffusivity_interval_cm2_s=Interval(low=1e-4, high=1.5e-4),
)


def measured(density: float = 2.5, **changes: Any) -> HoldResult:
    return make_hold(density_g_cm3=Measured(value=density, error=0.1), diffusivities=[LITHIUM], **changes)


def annealed(temperature_k: float, density: float) -> HoldResult:
    variant = f"{temperature_k:g}K"
    return measured(density, name=f"anneal-{variant}", step="anneal", variant=variant, temperature_k=temperature_k)


GLASS = RelaxResult(name="as-cast", step="as-cast", status="completed", formula="Li3PO4", n_atoms=96, density_g_cm3=2.8)


@pytest.fixture
def filled(store: JobStore) -> JobStore:
    fit = Activation(
        species="Li", activation_energy_ev=Measured(value=0.3, error=0.02), ln_d0=None, temperatures_k=[1, 2]
    )
    failures = [Failure(stage="quench", reason="no melt"), Failure(stage="anneal", reason="hot")]
    results = [measured(), annealed(1500, 2.1), annealed(2500, 1.9), GLASS]
    put(store, make_material(results=results, activations=[fit]))
    put(store, make_material("NaCl", elements=["Cl", "Na"], results=[], failures=failures, created_at=later(1)))
    return store


def test_activation_energies_of_several_series_have_a_column_each(store: JobStore) -> None:
    energies = {"fast": 0.3, "slow": 0.4}
    fits = [
        Activation(
            step="anneal",
            variant=glass,
            species="Li",
            activation_energy_ev=Measured(value=energy, error=0.02),
            ln_d0=None,
            temperatures_k=[600, 700],
        )
        for glass, energy in energies.items()
    ]
    put(store, make_material(activations=fits))
    (row,) = find_rows(store)
    assert (row["anneal-fast_Ea_Li_ev"], row["anneal-slow_Ea_Li_ev"]) == (0.3, 0.4)
    assert "Ea_Li_ev" not in row


def test_rows_hold_numbers_by_name(filled: JobStore) -> None:
    salt, phosphate = find_rows(filled)
    assert salt["formula"] == "NaCl"
    assert "melt_density_g_cm3" not in salt
    assert salt["failures"] == "quench: no melt; anneal: hot"
    assert (phosphate["melt_density_g_cm3"], phosphate["melt_density_error_g_cm3"]) == (2.5, 0.1)
    assert (phosphate["melt_D_Li_cm2_s"], phosphate["melt_D_Li_low_cm2_s"]) == (1.2e-4, 1e-4)
    assert (phosphate["anneal-1500K_density_g_cm3"], phosphate["anneal-2500K_density_g_cm3"]) == (2.1, 1.9)
    assert phosphate["as-cast_density_g_cm3"] == 2.8
    assert phosphate["Ea_Li_ev"] == 0.3
    assert phosphate["created_at"] == "2026-01-01T00:00:00"


def test_a_frame_has_a_row_for_each(filled: JobStore) -> None:
    frame = find_frame(filled, elements=["Li"])
    assert frame.set_index("formula").loc["Li3PO4", "melt_D_Li_cm2_s"] == 1.2e-4
    assert len(frame) == 1


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (["melt.density_g_cm3.value>2"], ["Li3PO4"]),
        (["melt.density_g_cm3.value>2", "melt.density_g_cm3.value<2.4"], []),
        (["melt.diffusivities.diffusivity_cm2_s>1e-4"], ["Li3PO4"]),
        (["failures.stage=quench"], ["NaCl"]),
        (["n_atoms>=96"], ["NaCl", "Li3PO4"]),
        (["anneal-1500K.density_g_cm3.value>2"], ["Li3PO4"]),
        (["anneal-2500K.density_g_cm3.value>2"], []),
        (["anneal-3000K.density_g_cm3.value>0"], []),
        (["anneal.density_g_cm3.value<2"], ["Li3PO4"]),
        (["anneal.density_g_cm3.value<1.9"], []),
        (["as-cast.density_g_cm3>2.7", "melt.density_g_cm3<2.7"], ["Li3PO4"]),
        (["as-cast.density_g_cm3>2.9"], []),
        (["melt.density_g_cm3!=2.5"], []),
        (["melts.density_g_cm3.value>0"], []),
        (["melt.temperature_k=1500"], []),
        (["results.temperature_k=1500"], ["Li3PO4"]),
        (["results.kind=relax"], ["Li3PO4"]),
        (["as-cast.status!=completed"], []),
    ],
)
def test_any_result_may_be_asked_for(filled: JobStore, where: list[str], expected: list[str]) -> None:
    assert [material.formula for material in find_materials(filled, where=where)] == expected
    assert [row["formula"] for row in find_rows(filled, where=where)] == expected


def test_a_document_of_a_newer_version_is_refused(store: JobStore) -> None:
    put(store, make_material().model_dump() | {"schema_version": 9})
    for find in (find_materials, find_rows):
        with pytest.raises(InputError, match=r"schema version 9, of a newer tachylite; this one reads up to 2"):
            find(store)


def test_a_campaign_is_found_by_the_metadata_of_its_jobs(store: JobStore) -> None:
    entry = {"uuid": "a", "index": 1, "output": make_material(), "metadata": {"campaign": "c1"}}
    store.update(entry)
    put(store, make_material("NaCl", elements=["Cl", "Na"]))
    assert [material.formula for material in find_materials(store, campaign="c1")] == ["Li3PO4"]
