"""Structures and starting volumes from the Materials Project; volumes from tables where no API key is set."""

import logging
import os
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Thread
from typing import TYPE_CHECKING, Any

from tachylite.errors import InputError
from tachylite.physics.composition import Formula
from tachylite.physics.volume import VolumeEstimate, estimate_volume_per_atom

if TYPE_CHECKING:
    from pymatgen.core import Structure

logger = logging.getLogger(__name__)

_KEY_VARIABLES = ("MP_API_KEY", "PMG_MAPI_KEY")
_TIME_LIMIT_S = 10.0

_PBE_ERROR = 0.04
"""Volumes by PBE lie within about 4 % of the measured ones (DOI 10.1103/PhysRevB.79.155107)."""

type Client = AbstractContextManager[Any]
"""A `mp_api.client.MPRester`, or an object with the same `materials.summary.search`."""


def materials_project_key() -> str | None:
    """API key in the environment, under the variable of mp-api or that of pymatgen; None if unset."""
    return next((os.environ[name] for name in _KEY_VARIABLES if os.environ.get(name)), None)


def starting_volume(
    formula: Formula,
    connect: Callable[[str], Client] | None = None,
    *,
    time_limit_s: float = _TIME_LIMIT_S,
) -> VolumeEstimate:
    """Volume per atom of the polymorph of lowest energy in the Materials Project, or an estimate from tables.

    The Materials Project is asked only where a key is set. Any failure (mp-api missing, no network, no answer
    within the limit, no entry of that composition) is logged in a line, and the estimate is returned. `connect`
    makes a client from a key. Raises InputError for elements above plutonium.
    """
    estimate = estimate_volume_per_atom(formula.fractions)
    key = materials_project_key()
    if key is None:
        return estimate
    try:
        volume = _call_within(time_limit_s, lambda: _materials_project_volume(formula, (connect or _connect)(key)))
    except Exception as error:
        # any failure of a remote service and of its client, whatever its class, ends in the estimate
        reason = str(error).strip().splitlines() or [type(error).__name__]
        logger.warning("no volume of %s from the Materials Project, estimated: %s", formula.text, reason[0])
        return estimate
    return VolumeEstimate(volume, _PBE_ERROR, "Materials Project")


def is_mp_id(text: str) -> bool:
    """Whether a text is an id of the Materials Project, like mp-985583."""
    return re.fullmatch(r"mp-[0-9]+", text) is not None


def materials_project_structure(
    mp_id: str,
    connect: Callable[[str], Client] | None = None,
    *,
    time_limit_s: float = _TIME_LIMIT_S,
) -> "Structure":
    """The conventional cell of a material in the Materials Project.

    Raises InputError where no API key is set, and where the Materials Project does not answer or knows no such id.
    """
    key = materials_project_key()
    if key is None:
        raise InputError(f"{mp_id} is asked from the Materials Project, which needs a key; set {_KEY_VARIABLES[0]}")

    def fetch() -> "Structure":
        with (connect or _connect)(key) as connection:
            structure: Structure = connection.get_structure_by_material_id(mp_id, conventional_unit_cell=True)
        return structure

    try:
        return _call_within(time_limit_s, fetch)
    except Exception as error:  # whatever a remote service and its client fail with
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"no structure of {mp_id} from the Materials Project: {reason[0]}") from None


def _materials_project_volume(formula: Formula, client: Client) -> float:
    """Volume per atom in A^3 of the polymorph of lowest energy; LookupError where there is none."""
    name = "".join(f"{symbol}{count if count > 1 else ''}" for symbol, count in formula.unit.items())
    fields = ["volume", "nsites", "energy_above_hull"]
    with client as connection:
        entries: Sequence[Any] = connection.materials.summary.search(formula=name, fields=fields)
    if not entries:
        raise LookupError(f"no entry of {name}")
    lowest = min(entries, key=lambda entry: float(entry.energy_above_hull))
    return float(lowest.volume) / int(lowest.nsites)


def _connect(key: str) -> Client:
    from mp_api.client import MPRester

    client: Client = MPRester(key, mute_progress_bars=True)
    return client


def _call_within[Answer](limit_s: float, function: Callable[[], Answer]) -> Answer:
    """Run a function in a thread; TimeoutError after the limit. mp-api has no time limit for its first request."""
    outcome: list[Answer | Exception] = []

    def run() -> None:
        try:
            outcome.append(function())
        except Exception as error:
            # raised again in the calling thread
            outcome.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if not outcome:
        raise TimeoutError(f"no answer within {limit_s:g} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
