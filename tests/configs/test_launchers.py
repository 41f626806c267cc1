from pathlib import Path

import pytest

from tachylite.configs import load_launcher
from tachylite.configs.shipped import shipped_folder
from tachylite.errors import InputError


@pytest.mark.parametrize("name", ["fireworks", "jobflow-remote"])
def test_shipped_launchers_leave_everything_to_the_launcher(name: str) -> None:
    launcher = load_launcher(name)
    assert (launcher.launcher, launcher.default.worker, launcher.cohort) == (name, None, None)


@pytest.mark.parametrize("name", ["fireworks", "jobflow-remote"])
def test_what_the_shipped_files_show_as_an_example_is_valid(name: str, tmp_path: Path) -> None:
    shipped = (shipped_folder("launchers") / f"{name}.yaml").read_text(encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(shipped.partition("launcher:")[1] + shipped.partition("launcher:")[2].replace("\n# ", "\n"))
    launcher = load_launcher(file)
    assert launcher.workdir == "/scratch/me/tachylite"
    assert (launcher.dynamics.worker, launcher.dynamics.walltime) == ("gpu", "24:00:00")
    assert launcher.dynamics.resources == {"ntasks": 1, "gres": "gpu:1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("launcher: slurm", "launcher = 'slurm' must be 'fireworks' or 'jobflow-remote'"),
        ("launcher: fireworks\ndefalt: {}", "unknown key 'defalt'; did you mean 'default'?"),
        ("launcher: fireworks\ndynamics: {worker: a, wall: b}", "unknown key 'wall' in dynamics"),
        ("launcher: fireworks\ndynamics: {walltime: 4 hours}", "dynamics.walltime = '4 hours'"),
        ("launcher: fireworks\ncohort: 0", "cohort = 0 must be greater than 0"),
        ("cohort: 3", "'launcher' is missing"),
        ("- a", "must be a mapping of keys to values, and is a list"),
        ("a: b: c", "is not valid YAML at line 1"),
    ],
)
def test_a_mistake_is_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_launcher(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_name_is_refused() -> None:
    with pytest.raises(InputError, match="No such file or directory; give fireworks, jobflow-remote or a YAML file"):
        load_launcher("firework")
