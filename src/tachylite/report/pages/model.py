"""The report of a model: one self-contained HTML page, figures, the card."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment

from tachylite.report.charts import learning as charts
from tachylite.report.pages.rendering import Download, render_page, save_download, save_figures, write_page
from tachylite.report.parts import Card, Row, Section, Table, charts_of
from tachylite.report.text import ABSENT, quantity
from tachylite.schemas import Measured
from tachylite.schemas.learning import FormulaTerm, Model, SymbolicFormula

_TEMPLATE = "model.html.j2"

_FIRST_INPUTS = 6
"""Inputs shown of every learner's order of importance."""

_SAME = "same"


def write_model_report(model: Model, folder: Path) -> Path:
    """Write the report of a model into a folder and return the path of its page.

    The folder gets `index.html` (self-contained, needs no network), `figures/*.png` and `model.json`, the card.
    """
    contents = _sections(model)
    folder.mkdir(parents=True, exist_ok=True)
    save_figures(charts_of(contents), folder / "figures")
    download = save_download(
        folder, "model.json", "model card (JSON)", model.model_dump_json(indent=1), "application/json"
    )
    return write_page(_TEMPLATE, charts_of(contents), folder, **_values(model, contents), downloads=[download])


def render_model(model: Model, *, downloads: Sequence[Download], templates: Environment, **values: Any) -> str:
    """The page of a model in the layout of other templates, with links to files and values for that layout."""
    contents = _sections(model)
    return render_page(
        _TEMPLATE, charts_of(contents), templates=templates, **_values(model, contents), downloads=downloads, **values
    )


def _values(model: Model, contents: Sequence[Section]) -> dict[str, Any]:
    """What the template of a model's page is filled in with, beside its downloads."""
    return {"file_stem": f"model_{model.model_id}", "model": model, "cards": _cards(model), "sections": contents}


def _sections(model: Model) -> list[Section]:
    trends = model.trends
    formulas = [Section("Formulas", tables=(formula_table(model),))] if model.formulas else []
    sections = [
        Section(
            "Predictions",
            charts=(charts.parity_of_held_out(model), charts.learning_curve(model)),
            tables=(scores_table(model), coverage_table(model)),
        ),
        Section(
            "Importance",
            charts=(charts.importances(model),),
            tables=(importance_table(model), order_table(model)),
        ),
        *formulas,
    ]
    trend_charts = [charts.anions(model)] if trends.anions else []
    if any(correlation.published is not None for correlation in trends.correlations):
        trend_charts.append(charts.correlations(model))
    if len(trends.activation_energies_ev) > 1:
        trend_charts.append(charts.activation_energies(model))
    tables = [correlation_table(model), *([_anion_table(model)] if trends.anions else [])]
    sections.append(Section("The table itself", charts=tuple(trend_charts), tables=tuple(tables)))
    return sections


def _cards(model: Model) -> list[Card]:
    leading, unit = model.leading.scores[0], charts.written_unit(model)
    limit = model.applicability
    outside = [] if limit.rmse_outside is None else [Row("beyond it", quantity(limit.rmse_outside, unit=unit))]
    return [
        Card(
            "New compositions",
            (
                Row("RMSE", quantity(leading.rmse, unit=unit)),
                Row("MAE", quantity(leading.mae, unit=unit)),
                Row("R²", quantity(leading.r2)),
                *(
                    Row(
                        f"in the {interval.level:.0%} interval",
                        quantity(interval.coverage),
                        f"mean width {quantity(interval.mean_width, digits=3)}",
                    )
                    for interval in model.leading.coverage
                ),
            ),
        ),
        Card(
            "Applicability",
            (
                Row("limit of the distance", quantity(limit.threshold, digits=3), limit.criterion),
                Row("RMSE within it", quantity(limit.rmse_inside, unit=unit)),
                *outside,
                Row("held-out rows beyond it", f"{limit.outside} of {model.data.rows}"),
            ),
        ),
    ]


def scores_table(model: Model) -> Table:
    """Scores of every learner on every split, the saved learner first."""
    rows = tuple(
        (
            entry.learner,
            "all rows of a composition held out"
            if score.split == "composition"
            else "all rows of a chemical system held out"
            if score.split == "chemical system"
            else "rows at random, as published",
            str(score.n_rows),
            f"{score.r2:.4f}",
            quantity(score.rmse),
            quantity(score.mae),
        )
        for entry in model.learners
        for score in entry.scores
    )
    columns = (
        "learner",
        "split",
        "rows",
        "R²",
        f"RMSE ({charts.written_unit(model)})",
        f"MAE ({charts.written_unit(model)})",
    )
    return Table("Scores", columns, rows)


