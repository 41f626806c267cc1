"""Quantum ESPRESSO as an engine: its program pw.x, PBE and the pseudopotentials of PseudoDojo."""
