"""`tachylite run --dry-run`: the inputs of the first step, and what would follow."""

from collections.abc import Iterator
from pathlib import Path

from tachylite.cli.campaigns.plan import Plan
from tachylite.engines.vasp.engine import VaspEngine
from tachylite.errors import InputError
from tachylite.flows.amorphous import AmorphousMaker
from tachylite.flows.steps import maker_of
from tachylite.jobs.starts import make_structure
from tachylite.schemas import Protocol


def write_dry_run(plan: Plan, folder: Path) -> list[str]:
    """Write the complete inputs of the first step of every member to folders of their own; lines that say the rest.

    POTCAR.spec takes the place of POTCARs that are missing. Raises InputError for an engine that has no input files,
    and for a protocol that begins with no molecular dynamics.
    """
    engine = plan.engine
    if not isinstance(engine, VaspEngine):
        raise InputError(f"--dry-run writes input files, and the {engine.name} engine has none; give --engine vasp")
    first = plan.protocol.steps[0]
    maker = maker_of(first, AmorphousMaker(engine=engine, protocol=plan.protocol, seed=plan.seed))
    lines, elements, potcar_lines = [], set[str](), set[str]()
    known = [member.formula for member in plan.members]
    for member in plan.members:
        request = maker.first_request(make_structure(member.start, plan.protocol, plan.seed))
        if request is None:
            raise InputError(f"--dry-run writes inputs of molecular dynamics, and step {first.name} begins with none")
        place = folder / (member.formula if known.count(member.formula) == 1 else member.start.title)
        elements.update(request.state.elements)
        if potcar_line := engine.write_first_inputs(request, place):
            potcar_lines.add(potcar_line)
        lines.append(f"{place}: {request.label}, {request.state.volume_a3:.1f} A^3, {len(request.state.numbers)} atoms")
    lines += sorted(potcar_lines)
    lines.append("then, for every member:")
    lines += [f"  {line}" for line in _what_follows(plan.protocol)]
    lines.append(f"and once: reference crystals of {', '.join(sorted(elements))}, relaxed")
    lines.append(f"in VASP: a call for every {engine.chunk_steps:,} steps; a relaxation is relax, relax, static")
    return lines


def _what_follows(protocol: Protocol) -> Iterator[str]:
    """What every result of every step takes."""
    for step in protocol.steps:
        for branch in protocol.branches_of(step.name):
            for line in step.outline(protocol.timestep_fs, branch.temperature_k):
                yield f"{branch.name}: {line}"
