"""Importing a user's calculator or model by name: `package.module:NAME`, or `FILE.py:NAME` with a path."""

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tachylite.engines.workdir import content_key
from tachylite.errors import InputError, MissingPackageError


def import_object(family: str, name: str, usage: str) -> Any:
    """Import the object that `package.module:NAME` or `FILE.py:NAME` names.

    `family` and `usage` (how to give a name) are for messages. Raises InputError for a file or an attribute that does
    not exist, and MissingPackageError for a module that cannot be imported.
    """
    module, _, attribute = name.rpartition(":")
    try:
        return getattr(_import_module(module), attribute)
    except ImportError as error:
        raise MissingPackageError(f"{family}:{name}: {error}; install its package with pip, or {usage}") from error
    except OSError as error:
        raise InputError(f"{family}:{name}: cannot read {module} ({error.strerror}); {usage}") from error
    except AttributeError as error:
        raise InputError(f"{family}:{name}: {module} has no {attribute}; {usage}") from error
    except Exception as error:  # a user's file fails in its own way
        raise InputError(f"{family}:{name}: {module} cannot be imported ({_one_line(error)})") from error


def call_constructor(family: str, name: str, constructor: Callable[..., Any], usage: str, **options: Any) -> Any:
    """Call the class or function that makes a calculator or a model.

    `family`, `name` and `usage` are for messages. Raises MissingPackageError where it needs a package that is not
    installed, and InputError where it fails.
    """
    try:
        return constructor(**options)
    except ImportError as error:
        raise MissingPackageError(
            f"{family}:{name} needs a package that is not installed ({error}); install it with pip"
        ) from error
    except Exception as error:  # a constructor fails in its own way
        raise InputError(f"{family}:{name} cannot be made ({_one_line(error)}); {usage}") from error


def fingerprint(name: str, parameters: Mapping[str, Any]) -> str:
    """SHA-256 of an imported object: of its name, its parameters and the file it comes from.

    A file is hashed by its content, not by its path; parameters other than numbers and texts by their type.
    """
    module, _, attribute = name.rpartition(":")
    content = Path(module).expanduser().read_bytes() if module.endswith(".py") else module.encode()
    values = json.dumps(dict(parameters), sort_keys=True, default=lambda value: type(value).__name__)
    return hashlib.sha256(b"\0".join([attribute.encode(), values.encode(), content])).hexdigest()


def _import_module(module: str) -> ModuleType:
    if not module.endswith(".py"):
        return importlib.import_module(module)
    path = Path(module).expanduser().resolve()
    spec = importlib.util.spec_from_file_location(f"{path.stem}_{content_key(str(path))}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # dataclasses look their module up
    spec.loader.exec_module(loaded)
    return loaded


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
