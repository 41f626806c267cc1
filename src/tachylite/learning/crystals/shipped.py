"""The models of properties of crystals that come with the package, and their cards without what computes."""

import json
from pathlib import Path

import numpy as np

from tachylite.schemas.crystal_property import CrystalPropertyCard

SHIPPED = {"amorphization-enthalpy": Path(__file__).parents[1] / "data" / "amorphization_enthalpy.npz"}
"""Files of the models that come with the package, by property."""


def shipped_card(name: str) -> CrystalPropertyCard:
    """The card of a model that comes with the package; raises KeyError for another name."""
    with np.load(SHIPPED[name], allow_pickle=False) as archive:
        return CrystalPropertyCard.model_validate(json.loads(archive["head"].tobytes())["card"])
