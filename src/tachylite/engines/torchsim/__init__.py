"""The engine of learned potentials: molecular dynamics of whole cohorts as one batch."""
