"""The page of predictions of a property of crystals, and the table beside it."""

from collections.abc import Sequence
from pathlib import Path

from tachylite.physics.composition import parse_formula
from tachylite.physics.volume import electronegativity
from tachylite.report.charts.crystal_property import distribution_chart, effects_chart
from tachylite.report.csv_tables import Columns, write_tables
from tachylite.report.pages.rendering import save_figures, write_page
from tachylite.report.parts import Card, Row, Section, Table
from tachylite.report.text import plain_formula, quantity
from tachylite.schemas.crystal_property import CrystalPrediction, CrystalPropertyCard, Effect

_RANKED = 25
"""Crystals with the lowest and with the highest values that the page names."""


def write_crystal_page(
    card: CrystalPropertyCard, predictions: Sequence[CrystalPrediction], effects: Sequence[Effect], folder: Path
) -> Path:
    """Write the page of predictions into a folder and return its path.

    The folder gets `index.html`, which needs no network, `predictions.csv` and `figures/*.png`. `effects` are those in
    the predictions; none for few crystals.
    """
    valued = [prediction for prediction in predictions if prediction.value_ev_per_atom is not None]
    trusted = [prediction for prediction in valued if prediction.warning is None]
    write_tables({"predictions": _columns(predictions)}, folder)
    sets = {"DFT": card.effects_in_data, "model, held out": card.effects_held_out}
    charts = [effects_chart(sets | ({"these crystals": effects} if effects else {}), card.quantity)]
    if trusted:
        classes = {"most electronegative element": _anion, "number of elements": _n_elements}
        charts.append(distribution_chart(trusted, classes, card.quantity))
    save_figures(charts, folder / "figures")
    by_value = sorted(trusted, key=lambda prediction: prediction.value_ev_per_atom or 0.0)
    tables = (_ranking("lowest", by_value[:_RANKED]), _ranking("highest", by_value[::-1][:_RANKED]))
    sections = [Section("Trends", charts=tuple(charts)), Section("Crystals", tables=tables)]
    return write_page(
        "crystal_property.html.j2",
        charts,
        folder,
        file_stem="crystal_property",
        card=card,
        cards=_cards(card, predictions, len(valued), len(trusted)),
        sections=sections,
    )


def _anion(prediction: CrystalPrediction) -> str:
    return max(parse_formula(prediction.formula or "").unit, key=electronegativity)


def _n_elements(prediction: CrystalPrediction) -> str:
    return str(len(parse_formula(prediction.formula or "").unit))


def _cards(
    card: CrystalPropertyCard, predictions: Sequence[CrystalPrediction], valued: int, trusted: int
) -> list[Card]:
    score = card.score
    coverage = [
        Row(
            f"in the {one.level:.0%} interval",
            quantity(one.coverage),
            f"mean width {quantity(one.mean_width, digits=3)}",
        )
        for one in score.coverage
    ]
    by_distance = {"MAE within it": score.mae_within, "MAE beyond it": score.mae_beyond}
    errors = [Row(name, quantity(mae, unit=card.unit)) for name, mae in by_distance.items() if mae is not None]
    return [
        Card(
            "Unseen chemical systems",
            (Row("MAE", quantity(score.mae, unit=card.unit)), Row("R²", quantity(score.r2)), *coverage),
        ),
        Card(
            "Where it may be asked",
            (
                Row("limit of the distance", quantity(card.limit, digits=3)),
                *errors,
            ),
        ),
        Card(
            "These crystals",
            (
                Row("predicted", f"{valued:,} of {len(predictions):,}"),
                Row("like the training set", f"{trusted:,}", "the others carry a warning and are not in the figures"),
            ),
        ),
    ]


def _ranking(which: str, predictions: Sequence[CrystalPrediction]) -> Table:
    rows = tuple(
        (
            plain_formula(prediction.formula or ""),
            prediction.file,
            quantity(prediction.value_ev_per_atom, interval=prediction.interval_ev_per_atom, digits=3),
        )
        for prediction in predictions
    )
    return Table(f"The {which} values, of crystals like the training set", ("formula", "crystal", "eV/atom"), rows)


def _columns(predictions: Sequence[CrystalPrediction]) -> Columns:
    intervals = [prediction.interval_ev_per_atom for prediction in predictions]
    return {
        "crystal": [prediction.file for prediction in predictions],
        "formula": [prediction.formula for prediction in predictions],
        "value_ev_per_atom": [prediction.value_ev_per_atom for prediction in predictions],
        "low_ev_per_atom": [None if interval is None else interval.low for interval in intervals],
        "high_ev_per_atom": [None if interval is None else interval.high for interval in intervals],
        "warning": [prediction.warning for prediction in predictions],
    }
