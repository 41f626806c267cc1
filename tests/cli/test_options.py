"""Walltimes and options as people write them."""

import pytest

from tachylite.cli.options import parse_options, parse_walltime
from tachylite.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h30m", 9000),
        ("90m", 5400),
        ("45s", 45),
        ("1d12h", 129600),
        ("02:30:00", 9000),
        ("36:00:00", 129600),
        ("1-12:00:00", 129600),
        ("3600", 3600),
        (" 2H ", 7200),
    ],
)
def test_walltimes(text: str, seconds: float) -> None:
    assert parse_walltime(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0:00:00", "30:00", "2.5h", "-5", "1h2d", "soon", "h", "1:2:3", "1e3"])
def test_what_is_no_walltime_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a time; write 2h30m, 02:30:00"):
        parse_walltime(text)


def test_options_nest_by_dots() -> None:
    words = ["repulsion=zbl", "guards.temperature_factor=4", "guards.energy_jump_ev=inf", "model=a=b.pt"]
    assert parse_options(words) == {
        "repulsion": "zbl",
        "guards": {"temperature_factor": "4", "energy_jump_ev": "inf"},
        "model": "a=b.pt",
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["repulsion"], "'repulsion' is not KEY=VALUE"),
        (["=zbl"], "'=zbl' is not KEY=VALUE"),
        (["guards.=4"], "'guards.=4' is not KEY=VALUE"),
        (["a=1", "a=2"], "a is given twice"),
        (["a=1", "a.b=2"], "a has a value already"),
        (["a.b=2", "a=1"], "a is given twice"),
    ],
)
def test_what_is_no_option_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_options(words)
