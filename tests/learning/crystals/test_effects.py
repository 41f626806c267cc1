"""Effects of the composition, on values made with known ones."""

import numpy as np

from tachylite.learning.crystals.effects import find_effects


def compounds(number: int) -> tuple[list[dict[str, float]], np.ndarray]:
    """Fractions, and chemical systems."""
    generator = np.random.default_rng(4)
    fractions = []
    for _ in range(number):
        cations = generator.choice(["Li", "Na", "Mg", "Al", "Ti", "Zr"], generator.integers(1, 4), replace=False)
        anion = generator.choice(["N", "S", "O", "F", "Cl"])
        amounts = generator.dirichlet(np.full(len(cations), 5)) * generator.uniform(0.3, 0.6)
        fractions.append({str(anion): 1 - amounts.sum()} | dict(zip(map(str, cations), amounts.tolist(), strict=True)))
    return fractions, np.array(["-".join(sorted(own)) for own in fractions])


def planted(own: dict[str, float]) -> float:
    alkali = own.get("Li", 0) + own.get("Na", 0)
    halogen = own.get("F", 0) + own.get("Cl", 0)
    return 0.1 + 0.06 * ("N" in own) + 0.03 * ("S" in own) - 0.1 * alkali - 0.2 * halogen - 0.004 * (len(own) - 1)


def test_planted_effects_are_found_together_and_lie_in_their_intervals() -> None:
    fractions, systems = compounds(600)
    values = np.array([planted(own) for own in fractions]) + np.random.default_rng(1).normal(scale=0.02, size=600)
    effects = {effect.name: effect for effect in find_effects(fractions, values, systems)}
    expected = {
        "nitride": 0.06,
        "sulfide": 0.03,
        "alkali metal, +10 %": -0.01,
        "halogen, +10 %": -0.02,
        "cation, +1": -0.004,
    }
    for name, value in expected.items():
        effect = effects[name]
        assert effect.together_interval.low - 0.002 < value < effect.together_interval.high + 0.002
        assert effect.together_interval.high - effect.together_interval.low < 0.02
    # alone, a nitride is also what is no halide
    assert effects["nitride"].alone > effects["nitride"].together + 0.03


def test_without_any_effect_intervals_hold_zero() -> None:
    fractions, systems = compounds(400)
    values = np.random.default_rng(8).normal(scale=0.05, size=400)
    covered = [
        interval.low < 0 < interval.high
        for effect in find_effects(fractions, values, systems)
        for interval in (effect.alone_interval, effect.together_interval)
    ]
    assert sum(covered) >= 8


def test_an_effect_that_no_crystal_has_is_zero() -> None:
    fractions = [{"Mg": 0.4 + 0.01 * i, "O": 0.6 - 0.01 * i} for i in range(10)]
    effects = {e.name: e for e in find_effects(fractions, np.arange(10.0), np.array([str(i) for i in range(10)]))}
    assert effects["nitride"].crystals == 0
    assert abs(effects["nitride"].alone) < 1e-9
