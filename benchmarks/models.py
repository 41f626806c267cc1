"""Speed and errors of models, written to docs/models.md: python -m benchmarks.models MPTRJ.xyz [ENGINE ...].

Engines are named as for `get_engine`; without any, those whose weights come with their packages are measured, as
far as the packages are installed. Models that were measured before keep their lines.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ase.data import chemical_symbols
from benchmarks.common import RESULTS, Contender, interleaved, machine, simulate, table

from tachylite.analysis.evaluation import evaluate
from tachylite.engines import Engine, get_engine
from tachylite.engines.packmol import pack
from tachylite.engines.potentials.loading import LoadedPotential, load_potential
from tachylite.engines.torchsim.engine import TorchSimEngine
from tachylite.errors import MissingPackageError
from tachylite.readers.labels import read_labelled_frames
from tachylite.schemas import Request, Segment, State
from tachylite.schemas.evaluation import Evaluation, LabelledFrame

PAGE = Path(__file__).parents[1] / "docs/models.md"
BEGIN, END = "<!-- written by benchmarks/models.py -->\n", "<!-- end -->\n"
KEPT = RESULTS / "models.json"

WITH_THEIR_PACKAGES = ("chgnet", "chgnet:r2scan", "sevennet:7net-0", "ase:emt", "lennard-jones")

REPEATS = 3
STRUCTURES = 500
FEWEST_STRUCTURES = 50
BATCH_ATOMS = 300


HEADER = (
    "engine",
    "model",
    "elements",
    "melt",
    "s per step",
    "structures",
    "forces, meV/A",
    "energies, meV/atom",
)

type Loaded = dict[str, tuple[TorchSimEngine, LoadedPotential]]


@dataclass(frozen=True)
class Melt:
    """Some 100 atoms to measure on, in the order of preference."""

    counts: dict[str, int]
    volume_a3_per_atom: float
    temperature_k: float

    @property
    def n_atoms(self) -> int:
        return sum(self.counts.values())

    @property
    def formula(self) -> str:
        return "".join(f"{symbol}{count}" for symbol, count in self.counts.items())


MELTS = (
    Melt({"Li": 36, "P": 12, "O": 48}, 16.0, 3000.0),
    Melt({"Cu": 64, "Zr": 36}, 17.0, 2000.0),
    Melt({"Cu": 75, "Al": 25}, 14.0, 2000.0),
    Melt({"Ar": 100}, 45.0, 120.0),
)


def own(name: str) -> tuple[TorchSimEngine, LoadedPotential]:
    """The engine of a name, and what it loads."""
    family, _, model = name.partition(":")
    engine = get_engine(name, device="cpu", batch_atoms=BATCH_ATOMS)
    assert isinstance(engine, TorchSimEngine)
    return engine, load_potential(family, model or None, "cpu")


def errors(engine: TorchSimEngine, model: LoadedPotential, frames: Sequence[LabelledFrame]) -> Evaluation | None:
    """Compare with the structures whose elements the model knows; None where they are too few to say anything."""
    known = sorted((f for f in frames if set(f.state.numbers) <= model.elements), key=lambda f: len(f.state.numbers))
    if len(known) < FEWEST_STRUCTURES:
        return None
    return evaluate(known, engine.single_points([frame.state for frame in known]), "MPtrj")


def melt_for(model: LoadedPotential) -> Melt:
    """The first melt whose elements the model knows."""
    numbers = {symbol: number for number, symbol in enumerate(chemical_symbols)}
    return next(m for m in MELTS if {numbers[symbol] for symbol in m.counts} <= model.elements)


def dynamics(engine: Engine, state: State, temperature_k: float, thermostat: str, steps: int) -> State:
    """Where some steps end; raises RuntimeError where they end early."""
    segment = Segment.model_validate({"steps": steps, "temperature_k": temperature_k, "thermostat": thermostat})
    (answer,) = simulate(engine, [Request(label="benchmark", state=state, segments=[segment], seed=1)])
    if answer.run.status == "failed":
        raise RuntimeError(f"{engine.name} ended early: {answer.run.reason}")
    return answer.run.final


def contender(name: str, engine: Engine, melt: Melt) -> Contender:
    """Dynamics of a melt, at run lengths of about 3 s."""
    state = dynamics(
        engine, pack(melt.counts, melt.n_atoms * melt.volume_a3_per_atom, 1), melt.temperature_k, "langevin", 60
    )
    run = partial(dynamics, engine, state, melt.temperature_k, "nose-hoover")
    rate = interleaved([Contender(name, run, short=2, long=12)], 1)[name].median
    steps = max(20, min(3000, int(3.0 / rate)))
    return Contender(name, run, short=steps // 10, long=steps)


def described(name: str, model: LoadedPotential) -> list[str]:
    """What a line begins with: how the engine is named, its model and elements."""
    family, _, chosen = name.partition(":")
    is_path = bool(chosen) and Path(chosen).exists()
    shown = f"{family}:{'FOLDER' if Path(chosen).is_dir() else 'FILE'}" if is_path else name
    symbols = [chemical_symbols[number] for number in sorted(model.elements)]
    return [f"`{shown}`", model.name, " ".join(symbols) if len(symbols) <= 16 else str(len(symbols))]


def speed(loaded: Loaded) -> dict[str, list[str]]:
    """The melt and seconds per step of every model."""
    melts = {name: melt_for(model) for name, (_, model) in loaded.items()}
    rates = interleaved([contender(name, engine, melts[name]) for name, (engine, _) in loaded.items()], REPEATS)
    return {model.name: [melts[name].formula, f"{rates[name].median:.4f}"] for name, (_, model) in loaded.items()}


def accuracy(loaded: Loaded, mptrj: Path) -> dict[str, list[str]]:
    """Structures and errors of every model."""
    frames = read_labelled_frames(mptrj)[:STRUCTURES]
    lines = {}
    for engine, model in loaded.values():
        evaluation = errors(engine, model, frames)
        lines[model.name] = ["-"] * 3
        if evaluation is not None:
            energy = evaluation.energy_mae_shifted_ev_per_atom
            lines[model.name] = [
                str(evaluation.n_frames),
                f"{1e3 * evaluation.force_mae_ev_a:.0f}",
                "-" if energy is None else f"{1e3 * energy:.0f}",
            ]
    return lines


def keep(part: str, lines: Mapping[str, str | list[str]]) -> None:
    """Add lines to those measured before."""
    known = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(known | {part: known.get(part, {}) | lines}, indent=1) + "\n")


def write_page() -> None:
    """Put the table into its place on the page, with the machine."""
    kept = json.loads(KEPT.read_text())
    none = {"speed": ["-"] * 2, "errors": ["-"] * 3}
    rows = [
        [*line, *(field for part, empty in none.items() for field in kept.get(part, {}).get(name, empty))]
        for name, line in kept["models"].items()
    ]
    here = kept["machine"]
    line = f"Speed on {here['cpu']}, {here['cores']} cores, {here['threads']} threads; torch {here['torch']}."
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(
        f"{before}{BEGIN}\n{table(HEADER, rows)}\n\n{line}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8"
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mptrj", type=Path, help="structures with energies and forces, as extended XYZ")
    parser.add_argument("engines", nargs="*", default=WITH_THEIR_PACKAGES, help="names for get_engine")
    parser.add_argument("--only", choices=("speed", "errors"), help="measure one of the two")
    arguments = parser.parse_args()
    loaded: Loaded = {}
    for name in arguments.engines:
        try:
            loaded[name] = own(name)
        except MissingPackageError as error:
            print(f"left out: {error}")
    keep("models", {model.name: described(name, model) for name, (_, model) in loaded.items()})
    if arguments.only != "errors":
        keep("speed", speed(loaded))
        keep("machine", machine())
    if arguments.only != "speed":
        keep("errors", accuracy(loaded, arguments.mptrj))
    write_page()


if __name__ == "__main__":
    main()
