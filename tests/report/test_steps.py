"""Sections and cards of the steps, whatever the kinds of steps and however many results they have."""

import pytest
from tests.report.report_pieces import Case, diffusivity
from tests.report.report_results import (
    ANNEALS,
    glass,
    head,
    hold,
    limit,
    protocol,
    quench,
    skipped,
    volume_search,
    with_results,
)

from tachylite.report.drawing.chart import Points
from tachylite.report.pages.sections import cards, final_states, notices, sections
from tachylite.report.parts import Section, comparison_table
from tachylite.report.steps import rows_of, step_cards, step_sections
from tachylite.report.steps import snapshots as snapshots_section
from tachylite.schemas import Failure, Interval, Material, Measured, Protocol
from tachylite.schemas.steps import KINDS
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.schemas.structure import Crystallinity
from tachylite.schemas.transport import ConductivityLaw


def sections_by_title(material: Material) -> dict[str, Section]:
    return {section.title: section for section in step_sections(material, {})}


def test_every_kind_of_step_has_a_section(phosphate_case: Case) -> None:
    material = phosphate_case.material
    assert {result.kind for result in material.results} <= set(KINDS)
    assert [section.title for section in sections(material, phosphate_case.trajectories)] == [
        *("Melt volume", "Melt", "Anneal volume", "Anneal", "Quench", "Glass", "Elasticity", "Amorphous limit"),
        *("Transport", "Structure"),
    ]


def test_bridges_and_qn_stand_beside_coordination(phosphate_case: Case) -> None:
    (section,) = (s for s in sections(phosphate_case.material, {}) if s.title == "Structure")
    anions, formers = section.tables[1:]
    assert anions.rows[0][1:3] == ("O", "0.200 ± 0.020")
    assert anions.rows[0][3:] == ("1: 0.800 ± 0.020, 2: 0.200 ± 0.020", "P-O-P: 0.200 ± 0.020")
    assert formers.rows[0][1:] == ("P", "0.200 ± 0.020", "Q0: 0.800 ± 0.020, Q1: 0.200 ± 0.020")


def test_conductivities_at_300_k_say_how_far_they_are_extrapolated(phosphate_case: Case) -> None:
    law = ConductivityLaw(
        activation_energy_ev=Measured(value=0.31, error=0.02),
        temperatures_k=[600.0, 900.0, 1200.0],
        extrapolated_300k_s_cm=2e-6,
        extrapolated_300k_interval_s_cm=Interval(low=1e-6, high=4e-6),
        reach_300k=2.0,
        extrapolation_remark="far extrapolation",
    )
    activations = [entry.model_copy(update={"conductivity": law}) for entry in phosphate_case.material.activations[:1]]
    material = phosphate_case.material.model_copy(update={"activations": activations})
    (section,) = (s for s in sections(material, {}) if s.title == "Transport")
    table = section.tables[-1]
    assert table.rows == (
        ("Li", "independent ions", "0.310 ± 0.020", "2.0 [1.0, 4.0] × 10⁻⁶; far extrapolation", "600, 900, 1200"),
    )


def test_one_result_stands_as_rows_and_several_in_a_table(phosphate_case: Case) -> None:
    given = sections_by_title(phosphate_case.material)
    assert {title for title, section in given.items() if section.comparison} == {"Anneal volume", "Anneal"}
    assert {row.label: row.value for row in given["Melt"].rows}["density"] == "1.511 ± 0.030 g/cm³"
    table = given["Anneal"].comparison
    assert table is not None
    assert table.columns[:4] == ("temperature (K)", "density (g/cm³)", "D(Li) (cm²/s)", "D(O) (cm²/s)")
    assert [row[0] for row in table.rows] == ["1500", "2000", "2500"]
    assert [row[1] for row in table.rows] == ["1.894 ± 0.030", "1.836 ± 0.030", "1.730 ± 0.030"]
    assert table.rows[0][4] == "not diffusive: upper bound 4.1 × 10⁻⁷"


def test_thermal_expansion_stands_where_its_volumes_are(phosphate_case: Case) -> None:
    (row,) = sections_by_title(phosphate_case.material)["Anneal volume"].rows
    assert (row.label, row.value) == ("thermal expansion", "(9.1 ± 3.3) × 10⁻⁵ 1/K")


