"""VASP's files, as the stand-in reads and writes them."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from tachylite.arrays import Array

VERSION = "6.stand-in"


ELECTRONS = """  <eigenvalues>
   <array>
    <field>eigene</field>
    <field>occ</field>
    <set><set comment='spin 1'><set comment='kpoint 1'><r> -5.0 1.0 </r><r> 5.0 0.0 </r></set></set></set>
   </array>
  </eigenvalues>
  <dos>
   <i name='efermi'> 0.0 </i>
   <total><array><field>energy</field><field>total</field><field>integrated</field>
    <set><set comment='spin 1'><r> -5.0 1.0 1.0 </r><r> 5.0 0.0 1.0 </r></set></set></array></total>
  </dos>
"""
"""One band full and one empty: parsers ask for them, this project does not."""


def refuse(words: str) -> NoReturn:
    """Say why, and end as VASP does."""
    print(f" ERROR: {words}", flush=True)  # noqa: T201 - as VASP does
    sys.exit(1)


@dataclass(frozen=True)
class Inputs:
    """What the four files say."""

    incar: dict[str, str]
    elements: list[str]
    counts: list[int]
    cell: Array
    scaled: Array
    velocities: Array | None
    """In A/fs."""
    mesh: tuple[int, int, int]
    potcars: list[str]
    """Titles."""

    @property
    def symbols(self) -> list[str]:
        return [e for e, n in zip(self.elements, self.counts, strict=True) for _ in range(n)]


def read_inputs(folder: Path) -> Inputs:
    for name in ("INCAR", "POSCAR", "KPOINTS", "POTCAR"):
        if not (folder / name).exists():
            refuse(f"could not find or open the file {name}")
    incar = _incar((folder / "INCAR").read_text(encoding="utf-8"))
    elements, counts, cell, scaled, velocities = _poscar((folder / "POSCAR").read_text(encoding="utf-8"))
    titles = [
        line.split("=")[1].strip()
        for line in (folder / "POTCAR").read_text(encoding="utf-8").splitlines()
        if line.strip().startswith("TITEL")
    ]
    mesh = _mesh((folder / "KPOINTS").read_text(encoding="utf-8"))
    inputs = Inputs(incar, elements, counts, cell, scaled, velocities, mesh, titles)
    _check(inputs)
    return inputs


def _incar(text: str) -> dict[str, str]:
    incar = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        if not equals:
            refuse(f"reading item {line.strip()!r} from file INCAR")
        incar[key.strip()] = value.strip()
    return incar


def _poscar(text: str) -> tuple[list[str], list[int], Array, Array, Array | None]:
    lines = text.splitlines()
    cell = np.array([line.split() for line in lines[2:5]], dtype=float) * float(lines[1])
    elements, counts = lines[5].split(), [int(word) for word in lines[6].split()]
    n = sum(counts)
    scaled = np.array([line.split()[:3] for line in lines[8 : 8 + n]], dtype=float)
    if lines[7].strip().lower()[0] in "ck":
        scaled = scaled @ np.linalg.inv(cell)
    rows = lines[9 + n : 9 + 2 * n]
    return elements, counts, cell, scaled, np.array([row.split() for row in rows], dtype=float) if rows else None


def _mesh(text: str) -> tuple[int, int, int]:
    lines = text.splitlines()
    if lines[1].strip() != "0" or lines[2].strip()[:1].lower() not in {"g", "m"}:
        refuse("KPOINTS is not a mesh that this stand-in knows")
    first, second, third = (int(word) for word in lines[3].split())
    return first, second, third


def _check(inputs: Inputs) -> None:
    incar = inputs.incar
    named = [title.split()[1].partition("_")[0] for title in inputs.potcars]
    if named != inputs.elements:
        refuse(f"the POTCARs are of {named}, the POSCAR of {inputs.elements}")
    if np.linalg.det(inputs.cell) <= 0:
        refuse("the triple product of the basis vectors is negative, exchange two basis vectors")
    if incar.get("ISMEAR") == "-5" and np.prod(inputs.mesh) < 4:
        refuse("Tetrahedron method fails (number of k-points < 4)")
    for key in ("LDAUU", "LDAUL", "LDAUJ", "LANGEVIN_GAMMA"):
        if key in incar and len(incar[key].split()) != len(inputs.elements):
            refuse(f"expected {len(inputs.elements)} values of {key}, found {incar[key]}")
    moments = sum(int(w.split("*")[0]) if "*" in w else 1 for w in incar.get("MAGMOM", "").split())
    if moments and moments != len(inputs.symbols):
        refuse(f"expected {len(inputs.symbols)} values of MAGMOM, found {moments}")
    if incar.get("MDALGO") == "3" and "LANGEVIN_GAMMA" not in incar:
        refuse("MDALGO = 3 needs LANGEVIN_GAMMA")
    if incar.get("IBRION") == "0" and "POTIM" not in incar:
        refuse("IBRION = 0 needs POTIM")


def rows(values: Array, tag: str = "v") -> str:
    return "".join(f"    <{tag}>{' '.join(f'{x:16.8f}' for x in row)} </{tag}>\n" for row in values)


def varray(name: str, values: Array) -> str:
    return f"   <varray name='{name}' >\n{rows(values)}   </varray>\n"


class Writer:
    """Writes step after step, each to the disk at once."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.xml = Path("vasprun.xml").open("w", encoding="utf-8")  # noqa: SIM115 - open until the program ends
        self.count = 0
        for name in ("OUTCAR", "OSZICAR", "XDATCAR", "CONTCAR"):
            Path(name).write_text("", encoding="utf-8")
        self._add(
            "OUTCAR",
            f" vasp.{VERSION}\n running on    1 total cores\n   number of bands    NBANDS=      1\n"
            f"   total plane-waves  NPLWV =   1000\n   IBRION = {inputs.incar.get('IBRION', '-1'):>6}\n"
            f"   NIONS = {len(inputs.symbols)}\n   NELECT =    {len(inputs.symbols)}.0\n",
        )
        self._add("XDATCAR", self._head(inputs.cell))
        self._xml(self._header())

    def _add(self, name: str, text: str) -> None:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(text)

    def _xml(self, text: str) -> None:
        self.xml.write(text)
        self.xml.flush()

    def _head(self, cell: Array) -> str:
        vectors = "".join(f"  {a:20.16f}  {b:20.16f}  {c:20.16f}\n" for a, b, c in cell)
        names = "  ".join(self.inputs.elements)
        return f"stand-in\n 1.0\n{vectors}   {names}\n   {'  '.join(map(str, self.inputs.counts))}\n"

    def _header(self) -> str:
        inputs = self.inputs
        given = "".join(_entry(key, value) for key, value in inputs.incar.items())
        defaults = {"NELM": "60", "NSW": "0", "IBRION": "-1", "ISPIN": "1", "ISMEAR": "1", "NELMIN": "2"}
        defaults |= {"AEXX": "0.0", "HFSCREEN": "0.0", "LHFCALC": "False", "GGA": "--", "LDAU": "False", "LORBIT": "0"}
        defaults["NELECT"] = f"{11.0 * len(inputs.symbols)}"
        parameters = "".join(_entry(key, inputs.incar.get(key, value)) for key, value in defaults.items())
        parameters += "".join(_entry(k, v) for k, v in inputs.incar.items() if k not in defaults)
        atoms = "".join(
            f"    <rc><c>{symbol}</c><c>   {inputs.elements.index(symbol) + 1}</c></rc>\n" for symbol in inputs.symbols
        )
        types = "".join(
            f"    <rc><c>{n}</c><c>{e}</c><c>  50.0</c><c>  11.0</c><c>  {title} </c></rc>\n"
            for e, n, title in zip(inputs.elements, inputs.counts, inputs.potcars, strict=True)
        )
        mesh = " ".join(map(str, inputs.mesh))
        return (
            f"<?xml version='1.0' encoding='ISO-8859-1'?>\n<modeling>\n <generator>\n"
            f"  <i name='program' type='string'>vasp </i>\n  <i name='version' type='string'>{VERSION}  </i>\n"
            f"  <i name='platform' type='string'>none </i>\n  <i name='date' type='string'>2026 01 01 </i>\n"
            f"  <i name='time' type='string'>00:00:00 </i>\n </generator>\n"
            f" <incar>\n{given} </incar>\n <kpoints>\n  <generation param='Gamma'>\n"
            f"   <v type='int' name='divisions'> {mesh} </v>\n   <v name='usershift'> 0.0 0.0 0.0 </v>\n"
            f"   <v name='genvec1'> 1.0 0.0 0.0 </v>\n   <v name='genvec2'> 0.0 1.0 0.0 </v>\n"
            f"   <v name='genvec3'> 0.0 0.0 1.0 </v>\n   <v name='shift'> 0.0 0.0 0.0 </v>\n  </generation>\n"
            f"{varray('kpointlist', np.zeros((1, 3)))}  <varray name='weights' >\n   <v> 1.0 </v>\n  </varray>\n"
            f" </kpoints>\n <parameters>\n{parameters} </parameters>\n <atominfo>\n"
            f"  <atoms> {len(inputs.symbols)} </atoms>\n  <types> {len(inputs.elements)} </types>\n"
            f"  <array name='atoms' >\n   <set>\n{atoms}   </set>\n  </array>\n"
            f"  <array name='atomtypes' >\n   <set>\n{types}   </set>\n  </array>\n </atominfo>\n"
            f"{self._structure(inputs.scaled, inputs.cell, 'initialpos')}"
        )

    def _structure(self, scaled: Array, cell: Array, name: str = "") -> str:
        volume = abs(np.linalg.det(cell))
        return (
            f"  <structure{f' name={name!r}' if name else ''} >\n   <crystal>\n{varray('basis', cell)}"
            f"    <i name='volume'> {volume:.8f} </i>\n{varray('rec_basis', np.linalg.inv(cell).T)}   </crystal>\n"
            f"{varray('positions', scaled)}  </structure>\n"
        )

    def half_a_step(self) -> None:
        self._xml(" <calculation>\n  <scstep>\n   <energy>\n    <i name='e_fr_ene")

    def step(
        self,
        *,
        scaled: Array,
        cell: Array,
        energy_ev: float,
        forces: Array,
        stress_kbar: Array,
        kinetic_ev: float,
        temperature_k: float,
        electronic_steps: int,
    ) -> None:
        self.count += 1
        energies = "".join(
            f"    <i name='{n}'> {energy_ev:.8f} </i>\n" for n in ("e_fr_energy", "e_wo_entrp", "e_0_energy")
        )
        motion = {"kinetic": kinetic_ev, "lattice kinetic": 0.0, "nosepot": 0.0, "nosekinetic": 0.0}
        motion["total"] = energy_ev + kinetic_ev
        total = "".join(f"    <i name='{name}'> {value:.8f} </i>\n" for name, value in motion.items())
        scstep = f"  <scstep>\n   <energy>\n{energies}   </energy>\n  </scstep>\n"
        self._xml(
            f" <calculation>\n{scstep * electronic_steps}{self._structure(scaled, cell)}{varray('forces', forces)}"
            f"{varray('stress', stress_kbar)}  <energy>\n{energies}{total}  </energy>\n{ELECTRONS} </calculation>\n"
        )
        electronic = "       N       E                     dE\n" + "".join(
            f"DAV: {i + 1:3d}    {energy_ev:18.12E}   0.00000E+00\n" for i in range(electronic_steps)
        )
        end = f"{self.count:4d} F= {energy_ev:.8E} E0= {energy_ev:.8E}  d E =0.0\n"
        if self.inputs.incar.get("IBRION") == "0":
            end = (
                f"{self.count:4d} T= {temperature_k:5.0f}. E= {energy_ev + kinetic_ev:.8E} F= {energy_ev:.8E} "
                f"E0= {energy_ev:.8E}  EK= {kinetic_ev:.5E} SP= 0.00E+00 SK= 0.00E+00\n"
            )
        self._add("OSZICAR", electronic + end)
        self._add(
            "XDATCAR",
            f"Direct configuration= {self.count:5d}\n" + "".join(f" {a:.8f} {b:.8f} {c:.8f}\n" for a, b, c in scaled),
        )
        six = " ".join(f"{stress_kbar[i, j]:11.5f}" for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0)))
        self._add(
            "OUTCAR",
            f"--------- Iteration {self.count:6d}({electronic_steps:4d})  ---------\n"
            f"  in kB  {six}\n  external pressure = {np.trace(stress_kbar) / 3:11.2f} kB  Pullay stress = 0.00 kB\n"
            f"  free  energy   TOTEN  = {energy_ev:18.8f} eV\n"
            f"  energy  without entropy= {energy_ev:15.8f}  energy(sigma->0) = {energy_ev:15.8f}\n"
            f"     LOOP+:  cpu time    0.0100: real time    0.0100\n",
        )

    def contcar(self, scaled: Array, cell: Array, velocities: Array | None) -> None:
        text = self._head(cell) + "Direct\n" + "".join(f" {a:19.16f} {b:19.16f} {c:19.16f}\n" for a, b, c in scaled)
        moving = np.zeros_like(scaled) if velocities is None else velocities
        text += "\n" + "".join(f" {a: .8E} {b: .8E} {c: .8E}\n" for a, b, c in moving)
        Path("CONTCAR").write_text(text, encoding="utf-8")

    def end(self, scaled: Array, cell: Array, arrived: bool) -> None:
        self._xml(f"{self._structure(scaled, cell, 'finalpos')}</modeling>\n")
        if arrived:
            words = " reached required accuracy - stopping structural energy minimisation\n"
            self._add("OUTCAR", words)
            print(words, flush=True)  # noqa: T201 - as VASP does
        self._add(
            "OUTCAR", " General timing and accounting informations for this job:\n   Total CPU time used (sec): 0.1\n"
        )


def _entry(key: str, value: str) -> str:
    """An entry of <incar> or <parameters>, with the type that VASP gives it."""
    if value in {"True", "False", ".TRUE.", ".FALSE."}:
        return f"  <i type='logical' name='{key}'> {'T' if 'T' in value else 'F'} </i>\n"
    words = value.split()
    if len(words) > 1 or "*" in value:
        expanded = [w.split("*")[1] for w in words for _ in range(int(w.split("*")[0]))] if "*" in value else words
        return f"  <v name='{key}'> {' '.join(expanded)} </v>\n"
    try:
        int(value)
    except ValueError:
        try:
            float(value)
        except ValueError:
            return f"  <i type='string' name='{key}'>{value} </i>\n"
        return f"  <i name='{key}'> {value} </i>\n"
    return f"  <i type='int' name='{key}'> {value} </i>\n"
