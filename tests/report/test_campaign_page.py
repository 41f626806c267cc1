"""The page of a screen in a real browser, small and at the size of the published one."""

import csv
import re
import time
from pathlib import Path

import numpy as np
import pytest
from tests.report.report_pieces import Case
from tests.report.test_browser import body_of, open_page, pytestmark  # noqa: F401 - marks of this module

from tachylite.configs import load_protocol
from tachylite.physics.chemical_systems import METALS, NONMETALS, binary_systems, chemistry_of, grid_formulas
from tachylite.physics.composition import parse_formula
from tachylite.report.pages.campaign import write_campaign
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.screen import CompositionRow, StablePhase

SYNTHETIC = "Synthetic energies: a page to look at, and no result"


def synthetic(systems: list[tuple[str, ...]]) -> tuple[Campaign, list[CompositionRow], dict[str, list[StablePhase]]]:
    """Rows as a screen would give them, with energies that mean nothing."""
    rng = np.random.default_rng(0)
    rows, stable = [], {}
    for system in systems:
        name, depth = "-".join(system), float(rng.uniform(0, 1))
        stable[name] = [
            StablePhase(formula=f, source="none", fractions=parse_formula(f).fractions, formation_energy_ev_per_atom=e)
            for f, e in ((system[0], 0.0), ("".join(system), -depth), (system[1], 0.0))
        ]
        for formula in grid_formulas(system, 0.1):
            fractions = parse_formula(formula).fractions
            hull = -2 * depth * min(fractions.values())
            above = float(rng.gamma(4, 0.02))
            crystallised = rng.uniform() < 0.05
            rows.append(
                CompositionRow(
                    formula=formula,
                    sample=0,
                    system=name,
                    chemistry=chemistry_of(system),
                    fractions=fractions,
                    material_id=f"{name}-{formula}",
                    status="crystallised" if crystallised else "completed",
                    crystalline=crystallised,
                    n_atoms=100,
                    density_g_cm3=float(rng.uniform(2, 9)),
                    energy_ev_per_atom=-4.0,
                    formation_energy_ev_per_atom=hull + above,
                    hull_ev_per_atom=hull,
                    above_hull_ev_per_atom=above,
                    stable_phases=" + ".join(system),
                )
            )
    campaign = Campaign(
        campaign_id="0" * 24,
        launcher=None,
        systems=["-".join(system) for system in systems],
        cohorts=[[row.formula for row in rows]],
        material_ids=[row.material_id for row in rows],
        engine="none",
        protocol=load_protocol("aykol2023"),
        seed=0,
        workdir="",
    )
    return campaign, rows, stable


def test_systems_and_compositions_are_listed_and_a_diagram_is_drawn(tmp_path: Path) -> None:
    systems = [("Li", "Si"), ("Al", "O"), ("Ge", "Te"), *binary_systems(("Cu", "Zr", "Ag", "Mg"), ())]
    page = write_campaign(*synthetic(systems), tmp_path / "page", notice=SYNTHETIC)
    document, console = open_page(page, tmp_path / "profile", "--dump-dom")
    body = body_of(document)
    assert (body.get("errors"), console, body["state"], body["campaign"]) == (None, "", "ready", "ready")
    assert SYNTHETIC in document
    assert f"{len(systems)} systems, {9 * len(systems)} compositions" in document
    diagram = document[document.index('id="diagram"') :]
    assert 'class="main-svg"' in diagram[: diagram.index("</section>")]
    assert len(re.findall(r"<tr", document)) > 9 * len(systems)
    assert (tmp_path / "page/figures/system_Li-Si.png").exists()
    with (tmp_path / "page/table.csv").open(encoding="utf-8") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 9 * len(systems)


def test_a_structure_is_shown_with_its_pair_distribution(phosphate_case: Case, tmp_path: Path) -> None:
    campaign, rows, stable = synthetic([("Li", "Si")])
    material = phosphate_case.material
    rows[3] = rows[3].model_copy(update={"material_id": material.material_id})
    page = write_campaign(campaign, rows, stable, tmp_path / "page", [material], notice=SYNTHETIC)
    document, console = open_page(page, tmp_path / "profile", "--dump-dom", fragment=f"#{material.material_id}")
    assert (body_of(document).get("errors"), console) == (None, "")
    member = document[document.index('id="member"') :]
    assert '<div id="member-structure">' in member, "no longer hidden"
    assert "Partial radial distribution functions" in member
    assert 'class="main-svg"' in member[: member.index("</section>")]


@pytest.mark.slow
def test_the_published_size_is_usable(tmp_path: Path) -> None:
    began = time.monotonic()
    page = write_campaign(*synthetic(binary_systems(METALS, NONMETALS)), tmp_path / "page", notice=SYNTHETIC)
    written = time.monotonic()
    document, console = open_page(page, tmp_path / "profile", "--dump-dom")
    body = body_of(document)
    assert (body.get("errors"), console, body["campaign"]) == (None, "", "ready")
    assert "3,209 systems, 28,881 compositions" in document
    print(f"written in {written - began:.1f} s, loaded in {time.monotonic() - written:.1f} s")  # noqa: T201 - for the docs
