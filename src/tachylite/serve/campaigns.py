"""Pages of campaigns: how far each is, what failed and why, and the diagrams of screens."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from tachylite.report.pages.campaign import diagrams_of, render_campaign, script, structure_script
from tachylite.report.pages.rendering import figures_html
from tachylite.schemas.campaign import Campaign
from tachylite.serve.contents import Contents, NotThereError
from tachylite.serve.dependencies import StoreContents
from tachylite.serve.rendering import show, templates
from tachylite.stores.listing import Unreadable

router = APIRouter()

_SCRIPT = "text/javascript"


@dataclass(frozen=True)
class Progress:
    """How far a campaign is."""

    campaign: Campaign
    counts: dict[str, int]
    """Members by status; those without a material are `not yet`."""

    @property
    def done(self) -> int:
        """Members that have a material."""
        return self.campaign.n_members - self.counts.get("not yet", 0)

    @property
    def is_running(self) -> bool:
        """Whether members are missing still."""
        return self.done < self.campaign.n_members


@router.get("/campaigns")
def list_of_campaigns(contents: StoreContents) -> HTMLResponse:
    """All campaigns of the store with their progress."""
    campaigns = contents.campaigns.get()
    return show(
        "campaigns.html.j2",
        progress=[_progress(c, contents) for c in campaigns if isinstance(c, Campaign)],
        unreadable=[c for c in campaigns if isinstance(c, Unreadable)],
    )


@router.get("/campaigns/{campaign_id}/")
def page_of_campaign(campaign_id: str, contents: StoreContents) -> HTMLResponse:
    """Progress of a campaign, and its failures by reason; it follows a campaign that runs."""
    campaign = contents.campaign(campaign_id)
    return show("progress.html.j2", progress=_progress(campaign, contents), failures=_failures(campaign, contents))


@router.get("/campaigns/{campaign_id}/screen/")
def page_of_screen(campaign_id: str, contents: StoreContents) -> HTMLResponse:
    """The report of a screen as far as it is."""
    campaign = contents.campaign(campaign_id)
    results = contents.screen(campaign)
    text = render_campaign(
        campaign,
        results.rows,
        sorted({row.system for row in results.rows if row.system.count("-") == 1}),
        results.with_structure,
        results.summary,
        templates=templates(),
    )
    return HTMLResponse(text)


@router.get("/campaigns/{campaign_id}/screen/systems/{name}.js")
def diagram_of_system(campaign_id: str, name: str, contents: StoreContents) -> Response:
    """The diagram of a chemical system, for the page of the screen."""
    results = contents.screen(contents.campaign(campaign_id))
    own = [row for row in results.rows if row.system == name]
    if not own:
        raise NotThereError(f"no composition of this screen is of the system {name[:40]}")
    return Response(script(name, figures_html([*diagrams_of(own, results.stable).values()])), media_type=_SCRIPT)


@router.get("/campaigns/{campaign_id}/screen/structures/{material_id}.js")
def structure_of_member(campaign_id: str, material_id: str, contents: StoreContents) -> Response:
    """The structure of a glass, for the page of the screen."""
    results = contents.screen(contents.campaign(campaign_id))
    if material_id not in results.entries:
        raise NotThereError(f"this screen has no material {material_id[:80]}")
    (material,) = results.materials(contents.store, [material_id])
    return Response(structure_script(material), media_type=_SCRIPT)


def _progress(campaign: Campaign, contents: Contents) -> Progress:
    return Progress(campaign, contents.members(campaign))


def _failures(campaign: Campaign, contents: Contents) -> Sequence[tuple[str, int]]:
    """Reasons why members failed, each with how often; the most frequent first."""
    members = set(campaign.material_ids)
    failed = [
        row.head["failures"]
        for row in contents.table.snapshot.rows
        if row.head["failures"] and (row.campaign == campaign.campaign_id or row.material_id in members)
    ]
    return Counter(failed).most_common(100)