def test_what_one_result_lacks_is_a_dash_in_the_table() -> None:
    cold = hold("anneal-1500K", 12.7, {"Li": 1e-5})
    hot = hold("anneal-2500K", 13.9, {"Li": 3e-4, "P": None})
    unbounded = diffusivity("P", 2500, None).model_copy(update={"upper_bound_cm2_s": None})
    hot = hot.model_copy(update={"diffusivities": [hot.diffusivities[0], unbounded]})
    table = comparison_table([cold, hot], rows_of)
    column = table.columns.index("D(P) (cm²/s)")
    assert [row[column] for row in table.rows] == ["–", "not diffusive"]


def test_results_that_no_quantity_tells_apart_are_named() -> None:
    first, second = limit(), limit()
    results = [
        first.model_copy(update={"name": "limit-melt", "variant": "melt"}),
        second.model_copy(update={"name": "limit-anneal-1500K", "variant": "anneal, 1500K"}),
    ]
    table = comparison_table(results, rows_of)
    assert table.columns == ("", "lowest (eV/atom)", "above the crystal (eV/atom)", "mean (eV/atom)")
    assert [row[0] for row in table.rows] == ["melt", "anneal, 1500 K"]


@pytest.fixture
def snapshots_of_anneals(phosphate_case: Case) -> Material:
    """The material with snapshots of every anneal, in place of those of the melt."""
    steps = protocol().model_dump()["steps"]
    steps[-1]["from"] = ["anneal"]
    changed = Protocol.model_validate(protocol().model_dump() | {"steps": steps})
    results: list[SnapshotsResult] = []
    for place, branch in enumerate(changed.branches_of("amorphous-limit")):
        fields = branch.model_dump(include={"name", "step", "variant", "source", "temperature_k"})
        taken = limit().snapshots[place:]
        results.append(limit().model_copy(update=fields | {"snapshots": taken}))
    kept = [result for result in phosphate_case.material.results if result.kind != "snapshots"]
    return phosphate_case.material.model_copy(update={"protocol": changed, "results": [*kept, *results]})


def test_a_table_that_is_the_same_for_several_results_stands_once(snapshots_of_anneals: Material) -> None:
    section = sections_by_title(snapshots_of_anneals)["Amorphous limit"]
    assert [table.caption for table in section.tables] == ["References of the formation energy"]
    assert [table.caption for table in section.folded] == [f"Relaxed snapshots, {t:g} K" for t in ANNEALS]
    assert [chart.title for chart in section.charts] == [f"Amorphous limit, {t:g} K" for t in ANNEALS]
    assert len({chart.name for chart in section.charts}) == len(ANNEALS)


def test_the_rate_of_a_ramp_stands_once(phosphate_case: Case) -> None:
    labels = [row.label for row in sections_by_title(phosphate_case.material)["Quench"].rows]
    assert labels.count("cooling rate") == 1
    assert len(labels) == len(set(labels))
    heated = quench().model_copy(update={"cooling_rate_k_s": -2e12})
    rows = {row.label: row.value for row in rows_of(heated)}
    assert rows["heating rate"] == "2.00 × 10¹² K/s"
    assert "cooling rate" not in rows


def test_of_a_ramp_the_temperature_is_that_of_the_hold_at_its_end() -> None:
    rows = {row.label: row.value for row in rows_of(quench())}
    assert rows["mean temperature"] == "303.1 ± 6.4 K"
    run = quench().run
    assert run is not None
    bare = quench().model_copy(update={"run": run.model_copy(update={"segments": run.segments[:1]})})
    assert "mean temperature" not in {row.label for row in rows_of(bare)}


def test_skipped_results_leave_no_section(vapour_case: Case, partial_case: Case) -> None:
    assert list(sections_by_title(vapour_case.material)) == ["Melt volume"]
    assert list(sections_by_title(partial_case.material)) == ["Melt volume", "Melt", "Quench", "Amorphous limit"]


def test_of_several_results_those_that_were_skipped_are_left_out(phosphate_case: Case) -> None:
    reason = "a vapour"
    failed = volume_search("anneal-volume-2500K", 13.9).model_copy(
        update={"status": "failed", "reason": reason, "vapour": True, "volume_a3": None, "equation_of_state": None}
    )
    material = with_results(phosphate_case.material, failed, skipped("anneal-2500K", reason))
    material = material.model_copy(update={"failures": [Failure(stage=failed.title, reason=reason)]})
    given = sections_by_title(material)
    searches, holds = given["Anneal volume"].comparison, given["Anneal"].comparison
    assert searches is not None
    assert holds is not None
    assert [row[:2] for row in searches.rows][-1] == ("2500", "vapour")
    assert [row[0] for row in holds.rows] == ["1500", "2000"]
    assert [(notice.heading, notice.stage) for notice in notices(material)][:2] == [
        ("Failed", "anneal-volume, 2500 K"),
        ("Skipped", "anneal, 2500 K"),
    ]


