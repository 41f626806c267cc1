"""The fields of stored documents, which queries of users name: they stay, wherever the classes are declared."""

import json

import numpy as np
import pytest
from tests.physics.crystals import cristobalite, frames_of

from tachylite.analysis.structure import measure_frames
from tachylite.arrays import FloatList, FloatMatrix
from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.schemas import Diffusivity, StructureAnalysis
from tachylite.schemas.base import Document
from tachylite.schemas.glass import Elasticity, GlassTransition, HeatCapacity, ThermalExpansion, Transition
from tachylite.schemas.transport import TransportSeries

DOCUMENT = "schema_version kind "
FIELDS: dict[type[FrozenModel], str] = {
    Diffusivity: DOCUMENT + "species temperature_k diffusive reason diffusivity_cm2_s diffusivity_interval_cm2_s "
    "upper_bound_cm2_s n_independent lags_fs msd_a2 msd_error_a2 fit_start_fs intercept_a2 n_atoms n_frames "
    "frame_spacing_fs collective conductivity finite_size",
    TransportSeries: DOCUMENT + "species diffusivities arrhenius vft conductivity collective_conductivity size reason",
    StructureAnalysis: DOCUMENT + "temperature_k n_frames r_a partials total_g total_g_error coordinations angles_deg "
    "angles network scattering rings polyhedra orientations crystalline crystallinity diffraction_contrast "
    "crystalline_reason",
    GlassTransition: DOCUMENT + "n_atoms energy_kind constant cooling_rate_k_s energy volume glass_heat_capacity "
    "liquid_heat_capacity heat_capacity_jump_j_mol_k glass_expansion liquid_expansion",
    Transition: "quantity reason temperature_k temperature_interval_k width_k value glass_slope liquid_slope "
    "slope_jump window_temperatures_k window_values window_errors",
    HeatCapacity: "j_mol_k k_b_per_atom constant source temperature_k",
    ThermalExpansion: "coefficient_per_k temperature_k volume_a3_per_atom temperatures_k",
    Elasticity: DOCUMENT + "reason formula n_atoms strain max_force_ev_a start_stress_gpa constants_gpa "
    "constants_error_gpa nonlinearity bulk_modulus_gpa shear_modulus_gpa young_modulus_gpa poisson_ratio provenance",
}


@pytest.mark.parametrize("document", FIELDS, ids=lambda document: document.__name__)
def test_the_stored_fields_are_those_that_queries_know(document: type[FrozenModel]) -> None:
    assert set(document.model_fields) == set(FIELDS[document].split())
    assert issubclass(document, Document) == FIELDS[document].startswith(DOCUMENT)


def test_a_structure_comes_back_from_its_json() -> None:
    analysis = measure_frames(
        frames_of(cristobalite()), 300.0, cutoffs_a={"Si-O": 1.8}, q_max_per_a=6.0, rings=True, groups={"Si": ["O"]}
    )
    text = analysis.model_dump_json()
    assert StructureAnalysis.model_validate_json(text) == analysis
    stored = json.loads(text)
    (group,) = stored["orientations"]
    assert group["group"] == "Si:O"
    assert group["order"]["3"]["error"] is None, "one frame has no error; JSON writes an infinite one as null"
    assert stored["rings"]["rings_per_vertex"]["6"]["value"] == pytest.approx(2)
    assert stored["coordinations"][1]["fractions"] == {"4": {"value": 1.0, "error": 0.0}}


def test_a_structure_of_an_earlier_version_is_read() -> None:
    partial: dict[str, object] = {
        "pair": "O-Si",
        "g": [0.0, 1.0],
        "g_error": [0.0, 0.1],
        "first_peak_a": None,
        "first_minimum_a": None,
        "coordination": {},
    }
    stored = {"kind": "structure", "temperature_k": None, "n_frames": 5, "r_a": [1.0, 2.0], "partials": [partial]}
    assert StructureAnalysis.model_validate(stored).total_g == []


def test_models_take_arrays_and_hold_lists() -> None:
    class Curve(FrozenModel):
        values: FloatList
        rows: FloatMatrix

    curve = Curve(values=np.array([1.0, 2.0]), rows=np.eye(2))
    assert (curve.values, curve.rows) == ([1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]])
    assert Curve.model_validate_json(curve.model_dump_json()) == curve
    with pytest.raises(ValueError, match="valid number"):
        Curve(values=np.eye(2), rows=np.eye(2))


def test_measured_numbers_and_intervals_scale_with_their_unit() -> None:
    assert Measured(value=-2.0, error=0.5) * -4 == Measured(value=8.0, error=2.0)
    assert Interval(low=1.0, high=3.0) * 2 == Interval(low=2.0, high=6.0)
