"""Who may import whom, and what importing the package costs."""

import ast
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "tachylite"

FLOORS = (
    ("", "arrays", "errors", "measured", "units"),
    ("physics",),
    ("schemas",),
    ("configs", "descriptors", "readers"),
    ("analysis",),
    ("engines", "learning", "report"),
    ("stores",),
    ("jobs", "serve"),
    ("flows",),
    ("launchers",),
    ("cli",),
)
"""Rooms from the ground up ("" is the package itself); a room imports from the floors below, and from itself."""

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

ONLY_IN = {
    # opening a JobStore needs the class, so stores may import jobflow too; launchers hand flows on
    "jobflow": {"engines", "jobs", "flows", "stores", "launchers"},
    "fireworks": {"launchers"},
    "jobflow_remote": {"launchers"},
    "atomate2": {"engines", "jobs", "flows"},
    "custodian": {"engines"},
    "sklearn": {"learning"},
    "xgboost": {"learning"},
    "maggma": {"stores"},
    "torch": {"engines", "learning"},
    "e3nn": {"learning"},
    "torch_sim": {"engines"},
    "chgnet": {"engines", "learning"},
    "matgl": {"engines"},
    "calorine": {"engines"},
    "mace": {"engines"},
    "huggingface_hub": {"engines"},
    "plotly": {"report"},
    "pooch": {"configs"},
    "matplotlib": {"report"},
    "fastapi": {"serve"},
    "starlette": {"serve"},
    "uvicorn": {"serve"},
    "typer": {"cli"},
    "rich": {"cli"},
}

HEAVY = {"torch", "torch_sim", "chgnet", "matgl", "calorine", "atomate2", "custodian", "e3nn", "sklearn", "xgboost"}
"""Loaded when an engine starts to work, never because something was imported."""


@dataclass(frozen=True)
class Import:
    """`module` as written on `line`; lazy inside a function, for types only under TYPE_CHECKING."""

    module: str
    line: int
    lazy: bool
    typing_only: bool

    @property
    def room(self) -> str:
        """The room of this package that is imported."""
        return [*self.module.split("."), ""][1]

    @property
    def package(self) -> str:
        return self.module.split(".")[0]


