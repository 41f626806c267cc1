"""What is checked before anything is handed over, and that all of it is handed over, or nothing."""

from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from pymatgen.core import Structure
from tests.launchers.fake_manager import FakeManager, replace_launchers
from tests.stores.store_samples import later, make_material, put

from tachylite.cli.campaigns.screening import compositions_of, make_screen
from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.errors import InputError
from tachylite.flows.members import members_of
from tachylite.launchers import find_campaign, rerun, submit
from tachylite.launchers.manager import LaunchedJob
from tachylite.launchers.submission import submit_screen
from tachylite.schemas.campaign import Campaign, Launcher, Place
from tachylite.stores import open_store
from tachylite.stores.campaigns import find_campaigns


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeManager:
    return replace_launchers(monkeypatch, tmp_path)


def hand_over(*formulas: str, **options: Any) -> Campaign:
    asked: dict[str, Any] = {"to": Launcher(launcher="fireworks", cohort=2), "engine": "ase:emt", "store": "results"}
    return submit(formulas, **(asked | options))


def test_a_campaign_is_cut_into_cohorts_and_kept(manager: FakeManager) -> None:
    campaign = hand_over("Cu", "Au", "CuAu")
    assert campaign.cohorts == [["Cu", "Au"], ["CuAu"]]
    assert campaign.launcher is not None
    assert campaign.launcher.launchpad == "/where/it/was/found.yaml"
    assert [flow.name for flow in manager.flows] == ["Cu, Au", "CuAu"]
    metadata = [job.metadata for flow in manager.flows for job, _ in flow.iterflow()]
    assert all(one == {"campaign": campaign.campaign_id, "workdir": campaign.workdir} for one in metadata)
    store = open_store("results")
    assert find_campaigns(store) == [campaign]
    assert find_campaign(store, campaign.campaign_id[:6]) == find_campaign(store) == campaign
    with pytest.raises(InputError, match="0 campaigns are named 'zzz'; in this store: "):
        find_campaign(store, "zzz")


def test_the_same_again_is_refused(manager: FakeManager) -> None:
    first = hand_over("Cu")
    with pytest.raises(InputError, match=f"submitted before, in campaign {first.campaign_id}; "):
        hand_over("Cu")
    manager.end(first)
    with pytest.raises(InputError, match=f"submitted before, in campaign {first.campaign_id}; "):
        hand_over("Cu")
    assert len(manager.flows) == 1


def test_what_another_campaign_is_to_make_is_left_out(manager: FakeManager) -> None:
    first = hand_over("Cu", "Au")
    second = hand_over("Ag", "Cu", "Pd")
    assert second.cohorts == [["Ag", "Pd"]]
    with pytest.raises(InputError, match="submitted before, in campaign") as caught:
        hand_over("Pd", "Au")
    assert first.campaign_id in str(caught.value)
    assert second.campaign_id in str(caught.value)
    # at its end without a material, as where that has failed
    manager.end(first)
    assert hand_over("Pd", "Au").cohorts == [["Au"]]


@pytest.mark.parametrize("gone", [False, True])
def test_a_campaign_that_its_launcher_has_forgotten_may_be_submitted_again(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, gone: bool
) -> None:
    first = hand_over("Cu", "Au")
    manager.waiting.clear()
    if gone:
        monkeypatch.setattr(manager, "jobs", unreachable)
    assert hand_over("Cu", "Au").campaign_id == first.campaign_id
    assert (f"whether campaign {first.campaign_id} still makes some of these is not known" in caplog.text) == gone
    assert len(find_campaigns(open_store("results"))) == 1


def unreachable(campaign: str) -> list[LaunchedJob]:
    raise InputError(f"nobody can be asked about {campaign}")


def id_of_copper() -> str:
    (member,) = members_of(["Cu"], protocol=load_protocol("quickstart"), engine="ase:emt")
    return member.material_id


def test_what_the_store_holds_is_left_out(manager: FakeManager) -> None:
    known = id_of_copper()
    put(open_store("results"), make_material("Cu", elements=["Cu"], material_id=known))
    assert hand_over("Cu", "Au").cohorts == [["Au"]]
    with pytest.raises(InputError, match="all of these are in the store already"):
        hand_over("Cu")


