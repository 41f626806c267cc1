"""Names of what a user brings: `package.module:NAME`, or `FILE.py:NAME` with a path."""

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


def import_name(family: str, name: str, ways: str) -> Any:
    """Import what a name like `package.module:NAME` or `FILE.py:NAME` means.

    `family` and `ways` (how to give a name) are for messages. Raises InputError for a file or an attribute that is
    not there, and MissingPackageError for a module that cannot be imported.
    """
    module, _, attribute = name.rpartition(":")
    try:
        return getattr(_module(module), attribute)
    except ImportError as error:
        raise MissingPackageError(f"{family}:{name}: {error}; install its package with pip, or {ways}") from error
    except OSError as error:
        raise InputError(f"{family}:{name}: cannot read {module} ({error.strerror}); {ways}") from error
    except AttributeError as error:
        raise InputError(f"{family}:{name}: {module} has no {attribute}; {ways}") from error
    except Exception as error:  # a user's file fails in its own way
        raise InputError(f"{family}:{name}: {module} cannot be imported ({_said(error)})") from error


def build(family: str, name: str, maker: Callable[..., Any], ways: str, **options: Any) -> Any:
    """Call what makes a calculator or a model.

    Raises MissingPackageError where it needs a package that is not installed, and InputError where it fails.
    """
    try:
        return maker(**options)
    except ImportError as error:
        raise MissingPackageError(
            f"{family}:{name} needs a package that is not installed ({error}); install it with pip"
        ) from error
    except Exception as error:  # a constructor fails in its own way
        raise InputError(f"{family}:{name} cannot be made ({_said(error)}); {ways}") from error


def fingerprint(name: str, parameters: Mapping[str, Any]) -> str:
    """SHA-256 of what tells one import from another: its name, what it was made with, the file it comes from.

    A file counts by its content, not by its path; parameters that are no numbers or texts count by their type.
    """
    module, _, attribute = name.rpartition(":")
    content = Path(module).expanduser().read_bytes() if module.endswith(".py") else module.encode()
    values = json.dumps(dict(parameters), sort_keys=True, default=lambda value: type(value).__name__)
    return hashlib.sha256(b"\0".join([attribute.encode(), values.encode(), content])).hexdigest()


def _module(module: str) -> ModuleType:
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


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
