"""Options and arguments that several verbs share, and the parsing of what is written in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tachylite.errors import InputError

if TYPE_CHECKING:
    from jobflow import JobStore

    from tachylite.stores.queries import MaterialFilter

NOTHING_YET = "no materials yet; `tachylite run Li3PO4` makes one"

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        "-s",
        metavar="FOLDER|FILE",
        help="Where results are kept. Default: TACHYLITE_STORE, else ./tachylite_store.",
    ),
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", "-r", metavar="DIR", help="Write an HTML page and figures here.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]

# which materials are computed, and how
PackedFormulas = Annotated[
    list[str] | None, typer.Argument(metavar="[FORMULA...]", help="Like Li3PO4; packed at random.", show_default=False)
]
StructureOption = Annotated[
    list[str] | None,
    typer.Option(
        "--structure",
        metavar="FILE|MP-ID",
        help="Begin with structures (CIF, POSCAR, extxyz with several frames, ..., or mp-1234) instead of packed ones, "
        "as nearly cubic supercells of at least the protocol's number of atoms; may be repeated.",
    ),
]
SubstituteOption = Annotated[
    list[str] | None,
    typer.Option(
        "--substitute",
        metavar="EL=EL:FRACTION",
        help="Replace atoms of the structures on quasi-random sites, like Ge=Si:0.5; may be repeated.",
    ),
]
SlabOption = Annotated[
    list[str] | None,
    typer.Option(
        "--slab", metavar="FILE|MP-ID", help="Begin with slabs of these crystals under vacuum; may be repeated."
    ),
]
InterfaceOption = Annotated[
    str | None,
    typer.Option(
        "--interface",
        metavar="FILE|MP-ID",
        help="Put the formulas, and the glasses of --structure, on a slab of this crystal.",
    ),
]
FaceOption = Annotated[
    str | None, typer.Option("--face", metavar="HKL", help="Of the slab, in the conventional cell, like 110 or 1-10.")
]
ThicknessOption = Annotated[float, typer.Option("--thickness", metavar="A", help="Of the slab in Å, at least.")]
PartnerThicknessOption = Annotated[
    float | None,
    typer.Option(
        "--partner-thickness", metavar="A", help="Of what is packed on the slab, in Å. Default: that of the slab."
    ),
]
WidthOption = Annotated[float, typer.Option("--width", metavar="A", help="Of slab and interface in Å, at least.")]
GapOption = Annotated[float, typer.Option("--gap", metavar="A", help="Between the slab and its partner, in Å.")]
MismatchOption = Annotated[
    float, typer.Option("--mismatch", help="Largest relative difference of the cross-sections of slab and glass.")
]
ModuliOption = Annotated[
    str | None,
    typer.Option(
        "--moduli", metavar="GPA,GPA", help="Of crystal and glass, by which they share the strain. Default: half each."
    ),
]
VacuumOption = Annotated[float, typer.Option("--vacuum", metavar="A", help="Above a slab of --slab, in Å.")]
MoleculeOption = Annotated[
    list[str] | None,
    typer.Option("--molecule", metavar="CO2=8", help="Gas packed in the vacuum above a slab; may be repeated."),
]
ProtocolOption = Annotated[
    str, typer.Option("--protocol", "-p", metavar="NAME|FILE", help="See `tachylite protocols`, or a YAML file.")
]
EngineOption = Annotated[str, typer.Option("--engine", "-e", metavar="NAME", help="Who computes the forces.")]
EngineSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="KEY=VALUE", help="Of the engine, like repulsion=zbl or guards.temperature_factor=4."
    ),
]
CrystalOption = Annotated[
    list[str] | None,
    typer.Option(
        "--crystal",
        metavar="FILE|MP-ID",
        help="Crystal (CIF, POSCAR, ..., or mp-1234) to compare the energy with; may be repeated.",
    ),
]
AtomsOption = Annotated[
    int | None, typer.Option("--atoms", min=1, max=100_000, help="Target number of atoms, instead of the protocol's.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Packing, velocities and thermostat start from it.")]
WorkdirOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Checkpoints and finished steps. Default: inside the store.")
]
WalltimeOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Stop in time, like 2h30m or 02:30:00. Default: the end of the Slurm job."),
]
LostAfterOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="How long a job must be silent to count as lost, where no queue can be asked. Like 2h30m."
    ),
]

# which materials are selected from a store
FormulaFilter = Annotated[str | None, typer.Option("--formula", metavar="FORMULA", help="This composition.")]
ElementsFilter = Annotated[
    str | None, typer.Option("--elements", metavar="Li,O", help="Materials with all of these elements.")
]
StatusFilter = Annotated[str | None, typer.Option("--status", metavar="STATUS", help="completed, partial or failed.")]
TemperatureFilter = Annotated[
    float | None, typer.Option("--temperature", metavar="K", help="With a result at this temperature.")
]
LimitFilter = Annotated[int | None, typer.Option("--limit", min=1, help="The newest ones only.")]
EngineFilter = Annotated[str | None, typer.Option("--engine", metavar="NAME", help="Who computed the forces.")]
ProtocolFilter = Annotated[str | None, typer.Option("--protocol", metavar="NAME", help="The protocol's name.")]
CampaignFilter = Annotated[str | None, typer.Option("--campaign", metavar="ID", help="Submitted together.")]
WhereFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="CONDITION", help="On any result, like 'melt.density_g_cm3.value>2.5'; may be repeated."
    ),
]

# what is analysed, and which files come of it
TrajectoryFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="XDATCAR, vasprun.xml or a folder of them, .extxyz, .traj, LAMMPS dump, H5MD, JSON of pymatgen or emmet; "
        "also .gz, .bz2, .xz.",
    ),
]
TypesOption = Annotated[
    str | None, typer.Option("--types", help="Elements of the types 1, 2, ... of a LAMMPS dump, like Li,P,O.")
]
CsvOption = Annotated[Path | None, typer.Option("--csv", metavar="DIR", help="Write the tables as CSV.")]
FiguresOption = Annotated[
    Path | None,
    typer.Option("--figures", metavar="DIR", help="Write the figures as PNG, and an interactive page of them."),
]

_UNITS = re.compile(r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
_CLOCK = re.compile(r"(?:(?P<d>\d+)-)?(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d)")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def open_existing(store: Path | None) -> JobStore | None:
    """Open the store of `--store`; None where the default one does not exist yet, InputError for a named one."""
    from tachylite.stores import open_store
    from tachylite.stores.opening import store_exists

    return open_store(store, create=False) if store is not None or store_exists() else None


def material_filter(
    formula: str | None,
    elements: str | None,
    engine: str | None,
    protocol: str | None,
    status: str | None,
    temperature: float | None,
    campaign: str | None,
    where: Sequence[str] | None,
) -> MaterialFilter:
    """What the filters mean; raises InputError for a status that there is not."""
    from typing import get_args

    from tachylite.schemas import Material

    allowed = get_args(Material.model_fields["status"].annotation)
    if status is not None and status not in allowed:
        raise InputError(f"--status {status} is not one of {', '.join(allowed)}")
    return {
        "formula": formula,
        "elements": [symbol.strip() for symbol in elements.split(",")] if elements else None,
        "engine": engine,
        "protocol": protocol,
        "status": status,
        "temperature_k": temperature,
        "campaign": campaign,
        "where": where or (),
    }


def parse_walltime(text: str, option: str = "--walltime") -> float:
    """Seconds from `2h30m`, `1d12h`, `02:30:00`, `1-12:00:00` or a number of seconds; InputError for anything else."""
    words = text.strip().lower()
    seconds = 0.0
    if words.isdecimal():
        seconds = float(words)
    elif match := (_UNITS.fullmatch(words) or _CLOCK.fullmatch(words)):
        seconds = float(sum(int(number) * _SECONDS[unit] for unit, number in match.groupdict(default="0").items()))
    if seconds <= 0:
        raise InputError(f"{option} {text!r} is not a time; write 2h30m, 02:30:00, 1-12:00:00 (days) or seconds")
    return seconds


def parse_lost_after(text: str | None) -> float | None:
    """Seconds from the text of `--lost-after`, in the forms of a walltime."""
    return None if text is None else parse_walltime(text, "--lost-after")


def parse_options(words: Sequence[str]) -> dict[str, Any]:
    """Options from `KEY=VALUE`, where a dot in the key leads into a mapping: `guards.temperature_factor=4`.

    Raises InputError for words of another form, and for a key that is given twice or is a value and a mapping.
    """
    options: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        *path, name = key.split(".")
        if not equals or not all((*path, name)):
            raise InputError(f"--option {word!r} is not KEY=VALUE, like repulsion=zbl or guards.temperature_factor=4")
        mapping = options
        for part in path:
            mapping = mapping.setdefault(part, {})
            if not isinstance(mapping, dict):
                raise InputError(f"--option {word!r}: {part} has a value already")
        if name in mapping:
            raise InputError(f"--option {key} is given twice")
        mapping[name] = value
    return options


def parse_types(text: str | None) -> list[str] | None:
    """Elements from `Li,P,O`."""
    return None if text is None else [word.strip() for word in text.split(",")]
