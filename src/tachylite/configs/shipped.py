"""Where the files that ship with the package are: protocols, stores, launchers and records of data sets."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def shipped_folder(name: str) -> Traversable:
    """Folder of shipped files: `protocols`, `stores`, `launchers` or `datasets`.

    A wheel holds it beside this module; in a clone, which an editable installation reads too, it is a folder of
    `configs/` at the top of the repository. Raises FileNotFoundError where it is in neither place.
    """
    in_wheel = files("tachylite.configs") / name
    if in_wheel.is_dir():
        return in_wheel
    in_clone = Path(__file__).parents[3] / "configs" / name
    if in_clone.is_dir():
        return in_clone
    raise FileNotFoundError(
        f"the shipped {name} are neither in {in_wheel} nor in {in_clone}: this installation is incomplete"
    )
