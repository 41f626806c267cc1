"""A kind of step is modules of one name: nothing else lists the kinds."""

import ast
from collections.abc import Iterator
from importlib import import_module
from inspect import isclass
from pathlib import Path

import pytest

from tachylite.flows.steps.base import StepMaker
from tachylite.schemas.steps import KINDS, RESULTS, SETTINGS

SOURCE = Path(__file__).parents[1] / "src" / "tachylite"
ROOMS = ("schemas/steps", "flows/steps", "report/steps")
SHARED = {"__init__.py", "base.py", "columns.py", "ions.py"}
READS_EARLIER_DOCUMENTS = Path("schemas/version1.py")

MOST_KINDS = 2
"""That a module may name: a hold straight after a volume search is one idea."""


def elsewhere() -> list[Path]:
    """Modules outside those of the kinds."""
    own = {Path(room, f"{kind}.py") for room in ROOMS for kind in KINDS}
    modules = {path.relative_to(SOURCE) for path in SOURCE.rglob("*.py")}
    return sorted(modules - own - {READS_EARLIER_DOCUMENTS})


def kinds_named(code: str) -> set[str]:
    """Kinds that code imports the modules of, compares something with, or looks up."""
    return {kind for node in ast.walk(ast.parse(code)) for kind in (*_compared(node), *_imported(node))}


def _imported(node: ast.AST) -> Iterator[str]:
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    if isinstance(node, ast.ImportFrom):
        modules += [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Import):
        modules += [alias.name for alias in node.names]
    for module in modules:
        parent, _, name = module.rpartition(".")
        if parent in {f"tachylite.{room.replace('/', '.')}" for room in ROOMS} and name in KINDS:
            yield name


def _compared(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare():
            values: list[ast.expr | None] = [node.left, *node.comparators]
        case ast.Dict():
            values = list(node.keys)
        case ast.Subscript():
            values = [node.slice]
        case ast.MatchValue():
            values = [node.value]
        case _:
            values = []
    for value in values:
        listed = value.elts if isinstance(value, ast.Set | ast.Tuple | ast.List) else [value]
        yield from (entry.value for entry in listed if isinstance(entry, ast.Constant) and entry.value in KINDS)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_one_module_for_each_kind(room: str) -> None:
    names = {path.name for path in (SOURCE / room).glob("*.py")} - SHARED
    assert names == {f"{kind}.py" for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_settings_a_result_a_maker_and_rows(kind: str) -> None:
    schema = import_module(f"tachylite.schemas.steps.{kind}")
    assert SETTINGS[kind].__module__ == RESULTS[kind].__module__ == schema.__name__
    assert SETTINGS[kind].prepares == RESULTS[kind].prepares
    flow = import_module(f"tachylite.flows.steps.{kind}")
    own = [value for value in vars(flow).values() if isclass(value) and value.__module__ == flow.__name__]
    makers = [value for value in own if issubclass(value, StepMaker)]
    assert len(makers) == 1
    assert makers[0].jobs, "a launcher must know where its jobs run"
    assert callable(import_module(f"tachylite.report.steps.{kind}").rows)


def test_no_other_module_lists_the_kinds() -> None:
    named = {str(module): kinds_named((SOURCE / module).read_text(encoding="utf-8")) for module in elsewhere()}
    assert len(named) > 100
    lists = {module: sorted(kinds) for module, kinds in named.items() if len(kinds) > MOST_KINDS}
    assert lists == {}, "ask the step or its result instead"


@pytest.mark.parametrize(
    "code",
    [
        "from tachylite.schemas.steps.hold import Hold\nfrom tachylite.flows.steps import ramp, relax",
        "import tachylite.report.steps.hold, tachylite.report.steps.ramp, tachylite.report.steps.relax",
        "if step.kind == 'hold' or step.kind in {'ramp', 'relax'}: pass",
        "names = {'hold': 1, 'ramp': 2, 'relax': 3}",
        "match step.kind:\n    case 'hold' | 'ramp': pass\n    case 'relax': pass",
        "by_kind['hold'] = by_kind['ramp'] = by_kind['relax']",
    ],
)
def test_code_that_lists_kinds_is_seen(code: str) -> None:
    assert kinds_named(code) == {"hold", "ramp", "relax"}
