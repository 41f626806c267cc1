"""pw.x and pseudopotentials are found, and where they are not, one line says what was looked for and where."""

from pathlib import Path

import pytest

from tachylite.cli.doctor import check_espresso
from tachylite.engines import get_engine
from tachylite.engines.espresso.setup import (
    check_pseudopotentials,
    describe_pseudopotentials,
    pseudopotential,
    pseudopotential_folder,
    pw_command,
)
from tachylite.errors import InputError


def write_upf(folder: Path, name: str, functional: str = "PBE", projector: str = "1.0E+00 2.0E+00") -> None:
    text = f'<UPF version="2.0.1"><PP_HEADER functional="{functional}" z_valence="4.0"/>'
    (folder / name).write_text(f'{text}<PP_BETA.1 size="2">\n{projector}\n</PP_BETA.1></UPF>', encoding="utf-8")


def test_the_72_elements_of_the_published_set(pseudopotentials: Path) -> None:
    assert describe_pseudopotentials() == f"{pseudopotentials}: 72 elements"
    assert pseudopotential("Cu", pseudopotentials).name == "Cu_SG15.upf"
    assert pseudopotential("C", pseudopotentials).name == "C.upf"
    get_engine("espresso").check_elements(["Li", "P", "O"])
    with pytest.raises(InputError, match=r"^no pseudopotential of Ce, U in .*; choose another engine"):
        get_engine("espresso").check_elements(["U", "Ce", "O"])


def test_a_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ESPRESSO_PSEUDO", raising=False)
    monkeypatch.setenv("TACHYLITE_DATA", str(tmp_path))
    with pytest.raises(InputError, match=rf"ESPRESSO_PSEUDO are not set, and {tmp_path}/pseudopotentials is not there"):
        pseudopotential_folder()
    monkeypatch.setenv("ESPRESSO_PSEUDO", "nowhere")
    with pytest.raises(InputError, match=r"ESPRESSO_PSEUDO=nowhere is not a folder"):
        pseudopotential_folder()
    assert pseudopotential_folder(str(tmp_path)) == tmp_path


def test_a_program_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("TACHYLITE_PW_COMMAND", raising=False)
    with pytest.raises(InputError, match=r"'pw.x' \(no option command, no TACHYLITE_PW_COMMAND\) is not on the PATH"):
        pw_command()
    monkeypatch.setenv("TACHYLITE_PW_COMMAND", "srun pw.x")
    with pytest.raises(InputError, match=r"'srun pw.x' \(TACHYLITE_PW_COMMAND\) is not on the PATH"):
        pw_command()
    program, _ = check_espresso()
    assert (program.status, program.remedy.endswith("only for --engine espresso")) == ("optional", True)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("Si.upf", {"functional": "PBESOL"}, "is for PBESOL, and not for PBE"),
        ("Si.upf", {"projector": "0.0E+00 0.000E+00"}, "has a projector of zeros"),
        ("Si.upf", {"functional": " SLA  PW   PBX  PBC"}, None),
        ("Si.pbe-n.UPF", {}, None),
        ("Sn.upf", {}, "no pseudopotential of Si"),
    ],
)
def test_a_file_that_must_not_be_used_is_refused(
    tmp_path: Path, name: str, changes: dict[str, str], reason: str | None
) -> None:
    write_upf(tmp_path, name, **changes)
    if reason is None:
        assert pseudopotential("Si", tmp_path).name == name
        return
    with pytest.raises(InputError, match=reason):
        check_pseudopotentials(["Si"], tmp_path)


def test_several_files_of_one_element_are_ambiguous(tmp_path: Path) -> None:
    write_upf(tmp_path, "Si_a.upf")
    write_upf(tmp_path, "Si_b.upf")
    with pytest.raises(InputError, match=r"several pseudopotentials of Si in .*: Si_a.upf, Si_b.upf"):
        pseudopotential("Si", tmp_path)


def test_copper_of_pseudodojo_alone_is_refused(pseudopotentials: Path, tmp_path: Path) -> None:
    (tmp_path / "Cu.upf").write_bytes((pseudopotentials / "Cu.upf").read_bytes())
    with pytest.raises(InputError, match=r"gives volumes 2 % off .*put Cu_SG15.upf"):
        pseudopotential("Cu", tmp_path)
