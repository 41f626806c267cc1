"""Documents of schema version 1, in which a protocol had fixed stages: read as those of today."""

from collections.abc import Iterator, Mapping
from typing import Any

from tachylite.schemas.protocol import Branch, Protocol

type Content = Mapping[str, Any]

MELT, ANNEAL, QUENCH, GLASS, LIMIT, ELASTICITY = "melt", "anneal", "quench", "glass", "amorphous-limit", "elasticity"
"""Names of the steps that the stages become."""


def upgrade(content: Content) -> dict[str, Any]:
    """Give a document of version 1 the form of today's; raises what pydantic raises where it is broken."""
    upgraded = dict(content) | {"schema_version": 2}
    if content.get("protocol") is not None:
        upgraded["protocol"] = upgrade_protocol(content["protocol"])
    return _material(upgraded) if content.get("kind") == "material" else upgraded


def upgrade_protocol(content: Content) -> dict[str, Any]:
    """Write the stages of a protocol as steps."""
    stages = ("volume_search", "melt", "anneal", "quench", "snapshots")
    protocol = {name: value for name, value in content.items() if name not in stages}
    return protocol | {"steps": list(_steps(content))}


def _steps(content: Content) -> Iterator[dict[str, Any]]:
    search, melt = content.get("volume_search"), content["melt"]
    yield from _state(MELT, {}, search, [melt["temperature_k"]], melt)
    if anneal := content.get("anneal"):
        yield from _state(ANNEAL, {"from": [MELT]}, search, anneal["temperatures_k"], anneal)
    if quench := content.get("quench"):
        yield {
            "kind": "ramp",
            "name": QUENCH,
            "from": [MELT],
            "temperature_k": quench["final_temperature_k"],
            "time_ps": quench["ramp_ps"],
            "hold_ps": quench["hold_ps"],
        }
        yield {"kind": "relax", "name": GLASS}
        if quench.get("elastic"):
            yield {"kind": "strain", "name": ELASTICITY}
    if snapshots := content.get("snapshots"):
        yield {"kind": "snapshots", "name": LIMIT, "from": [MELT], **snapshots}


def _state(
    name: str, source: dict[str, Any], search: Content | None, temperatures_k: list[float], stage: Content
) -> Iterator[dict[str, Any]]:
    """The search for the volume, where there was one, and the production run."""
    hold = {"kind": "hold", "name": name, "time_ps": stage["production_ps"]}
    if search is None:
        yield hold | source | {"temperature_k": temperatures_k}
    else:
        yield {"kind": "volume", "name": f"{name}-volume", "temperature_k": temperatures_k, **source, **search}
        yield hold


def _material(content: dict[str, Any]) -> dict[str, Any]:
    protocol = Protocol.model_validate(content["protocol"])
    parts = {name: content.pop(name, None) for name in ("melt", "anneals", "glass", "amorphous_limit", "expansion")}
    common = {"formula": content["formula"], "n_atoms": content["n_atoms"]}
    states = {MELT: [parts["melt"]], ANNEAL: parts["anneals"] or []}
    results = []
    for branch in protocol.branches:
        place = [one.name for one in protocol.branches_of(branch.step)].index(branch.name)
        result = _result(branch, protocol.step(branch.step).kind, place, states, parts)
        results.append(common | branch.model_dump(include={"name", "step", "variant", "source"}) | result)
    content["results"] = results
    content["activations"] = [fit | {"step": ANNEAL} for fit in content.get("activations") or ()]
    content["expansions"] = [parts["expansion"] | {"step": f"{ANNEAL}-volume"}] if parts["expansion"] else []
    return content


def _result(branch: Branch, kind: str, place: int, states: Content, parts: Content) -> dict[str, Any]:
    """What a stage gave, as the result of one step."""
    head = {"kind": kind, "temperature_k": branch.temperature_k}
    if kind in {"volume", "hold"}:
        stage = branch.step.removesuffix("-volume")
        state = states[stage][place] if place < len(states[stage]) else None
        return head | (_volume(state) if kind == "volume" else _hold(state))
    glass = parts["glass"]
    if kind == "ramp":
        return head | {"start_temperature_k": branch.start_temperature_k} | _ramp(glass)
    if kind == "relax":
        return head | _relax(glass)
    if kind == "strain":
        return head | _strain(glass)
    return head | _snapshots(parts["amorphous_limit"])


_SKIPPED = {"status": "skipped", "reason": "there was nothing to continue"}


def _volume(state: Content | None) -> dict[str, Any]:
    if state is None:
        return _SKIPPED | {"pressure_convention": "total"}
    left_out = ("kind", "schema_version", "formula", "n_atoms", "status", "temperature_k")
    fields = {name: value for name, value in state["equilibrium"].items() if name not in left_out}
    return fields | {"status": "completed" if state["equilibrium"]["status"] == "converged" else "failed"}


def _hold(state: Content | None) -> dict[str, Any]:
    if state is None or state.get("run") is None:
        reason = None if state is None else state["equilibrium"].get("reason")
        return _SKIPPED | ({"reason": reason} if reason else {})
    fields = {name: state.get(name) for name in ("density_g_cm3", "structure", "run")}
    fields |= {"diffusivities": state.get("diffusivities") or [], "volume_a3": state["equilibrium"].get("volume_a3")}
    return fields | _outcome(state["run"])


def _ramp(glass: Content | None) -> dict[str, Any]:
    if glass is None:
        return dict(_SKIPPED)
    names = ("cooling_rate_k_s", "transition", "heat_capacity", "structure", "run")
    return {name: glass.get(name) for name in names} | _outcome(glass["run"])


def _relax(glass: Content | None) -> dict[str, Any]:
    relaxation = None if glass is None else glass.get("relaxation")
    if glass is None or relaxation is None:
        return dict(_SKIPPED)
    names = ("density_g_cm3", "formation_energy_ev_per_atom", "above_crystal_ev_per_atom")
    return {name: glass.get(name) for name in names} | {"relaxation": relaxation} | _outcome(relaxation)


def _strain(glass: Content | None) -> dict[str, Any]:
    elasticity = None if glass is None else glass.get("elasticity")
    if glass is None or elasticity is None:
        return dict(_SKIPPED)
    return {"elasticity": elasticity, "state": glass["relaxation"]["state"], "status": "completed"}


def _snapshots(limit: Content | None) -> dict[str, Any]:
    if limit is None:
        return dict(_SKIPPED)
    names = (
        "formation_energy_ev_per_atom",
        "mean_formation_energy_ev_per_atom",
        "above_crystal_ev_per_atom",
        "reference_energies_ev_per_atom",
        "snapshots",
        "reason",
    )
    return {name: limit.get(name) for name in names} | {"status": "failed" if limit.get("reason") else "completed"}


def _outcome(part: Content) -> dict[str, Any]:
    """Status and reason of a run or a relaxation."""
    return {"status": "failed" if part["status"] == "failed" else "completed", "reason": part.get("reason")}
