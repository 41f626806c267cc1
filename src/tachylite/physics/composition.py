"""Chemical formulas: read them as a user writes them, and choose numbers of atoms."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import gcd, lcm

from ase.data import chemical_symbols

from tachylite.errors import InputError

_MAX_ATOMS = 100_000
SYMBOLS = frozenset(chemical_symbols[1:119])

_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_TOKEN = re.compile(r"(?P<symbol>[A-Z][a-z]?)|(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)|(?P<bracket>[()\[\]{}])")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_WINDOW = 0.1
_EXAMPLES = "like Li3PO4, (Li2S)3(P2S5) or Li0.75Si0.25"


@dataclass(frozen=True)
class Formula:
    """A composition as written, with exact amounts."""

    text: str
    amounts: Mapping[str, Fraction]
    """Amount of every element, in the order of the formula."""

    @cached_property
    def unit(self) -> dict[str, int]:
        """Atoms of the smallest whole formula unit: amounts scaled to integers without a common divisor."""
        scale = lcm(*(amount.denominator for amount in self.amounts.values()))
        counts = {symbol: int(amount * scale) for symbol, amount in self.amounts.items()}
        divisor = gcd(*counts.values())
        return {symbol: count // divisor for symbol, count in counts.items()}

    @property
    def fractions(self) -> dict[str, float]:
        """Atomic fractions; they sum to 1."""
        total = sum(self.amounts.values())
        return {symbol: float(amount / total) for symbol, amount in self.amounts.items()}

    @property
    def is_fractional(self) -> bool:
        """Whether an amount is not a whole number, as in Li0.75Si0.25."""
        return any(amount.denominator != 1 for amount in self.amounts.values())


@lru_cache(maxsize=65536)
def parse_formula(text: str) -> Formula:
    """Read a formula with element symbols, decimal amounts and any nesting of brackets.

    Blanks and the subscripts of Unicode are understood. Raises InputError for an empty formula, an unknown
    element, an amount of zero, a negative amount, brackets that do not match and anything else in the text.
    """
    tokens = list(_tokens(text))
    if not tokens:
        raise InputError(f"the formula is empty; write one {_EXAMPLES}")
    amounts = _read(text, tokens)
    zero = [symbol for symbol, amount in amounts.items() if amount == 0]
    if zero or not amounts:
        raise InputError(f"formula '{text}': no atoms of {', '.join(zero) or 'any element'}; amounts must be positive")
    return Formula(text=text.strip(), amounts=amounts)


def atom_counts(formula: Formula, target: int) -> dict[str, int]:
    """Choose numbers of atoms with N as near to `target` as whole formula units allow, at least one unit.

    Where amounts with decimals make a unit too large for N within 10 % of the target (Li0.333Si0.667), the
    nearest composition with N in that range is taken; `composition_deviation` gives its distance. Raises
    InputError for a target below 1 and for a unit of more than 100,000 atoms.
    """
    if target < 1:
        raise InputError(f"the number of atoms is {target}; it must be at least 1")
    unit = formula.unit
    size = sum(unit.values())
    units = max(1, round(target / size))
    if formula.is_fractional and abs(units * size - target) > _WINDOW * target and size > len(unit):
        return _nearest_counts(formula, target)
    if size > _MAX_ATOMS:
        raise InputError(f"formula '{formula.text}': one formula unit has {size} atoms, more than {_MAX_ATOMS}")
    return {symbol: units * count for symbol, count in unit.items()}


def composition_deviation(formula: Formula, counts: Mapping[str, int]) -> float:
    """Largest difference between an atomic fraction of `counts` and that of the formula; 0 where exact."""
    total = sum(counts.values())
    amount = sum(formula.amounts.values())
    return max(float(abs(Fraction(counts.get(s, 0), total) - a / amount)) for s, a in formula.amounts.items())


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    plain = re.sub(r"\s+", "", text.translate(_SUBSCRIPTS))
    position = 0
    while position < len(plain):
        match = _TOKEN.match(plain, position)
        if match is None or match.lastgroup is None:
            raise InputError(f"formula '{text}': cannot read '{plain[position:]}'; {_hint(plain[position])}")
        if match.lastgroup == "symbol" and match.group() not in SYMBOLS:
            raise InputError(f"formula '{text}': unknown element '{match.group()}'; write a formula {_EXAMPLES}")
        yield match.lastgroup, match.group()
        position = match.end()


def _hint(character: str) -> str:
    if character.islower():
        return "element symbols start with a capital letter"
    if character in "+-":
        return "amounts are positive, and charges or oxidation states are left out"
    return f"write a formula {_EXAMPLES}"


def _read(text: str, tokens: list[tuple[str, str]]) -> dict[str, Fraction]:
    """Add up the amounts of the elements.

    Every open bracket has a list on the stack: its elements and closed groups, the last of which may get a number.
    """
    stack: list[list[dict[str, Fraction]]] = [[]]
    opened: list[str] = []
    may_count = False
    for kind, token in tokens:
        if kind == "symbol":
            stack[-1].append({token: Fraction(1)})
        elif kind == "number":
            if not may_count:
                raise InputError(f"formula '{text}': the amount {token} follows no element; write one {_EXAMPLES}")
            stack[-1][-1] = {symbol: amount * Fraction(token) for symbol, amount in stack[-1][-1].items()}
        elif token in _CLOSING:
            opened.append(token)
            stack.append([])
        elif opened and _CLOSING[opened[-1]] == token and stack[-1]:
            opened.pop()
            group = _sum(stack.pop())
            stack[-1].append(group)
        else:
            raise InputError(f"formula '{text}': '{token}' closes nothing; brackets come in pairs around elements")
        may_count = kind == "symbol" or token in _CLOSING.values()
    if opened:
        raise InputError(f"formula '{text}': '{opened[-1]}' is not closed; brackets come in pairs around elements")
    return _sum(stack[0])


def _sum(parts: list[dict[str, Fraction]]) -> dict[str, Fraction]:
    total: dict[str, Fraction] = {}
    for part in parts:
        for symbol, amount in part.items():
            total[symbol] = total.get(symbol, Fraction(0)) + amount
    return total


def _nearest_counts(formula: Formula, target: int) -> dict[str, int]:
    """Numbers of atoms of least deviation from the formula, with N within 10 % of the target and then nearest to it."""
    low = max(len(formula.amounts), round(target * (1 - _WINDOW)))
    high = max(low, round(target * (1 + _WINDOW)))
    candidates = [_rounded(formula, total) for total in range(low, high + 1)]
    return min(candidates, key=lambda c: (composition_deviation(formula, c), abs(sum(c.values()) - target)))


def _rounded(formula: Formula, total: int) -> dict[str, int]:
    """Share `total` atoms by largest remainders, at least one of every element."""
    amount = sum(formula.amounts.values())
    exact = {symbol: a / amount * total for symbol, a in formula.amounts.items()}
    counts = {symbol: max(1, int(share)) for symbol, share in exact.items()}
    while (missing := total - sum(counts.values())) != 0:
        lag = {symbol: exact[symbol] - counts[symbol] for symbol in counts}
        if missing > 0:
            counts[max(lag, key=lag.__getitem__)] += 1
        else:
            counts[min((s for s in counts if counts[s] > 1), key=lag.__getitem__)] -= 1
    return counts
