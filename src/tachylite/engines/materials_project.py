"""Starting volumes from the Materials Project, or from tables where no API key is set."""

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Thread
from typing import Any

from tachylite.physics.composition import Formula
from tachylite.physics.volume import VolumeEstimate, estimate_volume_per_atom

logger = logging.getLogger(__name__)

KEY_VARIABLES = ("MP_API_KEY", "PMG_MAPI_KEY")
TIME_LIMIT_S = 10.0

_PBE_ERROR = 0.04
"""Volumes by PBE lie within about 4 % of the measured ones (DOI 10.1103/PhysRevB.79.155107)."""

type Client = AbstractContextManager[Any]
"""A `mp_api.client.MPRester`, or an object with the same `materials.summary.search`."""


def materials_project_key() -> str | None:
    """API key in the environment, under the variable of mp-api or that of pymatgen; None if unset."""
    return next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), None)


def starting_volume(
    formula: Formula,
    connect: Callable[[str], Client] | None = None,
    *,
    time_limit_s: float = TIME_LIMIT_S,
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
        volume = _call_within(time_limit_s, lambda: materials_project_volume(formula, (connect or _connect)(key)))
    except Exception as error:
        # any failure of a remote service and of its client, whatever its class, ends in the estimate
        reason = str(error).strip().splitlines() or [type(error).__name__]
        logger.warning("no volume of %s from the Materials Project, estimated: %s", formula.text, reason[0])
        return estimate
    return VolumeEstimate(volume, _PBE_ERROR, "Materials Project")


def materials_project_volume(formula: Formula, client: Client) -> float:
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


def _call_within(limit_s: float, function: Callable[[], float]) -> float:
    """Run a function in a thread; TimeoutError after the limit. mp-api has no time limit for its first request."""
    outcome: list[float | Exception] = []

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