def coverage_table(model: Model) -> Table:
    """How often held-out compositions lie in their intervals, for every learner."""
    rows = tuple(
        (entry.learner, f"{interval.level:.0%}", quantity(interval.coverage), quantity(interval.mean_width, digits=3))
        for entry in model.learners
        for interval in entry.coverage
    )
    return Table(
        "Intervals on held-out compositions",
        ("learner", "nominal", "covered", f"mean width ({charts.written_unit(model)})"),
        rows,
    )


def importance_table(model: Model) -> Table:
    """The most important inputs, with the size and the direction of their influence."""
    rows = tuple(
        (
            importance.feature,
            quantity(importance.permutation),
            quantity(importance.shapley),
            ABSENT if importance.direction is None else quantity(importance.direction, digits=2),
        )
        for importance in model.leading.importances[: charts.MOST_INPUTS]
    )
    return Table("Most important inputs", ("input", "rise of RMSE", "mean |Shapley|", "direction"), rows)


def order_table(model: Model) -> Table:
    """Inputs of every learner ranked by permutation importance, beside the published ranking."""
    orders = {entry.learner: [importance.feature for importance in entry.importances] for entry in model.learners}
    if model.trends.published_first:
        orders["boosting, Zheng et al. 2024"] = model.trends.published_first
    rows = tuple(
        (str(place + 1), *(order[place] if place < len(order) else ABSENT for order in orders.values()))
        for place in range(_FIRST_INPUTS)
    )
    return Table("Order of importance, by learner", ("place", *orders), rows)


def formula_table(model: Model) -> Table:
    """Formulas of SISSO, in order of their error on held-out compositions."""
    rows = tuple(
        (
            f"{formula.target} = {_short_formula(formula)}",
            str(formula.rung),
            str(formula.dimension),
            f"{formula.rmse:.4f}",
            ABSENT if formula.held_out_rmse is None else f"{formula.held_out_rmse:.4f}",
        )
        for formula in model.formulas
    )
    columns = ("formula", "rung", "terms", "RMSE", "RMSE, held-out compositions")
    return Table(f"Formulas for {model.formulas[0].target}", columns, rows)


def _short_formula(formula: SymbolicFormula) -> str:
    """Write a formula with coefficients of four digits."""
    terms = [
        f"{'−' if term.coefficient < 0 else '+'} {abs(term.coefficient):.4g} {_factor(term)}" for term in formula.terms
    ]
    return " ".join([f"{formula.intercept:.4g}".replace("-", "−"), *terms])


def _factor(term: FormulaTerm) -> str:
    words = term.descriptor.replace("np.", "").replace("**", "^")
    return words if words.replace("_", "").isalnum() else f"({words})"


def correlation_table(model: Model) -> Table:
    """Pearson's r of every descriptor, and whether its sign is the published one; undecided within two errors of 0."""
    here = f"Pearson's r at {model.trends.temperature_k:g} K"
    correlations = model.trends.correlations
    n_published = sum(correlation.published is not None for correlation in correlations)
    if not n_published:
        rows = tuple((correlation.feature, quantity(correlation.pearson)) for correlation in correlations)
        return Table(here, ("descriptor", "r"), rows)
    compared = tuple(
        (correlation.feature, quantity(correlation.pearson), *_compared(correlation.pearson, correlation.published))
        for correlation in correlations
    )
    same = sum(verdict == _SAME for *_, verdict in compared)
    return Table(
        f"{here}: {same} of {n_published} signs as published",
        ("descriptor", "r", "published", "sign"),
        compared,
    )


def _compared(here: Measured, published: float | None) -> tuple[str, str]:
    """The published value and whether its sign is that of the value here."""
    if published is None:
        return ABSENT, ABSENT
    significant = abs(here.value) > 2 * here.error
    verdict = _SAME if here.value * published > 0 else "differs" if significant else "undecided"
    return f"{published:.2f}".replace("-", "−"), verdict


def _anion_table(model: Model) -> Table:
    rows = tuple(
        (trend.anion, str(trend.compositions), quantity(trend.target), quantity(trend.activation_energy_ev))
        for trend in model.trends.anions
    )
    unit = f"{model.data.target} at {model.trends.temperature_k:g} K ({charts.written_unit(model)})"
    return Table("Anions", ("anion", "compositions", unit, "activation energy (eV)"), rows)
