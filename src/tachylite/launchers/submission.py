"""Handing a campaign to a launcher: everything is checked, then all flows are added, or none."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jobflow import Flow, JobStore
from pymatgen.core import Structure

from tachylite.configs import load_launcher, load_protocol
from tachylite.engines import Engine
from tachylite.engines.workdir import content_key, shared_workdir
from tachylite.errors import InputError
from tachylite.flows.learn_potential import LearnPotentialMaker
from tachylite.flows.members import Member, members_of, refuse_twice
from tachylite.flows.run import amorphous_flow
from tachylite.flows.screen import Screen
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.launchers.campaigns import find_under_way, known_jobs
from tachylite.launchers.cohorts import split
from tachylite.launchers.manager import Manager, get_manager
from tachylite.launchers.places import assign_places
from tachylite.schemas import Protocol, State
from tachylite.schemas.campaign import Campaign, Launcher
from tachylite.schemas.start import Start
from tachylite.stores import find_materials
from tachylite.stores.campaigns import find_campaigns, keep_campaign
from tachylite.stores.opening import DEFAULT_FOLDER, ENVIRONMENT_VARIABLE, open_store


def submit(
    starts: Sequence[str | Structure | State | Start],
    *,
    to: str | Path | Launcher,
    store: str | Path | None = None,
    protocol: str | Protocol = "quickstart",
    engine: EngineLike = "chgnet",
    seed: int = 0,
    crystals: Mapping[str, Structure] | None = None,
) -> Campaign:
    """Hand formulas or structures to FireWorks or jobflow-remote as one campaign, cut into cohorts.

    `to` is `fireworks`, `jobflow-remote`, or a YAML file that says how to use one of them; `store` a folder or a
    YAML file as in `open_store`, which has to be there on every machine that runs jobs. The campaign is kept in the
    store. What the store holds already, and what another campaign is still to make, is left out. Raises InputError,
    with nothing submitted, for whatever cannot be carried out, and where nothing is left.
    """
    named = to if isinstance(to, Launcher) else load_launcher(to)
    chosen = load_protocol(protocol) if isinstance(protocol, str) else protocol
    forces = resolve_engine(engine)
    members = _checked(starts, chosen, forces, seed)
    with _connected(named, store) as site:
        launcher, opened = site.launcher, site.store
        missing = _missing(opened, members, crystals or {})
        cohort = launcher.cohort or (None if forces.batches else 1)
        cohorts = split(missing, [member.n_atoms for member in missing], chosen, cohort)
        campaign = Campaign(
            # not that of a local run of the same, which begins by removing what an earlier one has stored
            campaign_id=content_key("submitted", [member.material_id for member in missing]),
            launcher=launcher,
            cohorts=[[member.start.title for member in cohort] for cohort in cohorts],
            material_ids=[member.material_id for member in missing],
            engine=forces.name,
            protocol=chosen,
            seed=seed,
            workdir=_workdir(launcher),
        )
        _refuse_again(opened, campaign)
        flows = [
            amorphous_flow(cohort, protocol=chosen, engine=forces, seed=seed, crystals=crystals) for cohort in cohorts
        ]
        _hand_over(flows, campaign, site, forces)
    return campaign


def submit_screen(screen: Screen, *, to: str | Path | Launcher, store: str | Path | None = None) -> Campaign:
    """Hand a screen to FireWorks or jobflow-remote, as `submit` does with formulas; each cohort relaxes its crystals.

    Crystals that another cohort has relaxed are found in the work folder, and not relaxed again.
    """
    named = to if isinstance(to, Launcher) else load_launcher(to)
    _refuse_relative_file(screen.engine)
    with _connected(named, store) as site:
        launcher, opened = site.launcher, site.store
        missing = {member.material_id for member in _missing(opened, screen.members, {})}
        left = [[member for member in cohort if member.material_id in missing] for cohort in screen.cohorts]
        remaining = replace(screen, cohorts=[cohort for cohort in left if cohort])
        campaign = remaining.campaign(Path(_workdir(launcher)), launcher)
        _refuse_again(opened, campaign)
        flows = [remaining.flow_of(cohort) for cohort in remaining.cohorts]
        _hand_over(flows, campaign, site, screen.engine)
    return campaign


def submit_potential(
    formulas: Sequence[str], maker: LearnPotentialMaker, *, to: str | Path | Launcher, store: str | Path | None = None
) -> Campaign:
    """Hand the learning of a potential to FireWorks or jobflow-remote, as `submit` does with formulas.

    It ends in the store: see `tachylite.stores.potentials`. Submitted again when it is done, with more rounds or
    another target, it goes on from what is in the work folder.
    """
    named = to if isinstance(to, Launcher) else load_launcher(to)
    teacher = resolve_engine(maker.teacher)
    _refuse_relative_file(teacher)
    with _connected(named, store) as site:
        campaign = Campaign(
            campaign_id=maker.campaign_id(formulas),
            launcher=site.launcher,
            cohorts=[[*formulas]],
            material_ids=[],
            engine=teacher.name,
            protocol=maker.protocol,
            seed=maker.seed,
            workdir=_workdir(site.launcher),
        )
        earlier = [one for one in find_campaigns(site.store) if one.campaign_id == campaign.campaign_id]
        if any(job.state != "completed" for one in earlier for job in known_jobs(one)):
            raise _submitted_before({campaign.campaign_id})
        _hand_over([maker.flow_of(formulas)], campaign, site, teacher)
    return campaign


@dataclass(frozen=True)
class _Site:
    """A launcher and a store that fit each other."""

    launcher: Launcher
    manager: Manager
    store: JobStore
    place: Path
    """Of the store, as every machine finds it."""


@contextmanager
def _connected(named: Launcher, store: str | Path | None) -> Iterator[_Site]:
    """Connect to a launcher, and open the store that is named, or that of the environment."""
    manager = get_manager(named)
    launcher = manager.with_defaults(named)
    place = Path(store or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER).expanduser().absolute()
    opened = open_store(place)
    try:
        manager.check(launcher, opened)
        yield _Site(launcher, manager, opened, place)
    finally:
        opened.close()


def _hand_over(flows: Sequence[Flow], campaign: Campaign, site: _Site, engine: Engine) -> None:
    """Add all flows of a campaign, and keep it in the store; where that fails, neither."""
    for flow in flows:
        # metadata goes on to the jobs that these jobs make
        flow.update_metadata({"campaign": campaign.campaign_id, "workdir": campaign.workdir})
        assign_places(flow, site.launcher, site.manager, engine)
    keep_campaign(site.store, campaign)
    try:
        site.manager.add(flows, site.place, campaign.campaign_id)
    except BaseException:
        site.store.remove_docs({"uuid": campaign.campaign_id})
        raise


def _workdir(launcher: Launcher) -> str:
    return str(Path(launcher.workdir or shared_workdir()).expanduser().absolute())


def _refuse_relative_file(engine: Engine) -> None:
    file = Path(engine.name.partition(":")[2].partition(":")[0])
    if file.is_file() and not file.is_absolute():
        raise InputError(f"engine {engine.name}: jobs run in other folders; give {file.absolute()}")


def _checked(
    starts: Sequence[str | Structure | State | Start], protocol: Protocol, engine: Engine, seed: int
) -> list[Member]:
    """What every start will be; nothing has been looked up so far."""
    _refuse_relative_file(engine)
    members = members_of(starts, protocol=protocol, engine=engine, seed=seed)
    engine.check_elements(sorted({symbol for member in members for symbol in member.elements}))
    refuse_twice(members)
    return members


def _missing(store: JobStore, members: Sequence[Member], crystals: Mapping[str, Structure]) -> list[Member]:
    """Members that no material in the store answers, and no campaign is still to make."""
    criteria = {"output.kind": "material", "output.material_id": {"$in": [member.material_id for member in members]}}
    stored = store.query(criteria | {"output.status": {"$ne": "failed"}}, properties=["output.material_id"])
    answered = {entry["output"]["material_id"] for entry in stored}
    for member in members:
        if member.formula in crystals and member.material_id in answered:
            (material,) = find_materials(store, material_id=member.material_id)
            if not material.answers(above_crystal=True):
                answered.remove(member.material_id)
    missing = [member for member in members if member.material_id not in answered]
    if not missing:
        raise InputError("all of these are in the store already; see `tachylite query`; another sample is another seed")
    under_way = find_under_way(store, [member.material_id for member in missing])
    left = [member for member in missing if member.material_id not in under_way]
    if not left:
        raise _submitted_before({campaign.campaign_id for campaign in under_way.values()})
    return left


def _refuse_again(store: JobStore, campaign: Campaign) -> None:
    """A campaign of the same name would be mixed up with this one."""
    known = [one for one in find_campaigns(store) if one.campaign_id == campaign.campaign_id]
    if any(known_jobs(one) for one in known):
        raise _submitted_before({campaign.campaign_id})


def _submitted_before(campaigns: set[str]) -> InputError:
    return InputError(
        f"all of these have been submitted before, in campaign {', '.join(sorted(campaigns))}; see `tachylite status`; "
        "`tachylite rerun` runs again what failed"
    )
