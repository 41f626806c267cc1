"""Errors that a user can mend: one line, naming the value and the way out."""


class InputError(ValueError):
    """A request that cannot be carried out as it stands; the command line exits with code 2."""


class MissingPackageError(InputError):
    """An optional program or package is not installed; the message says which command brings it."""


class OutOfTimeError(RuntimeError):
    """The walltime is used up; what is done is saved, and asking again for the same thing continues it."""
