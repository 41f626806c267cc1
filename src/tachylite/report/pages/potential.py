"""The page of a trained potential: its errors, its training, and the rounds of learning while exploring."""

from collections.abc import Sequence
from pathlib import Path

from tachylite.report.charts import potential as charts
from tachylite.report.pages.rendering import save_figures, write_page
from tachylite.report.parts import Card, Row, Section, Table
from tachylite.report.text import ABSENT, duration, quantity
from tachylite.schemas import Interval
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.potential import LearnedPotential, PotentialCard


def write_potential_page(
    card: PotentialCard,
    frames: Sequence[LabelledFrame],
    members: Sequence[Sequence[SinglePoint]],
    folder: Path,
    learned: LearnedPotential | None = None,
) -> Path:
    """Write the page of a potential into a folder, `index.html` and `figures/*.png`, and return its path.

    `members` are what every member of its committee computes for the test frames; `learned` has the rounds, where it
    has learned while exploring.
    """
    sections = [Section("Test frames", charts=(charts.label_parity(frames, members[0]),), tables=(errors_table(card),))]
    training = [charts.training_progress(card)] if any(member.progress for member in card.members) else []
    if card.learning_curve:
        training.append(charts.learning_curve(card))
    if card.disagreement is not None:
        training.append(charts.stated_errors(frames, members, card.disagreement))
    sections.append(Section("Training", charts=tuple(training), tables=(_sets(card),)))
    if learned is not None:
        rounds = charts.rounds_chart(learned.rounds, learned.target_ev_a)
        sections.insert(0, Section("Rounds", charts=(rounds,), tables=(rounds_table(learned),)))
    figures = [chart for section in sections for chart in section.charts]
    folder.mkdir(parents=True, exist_ok=True)
    save_figures(figures, folder / "figures")
    return write_page(
        "potential.html.j2",
        figures,
        folder,
        file_stem=f"potential_{card.family}",
        card=card,
        cards=_cards(card),
        sections=sections,
    )


def _cards(card: PotentialCard) -> list[Card]:
    evaluation, errors = card.evaluation, card.evaluation.errors
    energy, force = errors.get("energy_mae_ev_per_atom"), errors.get("force_rmse_ev_a")
    rows = [
        Row("forces, RMSE", quantity(1e3 * evaluation.force_rmse_ev_a, _thousand(force)), unit="meV/Å"),
        Row("energy, MAE", quantity(1e3 * evaluation.energy_mae_ev_per_atom, _thousand(energy)), unit="meV/atom"),
        Row("frames", str(evaluation.n_frames), f"of {len(card.by_trajectory)} trajectories"),
    ]
    cards = [Card("Test frames", tuple(rows))]
    if card.disagreement is not None:
        stated = card.disagreement
        cards.append(
            Card(
                f"Committee of {stated.members}",
                (
                    Row("error over disagreement", quantity(stated.factor, digits=2)),
                    Row("95 % of the frames below", quantity(stated.factor_95, digits=2)),
                    Row("frames of other trajectories below", quantity(stated.coverage)),
                    Row("rank correlation", quantity(stated.rank_correlation, digits=2)),
                ),
            )
        )
    known = card.training
    temperatures = ABSENT if known.temperature_k is None else _range(known.temperature_k, 4)
    valid = (
        Row("elements", ", ".join(known.elements)),
        Row("volume", _range(known.volume_a3_per_atom, 3), unit="Å³/atom"),
        Row("temperature", temperatures, unit="K"),
    )
    return [*cards, Card("What it has seen", valid)]


def _thousand(value: float | None) -> float | None:
    return None if value is None else 1e3 * value


def _range(interval: Interval, digits: int) -> str:
    return f"{quantity(interval.low, digits=digits)} to {quantity(interval.high, digits=digits)}"


def errors_table(card: PotentialCard) -> Table:
    """Errors on the test frames, by trajectory."""
    rows = tuple(
        (
            line.trajectory,
            str(line.n_frames),
            ABSENT if line.temperature_k is None else f"{line.temperature_k:.0f}",
            quantity(line.energy_mae_ev_per_atom * 1e3),
            quantity(line.force_rmse_ev_a * 1e3),
        )
        for line in card.by_trajectory
    )
    evaluation, errors = card.evaluation, card.evaluation.errors
    energy = quantity(1e3 * evaluation.energy_mae_ev_per_atom, _thousand(errors.get("energy_mae_ev_per_atom")))
    force = quantity(1e3 * evaluation.force_rmse_ev_a, _thousand(errors.get("force_rmse_ev_a")))
    rows = (*rows, ("all", str(evaluation.n_frames), "", energy, force))
    heads = ("test trajectory", "frames", "T (K)", "energy, MAE (meV/atom)", "forces, RMSE (meV/Å)")
    return Table("Errors by trajectory", heads, rows)


def rounds_table(learned: LearnedPotential) -> Table:
    """A line for every round: what it had learned from, its error along fresh runs, and which runs ended early."""
    rows = tuple(
        (
            str(entry.number),
            f"{entry.training_frames} frames",
            f"{quantity(entry.force_rmse_ev_a * 1e3)} ({entry.checked_frames} frames)",
            f"{1e3 * entry.stated_force_rmse_ev_a:.0f}",
            quantity(entry.energy_mae_ev_per_atom * 1e3),
            "; ".join(entry.failures),
        )
        for entry in learned.rounds
    )
    heads = ("round", "learned from", "forces along fresh runs, RMSE (meV/Å)", "stated", "energy, MAE (meV/atom)")
    ended = "the target was reached" if learned.reached else learned.reason
    return Table(f"Rounds: {ended}", (*heads, "runs that ended early"), rows)


def _sets(card: PotentialCard) -> Table:
    left = card.left_out
    rows = (
        ("frames", f"{card.training.n_frames:,}", f"{card.test.n_frames:,}"),
        ("trajectories", str(len(card.training.trajectories)), str(len(card.test.trajectories))),
        ("force component, RMS (eV/Å)", f"{card.training.force_rms_ev_a:.2f}", f"{card.test.force_rms_ev_a:.2f}"),
        ("formulas", ", ".join(card.training.formulas), ", ".join(card.test.formulas)),
    )
    caption = (
        f"Labels: {card.training.level}. Left out: {left.correlated:,} correlated, {left.duplicates:,} duplicate, "
        f"{left.unphysical:,} unphysical, {left.beyond_limit:,} beyond the number asked for. Training took "
        f"{duration(card.training_s)}."
    )
    return Table(caption, ("", "learned from", "tested on"), rows)
