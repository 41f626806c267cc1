"""What the pages show of a store, each asked of it once and kept while it is new."""

from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from tachylite.errors import InputError
from tachylite.schemas import Material, Trajectory
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.learning import Model
from tachylite.schemas.potential import LearnedPotential
from tachylite.serve.answers import Answers
from tachylite.serve.remembered import Remembered
from tachylite.serve.table import MaterialTable
from tachylite.stores.campaigns import count_members
from tachylite.stores.listing import Unreadable, list_campaigns, list_models, list_potentials
from tachylite.stores.queries import find_materials, load_model_file
from tachylite.stores.runs import find_trajectories
from tachylite.stores.screens import ScreenResults, load_screen

if TYPE_CHECKING:
    from jobflow import JobStore

_MATERIALS_KEPT = 64
_TRAJECTORIES_KEPT = 8
"""Of as many materials."""


class NotThereError(LookupError):
    """There is nothing of this name in the store."""


class Contents:
    """The contents of one store, for readers; nothing of it writes."""

    def __init__(self, store: "JobStore") -> None:
        self.store = store
        self.table = MaterialTable(store)
        self.answers = Answers()
        self.campaigns: Remembered[list[Campaign | Unreadable]] = Remembered(lambda: list_campaigns(store))
        self.models: Remembered[list[Model | Unreadable]] = Remembered(lambda: list_models(store), 30.0)
        self.potentials: Remembered[list[LearnedPotential | Unreadable]] = Remembered(
            lambda: list_potentials(store), 30.0
        )
        self._members: dict[str, Remembered[dict[str, int]]] = {}
        self._screens: dict[str, Remembered[ScreenResults]] = {}
        self._material = lru_cache(_MATERIALS_KEPT)(self._read_material)
        self._trajectories = lru_cache(_TRAJECTORIES_KEPT)(self._read_trajectories)
        self._lock = Lock()

    def material(self, material_id: str) -> Material:
        """The newest material of an id; NotThereError where there is none, InputError where it cannot be read."""
        return self._material(material_id, self.version(material_id))

    def version(self, material_id: str) -> tuple[str, str]:
        """What tells the newest material of an id from earlier ones of it; NotThereError where there is none."""
        row = self.table.snapshot.by_id.get(material_id)
        if row is None:
            raise NotThereError(f"there is no material {material_id[:80]}")
        return row.order

    def trajectories(self, material: Material) -> Mapping[str, Trajectory]:
        """The trajectories of a material that the store holds, by their ids."""
        return self._trajectories(tuple(i for result in material.results for i in result.trajectory_ids))

    def campaign(self, campaign_id: str) -> Campaign:
        """The campaign of an id; NotThereError where there is none."""
        for campaign in self.campaigns.get():
            if isinstance(campaign, Campaign) and campaign.campaign_id == campaign_id:
                return campaign
        raise NotThereError(f"there is no campaign {campaign_id[:80]}")

    def members(self, campaign: Campaign) -> dict[str, int]:
        """Members of a campaign by the status of their materials."""
        with self._lock:
            counting = self._members.setdefault(
                campaign.campaign_id, Remembered(lambda: count_members(self.store, campaign))
            )
        return counting.get()

    def screen(self, campaign: Campaign) -> ScreenResults:
        """What a screen has given so far; NotThereError where the campaign is none."""
        if campaign.provenance is None:
            raise NotThereError(f"campaign {campaign.campaign_id} is no screen")
        with self._lock:
            results = self._screens.setdefault(
                campaign.campaign_id, Remembered(lambda: load_screen(self.store, campaign), 30.0)
            )
        return results.get()

    def model(self, model_id: str) -> Model:
        """The card of a model; NotThereError where there is none."""
        for model in self.models.get():
            if isinstance(model, Model) and model.model_id == model_id:
                return model
        raise NotThereError(f"there is no model {model_id[:80]}")

    def model_file(self, model: Model) -> bytes:
        """The file of a model."""
        return load_model_file(self.store, model.model_id)

    def _read_material(self, material_id: str, version: tuple[str, str]) -> Material:
        materials = find_materials(self.store, material_id=material_id, limit=1)
        if not materials:
            raise InputError(f"material {material_id} is no longer in the store")
        return materials[0]

    def _read_trajectories(self, ids: tuple[str, ...]) -> Mapping[str, Trajectory]:
        return dict(find_trajectories(self.store, ids))