def modules() -> dict[str, Path]:
    """Dotted names of all modules and where they are."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("tachylite", *path.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports_of(source: str, module: str, is_package: bool = False) -> list[Import]:
    """Every import in a module, wherever it stands."""
    return list(_walk(ast.parse(source), module if is_package else module.rpartition(".")[0], False, False))


def _walk(node: ast.AST, package: str, lazy: bool, typing_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = typing_only or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, lazy, typing_only)
        elif isinstance(child, ast.ImportFrom):
            origin = _origin(child, package)
            for alias in child.names:
                # `from tachylite import flows` imports a room, so the name belongs to the path
                yield Import(f"{origin}.{alias.name}", child.lineno, lazy, typing_only)
        else:
            yield from _walk(child, package, inside, typing)


def _origin(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def violations(module: str, imports: list[Import]) -> list[str]:
    """Say what a module imports against the rules, one line each."""
    room = [*module.split("."), ""][1]
    problems = []
    for one in imports:
        where = f"{module}:{one.line} imports {one.module}"
        if one.package == "tachylite":
            target = one.room if one.room in FLOOR_OF else ""
            if target != room and FLOOR_OF[target] >= FLOOR_OF[room]:
                allowed = ", ".join(name for floor in FLOORS[: FLOOR_OF[room]] for name in floor if name)
                problems.append(f"{where}: {room or 'the package itself'} may import only {allowed or 'nothing'}")
        # a name in an annotation needs no package at run time
        elif not one.typing_only and room not in ONLY_IN.get(one.package, {room}):
            problems.append(f"{where}: {one.package} belongs in {', '.join(sorted(ONLY_IN[one.package]))} only")
    return problems


def loaded_with(module: str, graph: dict[str, list[Import]]) -> Iterator[str]:
    """Modules of this package that importing `module` loads, itself and the packages around it included."""
    waiting, seen = [module], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in graph:
            yield name
            waiting += [one.module for one in graph[name] if not one.lazy and not one.typing_only]
        waiting += [name.rpartition(".")[0]] if "." in name else []


@pytest.fixture(scope="module")
def graph() -> dict[str, list[Import]]:
    return {
        name: imports_of(path.read_text(encoding="utf-8"), name, path.name == "__init__.py")
        for name, path in modules().items()
    }


def test_every_room_has_its_floor() -> None:
    rooms = {name.split(".")[1] for name in modules() if "." in name}
    assert rooms <= FLOOR_OF.keys(), f"rooms without a floor in FLOORS: {sorted(rooms - FLOOR_OF.keys())}"


def test_nothing_is_imported_upwards(graph: dict[str, list[Import]]) -> None:
    problems = [line for name, imports in graph.items() for line in violations(name, imports)]
    assert not problems, "\n" + "\n".join(problems)


def test_no_import_loads_a_heavy_package(graph: dict[str, list[Import]]) -> None:
    """What does the work inside an engine or a network may load torch at its top; whatever others import may not."""
    working = ("tachylite.engines.", "tachylite.learning.crystals.", "tachylite.learning.potentials.")
    entrances = [name for name in graph if not name.startswith(working)]
    entrances += ["tachylite.engines.base", "tachylite.engines.registry", "tachylite.learning.potentials.families"]
    problems = {
        f"{name}:{one.line} loads {one.package} as soon as {entrance} is imported"
        for entrance in entrances
        for name in loaded_with(entrance, graph)
        for one in graph[name]
        if one.package in HEAVY and not one.lazy and not one.typing_only
    }
    assert not problems, "\n" + "\n".join(sorted(problems))


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("tachylite.physics.eos", "import tachylite.schemas", "may import only arrays, errors"),
        ("tachylite.physics.eos", "def f():\n    from tachylite.flows import Melt", "may import only"),
        ("tachylite.physics.eos", "from ..schemas import Run", "may import only"),
        ("tachylite.units", "from tachylite import physics", "may import only nothing"),
        ("tachylite.stores.open", "from tachylite.flows import run", "may import only"),
        ("tachylite.report.pages.material", "import typer", "typer belongs in cli only"),
        ("tachylite.jobs.melt", "def f():\n    import torch.nn", "torch belongs in engines, learning only"),
        ("tachylite.flows.melt", "from maggma.stores import MemoryStore", "maggma belongs in stores only"),
    ],
)
def test_the_rules_find_a_violation(module: str, source: str, expected: str) -> None:
    (problem,) = violations(module, imports_of(source, module))
    assert expected in problem


def test_the_rules_allow_what_they_should() -> None:
    source = "import numpy\nfrom tachylite.physics import eos\nfrom tachylite.schemas.run import Run\nimport jobflow"
    assert not violations("tachylite.jobs.melt", imports_of(source, "tachylite.jobs.melt"))
    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from jobflow import JobStore"
    assert not violations("tachylite.cli.campaigns.run", imports_of(for_types, "tachylite.cli.campaigns.run"))


def test_a_heavy_import_is_found_through_others() -> None:
    sources = {
        "tachylite.flows": "from tachylite.engines.registry import get_engine",
        "tachylite.engines.registry": "from tachylite.engines import fast",
        "tachylite.engines.fast": "import torch",
    }
    graph = {name: imports_of(source, name) for name, source in sources.items()}
    assert set(loaded_with("tachylite.flows", graph)) == set(sources)
    graph["tachylite.engines.registry"] = imports_of(
        "def get_engine():\n    from tachylite.engines import fast", "tachylite.engines.registry"
    )
    assert "tachylite.engines.fast" not in set(loaded_with("tachylite.flows", graph))


def processor_seconds(statement: str) -> float:
    """Least of five runs in a fresh interpreter; processor time, so that a busy machine hardly counts.

    Modules are compiled by the first, as they are where a package is installed.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", statement], check=True, capture_output=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    return min(once() for _ in range(5))


def test_importing_the_package_is_quick() -> None:
    """Quicker than its library for the command line."""
    cost = processor_seconds("import tachylite") - processor_seconds("pass")
    assert cost < processor_seconds("import typer") - processor_seconds("pass")


def test_help_is_quick() -> None:
    """What the commands of this package add is less than what a program without any takes for its help."""
    bare = processor_seconds("import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'])")
    cost = processor_seconds("from tachylite.cli import main; main(['--help'])")
    assert cost < 2 * bare, f"tachylite --help took {cost:.2f} s, a program without commands {bare:.2f} s"


def test_importing_the_package_is_silent_offline_and_leaves_no_file(tmp_path: Path) -> None:
    code = """
import socket

def refuse(*args, **options):
    raise AssertionError(f"network: {args}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
import tachylite
"""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
