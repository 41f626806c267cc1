import gzip
import json
import re
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.report.report_pieces import Case
from tests.stores.store_samples import make_material, make_trajectory

from tachylite.report import optimade
from tachylite.report.optimade import (
    SETTINGS,
    STRUCTURES,
    TRAJECTORIES,
    structure_entries,
    trajectory_entry,
    write_structures,
    write_trajectories,
)
from tachylite.schemas import Material, Measured, State, Trajectory

FORMULAS = [
    f"{metal}{n}{other}"
    for metal in ("Li", "Na", "Fe", "Zr", "Ce")
    for other in ("B", "C", "O", "S", "Cl")
    for n in (1, 2)
]


@pytest.fixture
def material(phosphate_case: Case) -> Material:
    return phosphate_case.material


def variants(material: Material) -> list[Material]:
    """The material with atoms of other elements: as many formulas as `FORMULAS`."""
    made = []
    for formula in FORMULAS:
        first, second = re.findall("[A-Z][a-z]?", formula)
        exchange = {"Li": first, "P": second, "O": second}
        made.append(_exchanged(material, exchange, formula))
    return made


def _exchanged(material: Material, exchange: dict[str, str], identity: str) -> Material:
    from ase.data import atomic_numbers

    numbers = {atomic_numbers[old]: atomic_numbers[new] for old, new in exchange.items()}

    def change(content: Any) -> Any:
        if isinstance(content, dict):
            changed = {key: change(value) for key, value in content.items()}
            if "numbers" in content and "positions" in content:
                changed["numbers"] = [numbers[number] for number in content["numbers"]]
            return changed
        return [change(value) for value in content] if isinstance(content, list) else content

    return Material.model_validate(change(material.model_dump()) | {"material_id": f"{identity}-id"})


