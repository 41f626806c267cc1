"""Learners on the diffusivities of Zheng et al. 2024: the published split, and compositions not seen.

    python -m benchmarks.learning              # all learners; about ten minutes of one core
    python -m benchmarks.learning gp           # some of them

The data are those of `tachylite datasets zheng2024`.
"""

import argparse
import json
import time

from benchmarks.common import publish, table

from tachylite.configs.datasets import data_folder
from tachylite.learning.learners import LEARNERS
from tachylite.learning.tables import read_dataset
from tachylite.learning.training import train
from tachylite.report.pages.model import coverage_table, importance_table, scores_table
from tachylite.report.parts import Table
from tachylite.report.text import quantity

FILE = data_folder() / "zheng2024/feature_target.dat"


def main(learners: list[str], without: list[str]) -> None:
    started = time.process_time()
    card = train(read_dataset(FILE, without=without), learners, log=print).card
    seconds = time.process_time() - started
    settings = Table(
        "Settings",
        ("learner", "chosen in the folds"),
        tuple((one.learner, "; ".join(one.settings)) for one in card.learners),
    )
    parts = [scores_table(card), coverage_table(card), importance_table(card), settings]
    text = "\n\n".join(table(part.columns, part.rows) for part in parts)
    limit = card.applicability
    inside, outside = quantity(limit.rmse_inside), quantity(limit.rmse_outside)
    text += f"\n\nWithin the limit: RMSE {inside}; {limit.outside} rows beyond: {outside}."
    text += f"\n\n{seconds:.0f} s of processor time. " + ", ".join(f"{k} {v}" for k, v in card.versions.items())
    title = " ".join(learners) + (f" without {' '.join(without)}" if without else "")
    publish("learning", {title: text}, {title: json.loads(card.model_dump_json(exclude={"held_out"}))})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("learner", nargs="*", default=list(LEARNERS), help="of tachylite.learning.learners")
    parser.add_argument("--without", default="", help="descriptors to leave out, NAME,NAME")
    arguments = parser.parse_args()
    main(arguments.learner, [name for name in arguments.without.split(",") if name])
