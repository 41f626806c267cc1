"""`tachylite doctor`: check what is installed and what works, and say how to repair the rest."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from tachylite.cli.options import StoreOption
from tachylite.cli.output import print_tables
from tachylite.errors import InputError, MissingPackageError

PACKAGES = ("tachylite", "torch", "torch-sim-atomistic", "chgnet", "ase", "pymatgen", "jobflow", "maggma")


@dataclass(frozen=True)
class Check:
    """Outcome of one check of the installation: detail, status and remedy."""

    name: str
    detail: str
    status: str = "ok"
    """`ok`, `optional` (works without) or `failed`."""
    remedy: str = ""


def doctor(
    store: StoreOption = None,
) -> None:
    """Check the installation: versions, engine, packmol, device, store, Materials Project key.

    Exit codes: 0 what is needed works; 1 something that is needed does not.
    """
    checks = [check_versions(), check_processors(), check_packmol(), *check_engine(), check_store(store), check_mp()]
    checks += [*check_espresso(), *check_vasp()]

    from rich.markup import escape
    from rich.table import Column, Table

    table = Table("check", "status", Column("found", overflow="fold"), Column("what to do", overflow="fold"))
    colours = {"ok": "green", "optional": "yellow", "failed": "red"}
    for check in checks:
        status = f"[{colours[check.status]}]{check.status}[/]"
        table.add_row(check.name, status, escape(check.detail), escape(check.remedy))
    print_tables(table)
    if any(check.status == "failed" for check in checks):
        raise typer.Exit(1)


def check_versions() -> Check:
    """Versions of Python and of the packages the numbers depend on."""
    installed, missing = [f"Python {platform.python_version()}"], []
    for name in PACKAGES:
        try:
            installed.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        remedy = f"pip install {' '.join(missing)}"
        return Check("versions", f"not installed: {', '.join(missing)}; {', '.join(installed)}", "failed", remedy)
    return Check("versions", ", ".join(installed))


def check_processors() -> Check:
    """Processors this process may use, and the number of threads that OMP_NUM_THREADS sets."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS")
    if limit and limit.isdigit() and int(limit) < count:
        remedy = f"unset OMP_NUM_THREADS to use all {count}"
        return Check("processors", f"{count}, OMP_NUM_THREADS={limit}", "optional", remedy)
    return Check("processors", f"{count}")


def check_packmol() -> Check:
    """Packmol, the program that packs the first structure."""
    from tachylite.engines.packmol import find_packmol

    try:
        return Check("packmol", str(find_packmol()))
    except MissingPackageError as error:
        return Check("packmol", str(error), "failed", "pip install packmol")


def check_engine() -> list[Check]:
    """The default engine's weights, device and precision."""
    try:
        from tachylite.engines import get_engine

        provenance = get_engine().provenance()
    except Exception as error:  # a model and its packages may break in any way, and the table must show how
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return [Check("engine chgnet", reason, "failed", "pip install --force-reinstall chgnet torch-sim-atomistic")]
    checksum = f", SHA-256 {provenance.model_sha256[:12]}..." if provenance.model_sha256 else ""
    device = Check("device", f"{provenance.device}, {provenance.dtype}")
    if provenance.device == "cpu":
        remedy = "a CUDA GPU makes large cohorts many times faster"
        if "compiled" not in provenance.dtype:
            remedy = f"a C compiler (gcc or clang) makes steps about 1.4 times faster; {remedy}"
        device = Check("device", device.detail, "optional", remedy)
    return [Check(f"engine {provenance.engine}", f"{provenance.model}{checksum}"), device]


def check_store(store: Path | None) -> Check:
    """Whether the store opens; one that does not exist yet is created by the first run."""
    from tachylite.stores import open_store
    from tachylite.stores.opening import store_exists

    if not store_exists(store):
        return Check("store", f"{store or 'the default store'} is not there yet", "ok", "`tachylite run` makes it")
    try:
        opened = open_store(store, create=False)
    except InputError as error:
        return Check("store", str(error), "failed", "mend it, or name another one with --store")
    opened.close()
    return Check("store", str(opened.name))


def check_mp() -> Check:
    """Key and client of the Materials Project, from which starting volumes may come."""
    remedy = "optional: export MP_API_KEY=..., from materialsproject.org; without it volumes are estimated offline"
    if not os.environ.get("MP_API_KEY"):
        return Check("Materials Project", "no MP_API_KEY", "optional", remedy)
    try:
        return Check("Materials Project", f"key set, mp-api {version('mp-api')}")
    except PackageNotFoundError:
        return Check("Materials Project", "key set, mp-api is not installed", "optional", "pip install mp-api")


def check_vasp() -> list[Check]:
    """Command, POTCARs and INCAR settings of the vasp engine, and where they are searched."""
    from tachylite.engines.vasp.setup import potcar_folder, settings, settings_file, vasp_command

    try:
        updates = settings().VASP_INCAR_UPDATES
    except MissingPackageError as error:
        return [Check("VASP", str(error), "optional", "only for --engine vasp")]
    checks = [
        _check_setting("VASP command", vasp_command, f"looked for ATOMATE2_VASP_CMD, and in {settings_file()}"),
        _check_setting("VASP POTCARs", potcar_folder, "looked for PMG_VASP_PSP_DIR, and in .pmgrc.yaml"),
    ]
    if updates:
        checks.append(Check("VASP INCAR", f"{settings_file()} adds {updates}"))
    return checks


def check_espresso() -> list[Check]:
    """Command and pseudopotentials of the espresso engine, and where they are searched."""
    from tachylite.engines.espresso.setup import COMMAND, PSEUDOPOTENTIALS, describe_pseudopotentials, pw_command

    program = _check_setting(
        "pw.x", lambda: " ".join(pw_command()), f"looked for {COMMAND}, and on the PATH", "espresso"
    )
    searched = f"looked for {PSEUDOPOTENTIALS}, and for the data set pseudopotentials"
    return [program, _check_setting("pw.x pseudopotentials", describe_pseudopotentials, searched, "espresso")]


def _check_setting(name: str, find: Callable[[], object], searched: str, engine: str = "vasp") -> Check:
    try:
        return Check(name, f"{find()}")
    except InputError as error:
        return Check(name, f"{error}", "optional", f"{searched}; only for --engine {engine}")
