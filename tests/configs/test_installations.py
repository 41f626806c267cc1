"""The shipped files are found in a wheel, in an editable installation and in a clone that was never installed."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.relative_to(ROOT / "configs") for path in (ROOT / "configs").rglob("*.yaml"))

PROBE = """
import json
import tachylite
from tachylite.configs import load_launcher, load_protocol, protocol_names
from tachylite.configs.datasets import dataset_names, load_dataset
from tachylite.configs.shipped import shipped_folder
print(json.dumps({
    "package": tachylite.__file__,
    "version": tachylite.__version__,
    "folder": str(shipped_folder("protocols")),
    "protocols": [load_protocol(name).name for name in protocol_names()],
    "datasets": [load_dataset(name).name for name in dataset_names()],
    "launcher": load_launcher("fireworks").launcher,
    "stores": sorted(store.name for store in shipped_folder("stores").iterdir()),
}))
"""


def names_in(folder: str) -> list[str]:
    return sorted(path.stem for path in SHIPPED if path.parent == Path(folder))


def run(*words: object, **variables: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, env=clean | variables, cwd="/", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def required(requirements: Iterable[str]) -> set[str]:
    """Names of the packages that these requirements need, with all that those need, as pip would install them."""
    waiting, seen = [Requirement(text) for text in requirements], set[tuple[str, frozenset[str]]]()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        extras = [{"extra": extra} for extra in ("", *wanted.extras)]
        needed = map(Requirement, metadata.requires(wanted.name) or ())
        waiting += [one for one in needed if one.marker is None or any(map(one.marker.evaluate, extras))]
    return {name for name, _ in seen}


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What tachylite requires without its extras, and what builds it; nothing else that is installed here."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = required([*settings["project"]["dependencies"], *settings["build-system"]["requires"]])
    assert not {"scikit-learn", "fireworks", "jobflow-remote", "sphinx", "pytest"} & names
    folder, source = tmp_path_factory.mktemp("dependencies"), Path(sysconfig.get_path("purelib"))
    files = [file.parts[0] for name in names for file in metadata.files(name) or ()]
    for entry in sorted(set(files) - {"..", "__pycache__"}):
        if not entry.endswith(".pth") and (source / entry).exists():
            (folder / entry).symlink_to(source / entry)
    return folder


@pytest.fixture
def python(tmp_path: Path, dependencies: Path) -> Path:
    """Python of a fresh environment with the dependencies of tachylite, and without tachylite."""
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{dependencies}\n")
    return environment / "bin" / "python"


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    build = f"import os, hatchling.build; os.chdir({str(ROOT)!r}); hatchling.build.build_sdist({str(folder)!r})"
    run(sys.executable, "-c", build)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    for part in ("src", "configs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, folder)
    return folder


def install(python: Path, *what: object) -> None:
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, *what)


def check(python: Path, package: Path, folder: Path, **variables: str) -> None:
    answer = json.loads(run(python, "-c", PROBE, **variables))
    assert Path(answer["package"]) == package / "__init__.py"
    assert Path(answer["folder"]) == folder / "protocols"
    assert answer["protocols"] == names_in("protocols")
    assert answer["datasets"] == names_in("datasets")
    assert answer["stores"] == [f"{name}.yaml" for name in names_in("stores")]
    assert answer["launcher"] == "fireworks"
    assert answer["version"].count(".") == 2


def test_a_wheel_holds_the_shipped_files(python: Path, source_distribution: Path, tmp_path: Path) -> None:
    """Built from the source distribution, as the package index would have it."""
    wheels = tmp_path / "wheels"
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", *options, "-w", wheels, source_distribution)
    (wheel,) = wheels.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"tachylite/configs/{path.as_posix()}" for path in SHIPPED} <= names
    assert {name.split("/")[0] for name in names} == {"tachylite", wheel.name.rsplit("-", 3)[0] + ".dist-info"}
    install(python, wheel)
    (package,) = python.parents[1].glob("lib/python*/site-packages/tachylite")
    check(python, package, package / "configs")
    melt(python.with_name("tachylite"), tmp_path)


def melt(command: Path, folder: Path) -> None:
    """A short `make demo` by the installed command, far from the clone, to a page with its figures."""
    (folder / "melt.yaml").write_text(
        "packing: {n_atoms: 8}\nsteps: [{kind: hold, name: melt, temperature_k: 3000, time_ps: 0.05}]\n"
    )
    given = ("--protocol", folder / "melt.yaml", "--store", folder / "store")
    # packmol is a program beside the Python that has the dependencies
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    (material,) = json.loads(run(command, "run", "Li3PO4", *given, "--report", folder / "report", "--json", PATH=path))
    assert material["status"] == "completed"
    assert "<html" in (folder / "report" / "index.html").read_text(encoding="utf-8")


def test_an_editable_installation_reads_the_clone(python: Path, clone: Path) -> None:
    install(python, "--editable", clone)
    assert list(python.parents[1].glob("lib/python*/site-packages/tachylite")) == []
    check(python, clone / "src" / "tachylite", clone / "configs")


def test_a_clone_on_the_path_needs_no_installation(python: Path, clone: Path) -> None:
    check(python, clone / "src" / "tachylite", clone / "configs", PYTHONPATH=str(clone / "src"))


def test_the_source_distribution_holds_the_shipped_files(source_distribution: Path) -> None:
    with tarfile.open(source_distribution) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {f"configs/{path.as_posix()}" for path in SHIPPED} <= names


def test_an_installation_without_the_files_says_so(python: Path, clone: Path) -> None:
    shutil.rmtree(clone / "configs" / "protocols")
    probe = "from tachylite.configs import protocol_names; protocol_names()"
    with pytest.raises(AssertionError, match=r"the shipped protocols are neither in .*: this installation"):
        run(python, "-c", probe, PYTHONPATH=str(clone / "src"))
