"""The report of a model: one self-contained HTML page, figures, the card."""

from pathlib import Path

from plotly.offline import get_plotlyjs

from tachylite import __version__
from tachylite.report.charts import learning as charts
from tachylite.report.pages.rendering import describe_charts, environment, save_download, save_figures
from tachylite.report.parts import Card, Row, Section, Table
from tachylite.report.text import ABSENT, quantity
from tachylite.schemas import Measured
from tachylite.schemas.learning import FormulaTerm, Model, SymbolicFormula

_FIRST_INPUTS = 6
"""Shown of every learner's order."""

_SAME = "same"


def write_model_report(model: Model, folder: Path) -> Path:
    """Write the report of a model into a folder and return the path of its page.

    The folder gets `index.html` (self-contained, needs no network), `figures/*.png` and `model.json`, the card.
    """
    contents = _sections(model)
    shown = [chart for section in contents for chart in section.charts]
    folder.mkdir(parents=True, exist_ok=True)
    save_figures(shown, folder / "figures")
    download = save_download(
        folder, "model.json", "model card (JSON)", model.model_dump_json(indent=1), "application/json"
    )
    figures, payload = describe_charts(shown)
    payload |= {"scenes": [], "fileStem": f"model_{model.model_id}"}
    page = folder / "index.html"
    text = (
        environment()
        .get_template("model.html.j2")
        .render(
            model=model,
            cards=_cards(model),
            sections=contents,
            figures=figures,
            downloads=[download],
            payload=payload,
            expected=len(payload["plots"]),
            plotly=get_plotlyjs(),
            version=__version__,
        )
    )
    page.write_text(text, encoding="utf-8")
    return page


def _sections(model: Model) -> list[Section]:
    trends = model.trends
    formulas = [Section("Formulas", tables=(formula_table(model),))] if model.formulas else []
    found = [
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
    shown = [charts.anions(model)] if trends.anions else []
    if any(one.published is not None for one in trends.correlations):
        shown.append(charts.correlations(model))
    if len(trends.activation_energies_ev) > 1:
        shown.append(charts.activation_energies(model))
    tables = [correlation_table(model), *([_anion_table(model)] if trends.anions else [])]
    found.append(Section("The table itself", charts=tuple(shown), tables=tuple(tables)))
    return found


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
                        f"in the {one.level:.0%} interval",
                        quantity(one.coverage),
                        f"mean width {quantity(one.mean_width, digits=3)}",
                    )
                    for one in model.leading.coverage
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
    """Every learner on every split, the one that was kept first."""
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
        (entry.learner, f"{one.level:.0%}", quantity(one.coverage), quantity(one.mean_width, digits=3))
        for entry in model.learners
        for one in entry.coverage
    )
    return Table(
        "Intervals on held-out compositions",
        ("learner", "nominal", "covered", f"mean width ({charts.written_unit(model)})"),
        rows,
    )


def importance_table(model: Model) -> Table:
    """What the inputs that matter most do."""
    rows = tuple(
        (
            one.feature,
            quantity(one.permutation),
            quantity(one.shapley),
            ABSENT if one.direction is None else quantity(one.direction, digits=2),
        )
        for one in model.leading.importances[: charts.MOST_INPUTS]
    )
    return Table("Most important inputs", ("input", "rise of RMSE", "mean |Shapley|", "direction"), rows)


def order_table(model: Model) -> Table:
    """The inputs that every learner looks at most, in their order by permutation, beside the published one."""
    orders = {entry.learner: [one.feature for one in entry.importances] for entry in model.learners}
    if model.trends.published_first:
        orders["boosting, Zheng et al. 2024"] = model.trends.published_first
    rows = tuple(
        (str(place + 1), *(order[place] if place < len(order) else ABSENT for order in orders.values()))
        for place in range(_FIRST_INPUTS)
    )
    return Table("Order of importance, by learner", ("place", *orders), rows)


def formula_table(model: Model) -> Table:
    """The formulas of SISSO, the one with the least error on held-out compositions first."""
    rows = tuple(
        (
            f"{one.target} = {short_formula(one)}",
            str(one.rung),
            str(one.dimension),
            f"{one.rmse:.4f}",
            ABSENT if one.held_out_rmse is None else f"{one.held_out_rmse:.4f}",
        )
        for one in model.formulas
    )
    columns = ("formula", "rung", "terms", "RMSE", "RMSE, held-out compositions")
    return Table(f"Formulas for {model.formulas[0].target}", columns, rows)


def short_formula(one: SymbolicFormula) -> str:
    """The formula with four digits, for reading."""
    terms = [
        f"{'−' if term.coefficient < 0 else '+'} {abs(term.coefficient):.4g} {_factor(term)}" for term in one.terms
    ]
    return " ".join([f"{one.intercept:.4g}".replace("-", "−"), *terms])


def _factor(term: FormulaTerm) -> str:
    words = term.descriptor.replace("np.", "").replace("**", "^")
    return words if words.replace("_", "").isalnum() else f"({words})"


def correlation_table(model: Model) -> Table:
    """Pearson's r of every descriptor, and whether its sign is the published one; undecided within two errors of 0."""
    here = f"Pearson's r at {model.trends.temperature_k:g} K"
    known = [one for one in model.trends.correlations if one.published is not None]
    if not known:
        rows = tuple((one.feature, quantity(one.pearson)) for one in model.trends.correlations)
        return Table(here, ("descriptor", "r"), rows)
    compared = tuple(
        (one.feature, quantity(one.pearson), *_compared(one.pearson, one.published))
        for one in model.trends.correlations
    )
    same = sum(verdict == _SAME for *_, verdict in compared)
    return Table(
        f"{here}: {same} of {len(known)} signs as published",
        ("descriptor", "r", "published", "sign"),
        compared,
    )


def _compared(here: Measured, published: float | None) -> tuple[str, str]:
    if published is None:
        return ABSENT, ABSENT
    known = abs(here.value) > 2 * here.error
    verdict = _SAME if here.value * published > 0 else "differs" if known else "undecided"
    return f"{published:.2f}".replace("-", "−"), verdict


def _anion_table(model: Model) -> Table:
    rows = tuple(
        (one.anion, str(one.compositions), quantity(one.target), quantity(one.activation_energy_ev))
        for one in model.trends.anions
    )
    unit = f"{model.data.target} at {model.trends.temperature_k:g} K ({charts.written_unit(model)})"
    return Table("Anions", ("anion", "compositions", unit, "activation energy (eV)"), rows)
