"""VASP as an engine, through atomate2's input sets and custodian."""