def test_a_failure_is_a_notice_with_its_reason(partial_case: Case) -> None:
    shown = [(notice.kind, notice.stage, notice.reason) for notice in notices(partial_case.material)]
    assert ("failure", "quench", "temperature 41200 K at step 812") in shown
    assert ("skipped", "glass, elasticity", "there is nothing to continue") in shown
    assert not [notice for notice in shown if notice[0] == "failure" and "glass" in notice[1]]


def test_the_volume_stands_on_the_card_of_its_melt(phosphate_case: Case, vapour_case: Case) -> None:
    given = {card.title: [row.label for row in card.rows] for card in cards(phosphate_case.material)}
    assert list(given) == ["Melt", "Quench", "Glass", "Elasticity", "Amorphous limit", "Activation energy"]
    assert given["Melt"] == ["temperature", "volume", "bulk modulus", "density", "D(Li)", "D(O)", "D(P)"]
    assert [card.title for card in step_cards(vapour_case.material)] == ["Melt volume"]


def test_every_structure_is_shown_once(phosphate_case: Case) -> None:
    shown = {named.name: named.title for named in final_states(phosphate_case.material)}
    assert next(iter(shown)) == "amorphous-limit"
    assert shown["anneal-1500K"] == "Anneal, 1500 K"
    # the volumes are those of the runs after them, and the strained structure is the glass
    assert not {"melt-volume", "anneal-volume-1500K", "elasticity"} & set(shown)


def test_a_search_that_nothing_follows_shows_its_structure(phosphate_case: Case) -> None:
    alone = phosphate_case.material.model_copy(update={"results": [volume_search("melt-volume", 15.92)]})
    assert [named.title for named in final_states(alone)] == ["Melt volume"]


def test_laws_of_several_steps_name_their_steps(phosphate_case: Case) -> None:
    laws = phosphate_case.material.activations
    cold = [law.model_copy(update={"step": "cold-anneal"}) for law in laws[:1]]
    material = phosphate_case.material.model_copy(update={"activations": [*laws, *cold]})
    assert [row.label for row in cards(material)[-1].rows] == [
        "Li, anneal",
        "O, anneal",
        "P, anneal",
        "Li, cold-anneal",
    ]


def test_a_hold_at_a_given_volume_says_so() -> None:
    given = hold("melt", 15.92, {})
    assert given.volume_a3 is not None
    held = given.model_copy(update={"volume_a3": given.volume_a3 * 1.0, **head("melt")})
    assert "volume" not in {row.label for row in rows_of(held)}
    exact = given.model_copy(update={"volume_a3": given.volume_a3.model_copy(update={"error": 0.0})})
    assert {row.label: row.value for row in rows_of(exact)}["volume"] == "15.92 Å³/atom"


def test_a_page_says_which_glass_and_which_snapshots_are_crystals() -> None:
    order = Crystallinity(crystalline=True, crystallinity=0.96, diffraction_contrast=7.9)
    changes = {"order": order, "status": "failed", "reason": order.as_failure}
    (row,) = [row for row in rows_of(glass().model_copy(update=changes)) if row.label == "crystal or glass"]
    assert (row.value, row.key) == ("crystalline", True)
    assert row.note == "96% of the atoms have repeated surroundings, contrast of the diffraction 7.9"
    snapshots = limit().snapshots
    crystal = snapshots[2].model_copy(update={"order": order})
    kept = limit().model_copy(update={"snapshots": [*snapshots[:2], crystal, *snapshots[3:]], "n_crystallised": 1})
    assert {row.label: row.value for row in rows_of(kept)}["crystallised"] == "1"
    (chart,) = snapshots_section.charts([kept])
    names = [mark.name for mark in chart.panels[0].marks if isinstance(mark, Points)]
    assert names == ["relaxed snapshot", "crystallised, left out"]
    table = list(snapshots_section.tables(kept))[-1]
    assert [row[-1] for row in table.rows] == ["–", "–", "crystalline", "–", "–"]


def test_a_verdict_that_is_missing_has_its_reason_among_the_notices(phosphate_case: Case) -> None:
    doubted = glass().model_copy(update={"order": Crystallinity(crystalline_reason="9 atoms are too few to tell")})
    material = with_results(phosphate_case.material, doubted)
    assert ("crystal or glass (glass)", "9 atoms are too few to tell") in [
        (n.stage, n.reason) for n in notices(material)
    ]
