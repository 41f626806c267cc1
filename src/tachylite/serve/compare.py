"""Several materials side by side: the charts of the report with a curve for each, and a table of their numbers."""

from collections.abc import Sequence

from tachylite.report.charts import arrhenius, partial_rdfs
from tachylite.report.columns import cell_text, heading_of, key_cells
from tachylite.report.drawing.chart import Chart
from tachylite.report.drawing.style import series_token
from tachylite.report.parts import Table
from tachylite.report.text import ABSENT, heading, plain_formula, spaced
from tachylite.schemas import Material

MOST = 8
"""Materials that can be compared."""


def comparison(materials: Sequence[Material]) -> tuple[list[Chart], list[Table]]:
    """Charts of g(r) and of diffusivities, and tables of what the materials are and what their results gave."""
    names = labels(materials)
    charts = [*_pair_distributions(materials, names), *_diffusivities(materials, names)]
    return charts, [_what(materials, names), _numbers(materials, names)]


def labels(materials: Sequence[Material]) -> list[str]:
    """Names that tell the materials apart: their formulas, with the beginning of the id where these are equal."""
    formulas = [material.formula for material in materials]
    return [
        f"{plain_formula(m.formula)} {m.material_id[:6]}" if formulas.count(m.formula) > 1 else plain_formula(m.formula)
        for m in materials
    ]


def _pair_distributions(materials: Sequence[Material], names: Sequence[str]) -> list[Chart]:
    """g(r) of the last state of every material that was analysed."""
    analyses = []
    for number, (material, name) in enumerate(zip(materials, names, strict=True)):
        analysed = [result for result in material.results if result.measured_structure is not None]
        if analysed and analysed[-1].measured_structure is not None:
            label = f"{name}, {spaced(analysed[-1].title)}"
            analyses.append((label, series_token(number), analysed[-1].measured_structure))
    return [partial_rdfs(analyses)] if analyses else []


def _diffusivities(materials: Sequence[Material], names: Sequence[str]) -> list[Chart]:
    """D against 1000/T of every species of every material."""
    pairs = list(zip(materials, names, strict=True))
    measured = [
        entry.model_copy(update={"species": f"{entry.species} in {name}"})
        for material, name in pairs
        for result in material.results
        for entry in result.measured_diffusivities
    ]
    laws = [
        law.model_copy(update={"species": f"{law.species} in {name}"})
        for material, name in pairs
        for law in material.activations
    ]
    species = list(dict.fromkeys(entry.species for entry in measured))
    return [arrhenius(measured, laws, species)] if measured else []


def _what(materials: Sequence[Material], names: Sequence[str]) -> Table:
    lines: dict[str, list[str]] = {
        "status": [material.status for material in materials],
        "protocol": [material.protocol.name for material in materials],
        "engine": [material.provenance.engine for material in materials],
        "model": [material.provenance.model for material in materials],
        "atoms": [str(material.n_atoms) for material in materials],
        "pressure": [material.protocol.pressure for material in materials],
        "seed": [ABSENT if (seed := m.provenance.seed) is None else str(seed) for m in materials],
        "failures": [
            "; ".join(f"{spaced(f.stage)}: {f.reason}" for f in material.failures) or ABSENT for material in materials
        ],
    }
    return Table("What they are", ("", *names), tuple((label, *texts) for label, texts in lines.items()))


def _numbers(materials: Sequence[Material], names: Sequence[str]) -> Table:
    """The numbers that overviews show, a row for each quantity of each step."""
    rows: dict[str, dict[int, str]] = {}
    for number, material in enumerate(materials):
        for result in material.results:
            for cell in key_cells(result.model_dump()):
                label = f"{heading(spaced(result.title))}: {heading_of(cell)}"
                rows.setdefault(label, {})[number] = cell_text(cell)
    count = range(len(materials))
    return Table(
        "Results", ("", *names), tuple((label, *(by.get(n, ABSENT) for n in count)) for label, by in rows.items())
    )