def test_a_crystal_asks_for_energies_above_it(manager: FakeManager) -> None:
    """A stored material whose energies are not above the crystal is computed again; one that has them is not."""
    crystal = bulk("Cu")
    crystals = {"Cu": Structure(crystal.cell.array, ["Cu"], crystal.get_scaled_positions())}
    known = id_of_copper()
    glass = {"kind": "relax", "name": "glass", "step": "glass", "formula": "Cu", "n_atoms": 4, "status": "completed"}
    without = make_material("Cu", elements=["Cu"], material_id=known, results=[glass])
    put(open_store("results"), without)
    assert hand_over("Cu", "Au", crystals=crystals).cohorts == [["Cu", "Au"]]
    above = make_material(results=[glass | {"above_crystal_ev_per_atom": 0.1}]).results
    put(open_store("results"), without.model_copy(update={"created_at": later(1), "results": above}))
    manager.waiting.clear()
    assert hand_over("Cu", "Ag", crystals=crystals).cohorts == [["Ag"]]


@pytest.mark.parametrize(
    ("formulas", "options", "message"),
    [
        ([], {}, "there is nothing to begin with"),
        (["Xx"], {}, "unknown element 'Xx'"),
        (["Cu2", "Cu"], {}, "Cu2 and Cu would be the same material"),
        (["CuO"], {}, "does not know O"),
        (["Cu"], {"to": "absent.yaml"}, "No such file"),
        (["Cu"], {"to": Launcher(launcher="fireworks", default=Place(worker="nobody"))}, "no worker 'nobody'"),
        (["Cu"], {"to": Launcher(launcher="fireworks", cohort=9999)}, "a cohort of 9999 may need"),
        (["Cu"], {"store": "broken.yaml"}, "cannot be read"),
        (["Cu"], {"engine": "ase:model.py:Calculator"}, "jobs run in other folders; give /"),
    ],
)
def test_bad_input_submits_nothing(
    manager: FakeManager, formulas: list[str], options: dict[str, Any], message: str
) -> None:
    Path("model.py").write_text("from ase.calculators.emt import EMT as Calculator", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        hand_over(*formulas, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert manager.flows == []
    assert not find_campaigns(open_store("results"))


def test_a_launcher_that_fails_leaves_no_campaign(manager: FakeManager) -> None:
    manager.broken = True
    with pytest.raises(InputError, match="the server went away"):
        hand_over("Cu")
    assert not find_campaigns(open_store("results"))


def test_failed_and_lost_jobs_run_again_and_no_others(manager: FakeManager) -> None:
    campaign = hand_over("Cu")
    manager.refusals["stuck"] = "it has replaced itself"
    for key, state in {"a": "completed", "b": "failed", "c": "running", "d": "lost", "stuck": "failed"}.items():
        manager.reported.append(LaunchedJob(key, "melt", state))  # type: ignore[arg-type] # a literal in a dict is a str
    again, refused = rerun(campaign)
    assert [job.key for job in again] == manager.restarted == ["b", "d"]
    assert refused == ["melt (stuck): it has replaced itself"]


def test_every_cohort_of_a_screen_begins_with_its_crystals(manager: FakeManager) -> None:
    protocol = load_protocol("aykol2023").with_atoms(8)
    compositions = compositions_of(["Cu-Au", "Ag-Cu"], None, None, 0.25, None)
    screen = make_screen(
        compositions, protocol=protocol, engine=get_engine("ase:emt"), seed=0, samples=1, crystals=None, cohort=3
    )
    campaign = submit_screen(screen, to=Launcher(launcher="fireworks"), store="results")
    assert campaign.systems == ["Au-Cu", "Ag-Cu"]
    assert campaign.cohorts == [["AuCu3", "AuCu", "Au3Cu"], ["AgCu3", "AgCu", "Ag3Cu"]]
    names = [[job.name for job, _ in flow.iterflow()] for flow in manager.flows]
    assert all(own[:2] == ["relax_phases", "make_structures"] and "repeat_failed" in own for own in names)
    assert find_campaign(open_store("results")) == campaign
    with pytest.raises(InputError, match="submitted before"):
        submit_screen(screen, to=Launcher(launcher="fireworks"), store="results")
