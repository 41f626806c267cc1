"""Loading a potential with the terms that options of the engine add to it."""

import functools
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from tachylite.engines.potentials.dispersion_parameters import DAMPINGS, HEAVIEST, PACKAGE, damping_for
from tachylite.engines.potentials.functionals import functional_of
from tachylite.engines.potentials.loading import LoadedPotential, load_potential


def _check_dispersion(option: str) -> str:
    name, at, functional = option.partition("@")
    if name != "d3" or (at and functional.lower() not in {known.lower() for known in DAMPINGS}):
        forms = f"'d3', or 'd3@FUNCTIONAL' with one of {', '.join(DAMPINGS)}"
        raise PydanticCustomError("dispersion", "must be {forms}", {"forms": forms})
    return option


type Dispersion = Annotated[str, AfterValidator(_check_dispersion)]
"""`d3`, or `d3@FUNCTIONAL` for a model whose functional is not known."""

type Repulsion = Literal["zbl"]


@functools.cache
def load_corrected(
    family: str, model: str | None, device: str, repulsion: Repulsion | None, dispersion: Dispersion | None
) -> LoadedPotential:
    """Load a potential and add the repulsion of nuclei and dispersion, where asked for; once in a process.

    Dispersion is another level of theory, so the name of the model says `+d3` then. Raises as `load_potential`,
    InputError for a model that has dispersion already or whose functional is not known, and MissingPackageError.
    """
    loaded = load_potential(family, model, device)
    if repulsion is not None:
        from tachylite.engines.potentials.zbl import with_zbl

        loaded = loaded.corrected(with_zbl)
    if dispersion is not None:
        from tachylite.engines.potentials.dispersion import with_dispersion

        damping = damping_for(functional_of(family, loaded.name), dispersion.partition("@")[2] or None, loaded.name)
        loaded = replace(
            loaded.corrected(functools.partial(with_dispersion, damping=damping)),
            name=f"{loaded.name}+d3",
            elements=frozenset(number for number in loaded.elements if number <= HEAVIEST),
            packages=(*loaded.packages, PACKAGE),
        )
    return loaded