def lines(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return [json.loads(line) for line in text.splitlines()]


def test_fifty_materials_agree_with_the_models_of_the_specification(material: Material, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        models = pytest.importorskip("optimade.models", reason="pip install optimade")
        count = write_structures(variants(material), tmp_path, "Melts")
        head, base, info, *entries = lines(tmp_path / STRUCTURES)
        assert head == {"x-optimade": {"api_version": "1.2.0"}}
        models.Provider.model_validate(base["provider"])
        models.baseinfo.BaseInfoResource.model_validate(base)
        models.EntryInfoResource.model_validate(info)
        structures = [models.StructureResource.model_validate(entry) for entry in entries]
    assert len(variants(material)) == 50
    assert all("properties" in line for line in (base, info)), "optimade-maker stops at the first line without them"
    assert count == len(structures) == len({entry["id"] for entry in entries}) >= 50
    for entry in entries:
        assert entry["attributes"].keys() <= info["properties"].keys()
        assert all(re.fullmatch("[a-z_][a-z_0-9]*", name) for name in entry["attributes"])


def test_numbers_have_their_errors_and_units(material: Material, tmp_path: Path) -> None:
    write_structures([material], tmp_path, "Melts")
    _, _, info, *entries = lines(tmp_path / STRUCTURES)
    melt = next(entry["attributes"] for entry in entries if entry["id"].endswith("-melt"))
    result = material.result("melt")
    density = result.density_g_cm3  # type: ignore[attr-defined]  # of a hold
    assert melt["_tachylite_density_g_cm3"] == density.value
    assert melt["_tachylite_density_error_g_cm3"] == density.error
    meanings = info["properties"]
    assert meanings["_tachylite_density_g_cm3"] == {"description": "density", "type": "float", "unit": "g/cm³"}
    assert meanings["_tachylite_density_error_g_cm3"]["description"] == "standard error of density"
    (low, high) = (melt[f"_tachylite_d_li_{end}_cm2_s"] for end in ("low", "high"))
    assert low < melt["_tachylite_d_li_cm2_s"] < high
    assert meanings["_tachylite_d_li_low_cm2_s"]["unit"] == "cm²/s"
    volume = next(entry["attributes"] for entry in entries if entry["id"].endswith("melt-volume"))
    assert meanings["_tachylite_volume_a3"]["unit"] == "Å³"
    assert volume["_tachylite_volume_a3"] == pytest.approx(np.linalg.det(volume["lattice_vectors"]), rel=0.05)
    anneal = next(entry["attributes"] for entry in entries if entry["attributes"]["_tachylite_step"] == "anneal")
    assert anneal["_tachylite_ea_li_ev"] == material.activations[0].activation_energy_ev.value  # type: ignore[union-attr]
    assert "_tachylite_ea_li_ev" not in melt


def test_a_structure_in_the_terms_of_the_specification() -> None:
    state = State(numbers=[8, 3, 3, 8, 8, 15], positions=[[float(i), 0, 0] for i in range(6)], cell=np.eye(3).tolist())
    material = make_material(results=[_hold(state)])
    ((entry, _),) = structure_entries(material)
    attributes = entry["attributes"]
    assert attributes["elements"] == ["Li", "O", "P"]
    assert attributes["elements_ratios"] == pytest.approx([1 / 3, 1 / 2, 1 / 6])
    assert attributes["chemical_formula_reduced"] == "Li2O3P"
    assert attributes["chemical_formula_anonymous"] == "A3B2C"
    assert attributes["species_at_sites"] == ["O", "Li", "Li", "O", "O", "P"]
    assert attributes["last_modified"] == "2026-01-01T00:00:00Z"
    assert datetime.fromisoformat(attributes["last_modified"]) == material.created_at.astimezone(UTC)


def _hold(state: State, **changes: Any) -> Any:
    from tests.stores.store_samples import make_hold, make_run

    return make_hold(run=make_run(final=state), n_atoms=len(state.numbers), **changes)


def test_results_that_failed_and_errors_that_are_unknown_are_left_out() -> None:
    state = State(numbers=[3, 8], positions=[[0, 0, 0], [1, 1, 1]], cell=(4 * np.eye(3)).tolist())
    density = Measured(value=2.0, error=float("inf"))
    failed = _hold(state, name="failed", status="failed", reason="it evaporated")
    material = make_material(results=[_hold(state, density_g_cm3=density), failed])
    ((entry, properties),) = structure_entries(material)
    assert entry["attributes"]["_tachylite_density_g_cm3"] == 2.0
    assert properties.keys() == {"_tachylite_density_g_cm3"}


def test_settings_lead_optimade_maker_to_the_file(material: Material, tmp_path: Path) -> None:
    write_structures([material], tmp_path, "Melts: of Li3PO4")
    assert yaml.safe_load((tmp_path / SETTINGS).read_text()) == {
        "config_version": "0.1.0",
        "database_description": "Melts: of Li3PO4",
        "entries": {"jsonl_path": STRUCTURES},
    }


def test_trajectories_as_version_1_3_has_them(material: Material, tmp_path: Path) -> None:
    trajectory = make_trajectory(1)
    result = material.result("melt")
    assert write_trajectories([(material, result, trajectory)], tmp_path) == 1
    head, base, info, entry = lines(tmp_path / TRAJECTORIES)
    assert head == {"x-optimade": {"api_version": "1.3.0"}}
    assert base["attributes"]["entry_types_by_format"] == {"json": ["trajectories"]}
    attributes, definitions = entry["attributes"], info["properties"]
    assert entry["id"] == trajectory.sha256
    assert attributes["nframes"] == 6
    assert attributes["reference_frames"] == [0, 5]
    np.testing.assert_allclose(attributes["cartesian_site_positions"], trajectory.positions, atol=5e-6)
    assert attributes["_tachylite_time_fs"] == [0, 1, 2, 3, 4, 5]
    assert attributes.keys() <= definitions.keys()
    for name, meaning in definitions.items():
        dimensions = meaning.get("x-optimade-dimensions", {"names": []})
        if dimensions["names"][:1] == ["dim_frames"] and attributes[name] is not None:
            compact = dimensions["compactable"][0] == "constant"
            assert len(attributes[name]) == 6 or (compact and len(attributes[name]) == 1), name


def test_a_long_trajectory_is_thinned_and_says_so(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    trajectory = Trajectory.from_arrays(
        numbers=[3, 8],
        positions=np.arange(60.0).reshape(10, 2, 3),
        cells=np.eye(3) * np.arange(1, 11)[:, None, None],
        times_fs=np.arange(10),
        series={},
    )
    monkeypatch.setattr(optimade, "VALUES_AT_MOST", 20)
    attributes = trajectory_entry(material, material.result("melt"), trajectory)["attributes"]
    assert attributes["_tachylite_stride"] == 3
    assert attributes["_tachylite_time_fs"] == [0, 3, 6, 9]
    assert attributes["cartesian_site_positions"] == trajectory.positions[::3].tolist()
    assert attributes["lattice_vectors"] == trajectory.cells[::3].tolist()
