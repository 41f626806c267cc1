"""`tachylite run --dry-run`: the inputs of the first step, and what would follow."""

from collections.abc import Iterator
from pathlib import Path

from tachylite.cli.plan import Plan
from tachylite.engines.vasp.engine import VaspEngine
from tachylite.errors import InputError
from tachylite.jobs.first import first_request
from tachylite.jobs.packing import pack_formula
from tachylite.schemas import Protocol
from tachylite.units import FS_PER_PS


def write_dry_run(plan: Plan, folder: Path) -> list[str]:
    """Write the complete inputs of the first step of every member to folders of their own; lines that say the rest.

    Raises InputError for an engine that has no input files, and where a POTCAR is missing.
    """
    engine = plan.engine
    if not isinstance(engine, VaspEngine):
        raise InputError(f"--dry-run writes input files, and the {engine.name} engine has none; give --engine vasp")
    lines, elements = [], set[str]()
    for member in plan.members:
        request = first_request(pack_formula(member.formula, plan.protocol, plan.seed), plan.protocol, plan.seed)
        place = folder / member.reduced
        elements.update(request.state.elements)
        engine.write_first_inputs(request, place)
        lines.append(f"{place}: {request.label}, {request.state.volume_a3:.1f} A^3, {len(request.state.numbers)} atoms")
    lines.append("then, for every formula:")
    lines += [f"  {line}" for line in what_follows(plan.protocol, engine.chunk_steps)]
    lines.append(f"and once: reference crystals of {', '.join(sorted(elements))}: relax, relax, static")
    return lines


def what_follows(protocol: Protocol, chunk_steps: int) -> Iterator[str]:
    """The stages of a protocol, each with its calls of VASP."""
    melt, settings = protocol.melt, protocol.volume_search
    stages = [("melt", melt.temperature_k, melt.production_ps)]
    if protocol.anneal is not None:
        stages += [("anneal", t, protocol.anneal.production_ps) for t in protocol.anneal.temperatures_k]
    for name, temperature, production_ps in stages:
        if settings is not None:
            fractions = ", ".join(f"{fraction:g}" for fraction in settings.fractions)
            yield (
                f"{name} at {temperature:g} K, volume: {fractions} of the start's, each {settings.equilibrate_ps:g} ps "
                f"Langevin and {settings.sample_ps:g} ps Nose-Hoover; then at most {settings.max_attempts} rounds more"
            )
        yield f"{name} at {temperature:g} K, production: {_calls(production_ps, protocol, chunk_steps)}"
    if protocol.quench is not None:
        quench = protocol.quench
        yield (
            f"quench to {quench.final_temperature_k:g} K: {_calls(quench.ramp_ps, protocol, chunk_steps)}, hold: "
            f"{_calls(quench.hold_ps, protocol, chunk_steps)}, then relax, relax, static"
        )
    if protocol.snapshots is not None:
        stages_of_energy = "relax, relax, static" if protocol.snapshots.relax_cell else "relax, static"
        yield f"amorphous limit: {protocol.snapshots.count} snapshots, each {stages_of_energy}"


def _calls(length_ps: float, protocol: Protocol, chunk_steps: int) -> str:
    steps = max(1, round(length_ps * FS_PER_PS / protocol.timestep_fs))
    calls = -(-steps // chunk_steps)
    return f"{steps:,} steps in {calls} call{'s' if calls > 1 else ''} of VASP"
