"""Settings of a store in jobflow's format: checks, a test connection, and error messages without secrets."""

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from jobflow import JobStore
from maggma.core import Store

from tachylite.errors import InputError

_DEPRECATED = {"MongoURIStore": "MongoStore", "GridFSURIStore": "GridFSStore"}
_PROBE_TIMEOUT_MS = 4000
_LONGEST_REASON = 200
_BUCKET_PROBLEMS = {
    403: "the key may not use bucket {}; check key, secret and permissions",
    404: "there is no bucket {}; make it first",
}
"""Messages by the HTTP status with which a bucket answers."""


def check_settings(spec: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Check settings that jobflow would only find wrong when the first results are stored; raises InputError."""
    unknown = spec.keys() - {"docs_store", "additional_stores"}
    additional = spec.get("additional_stores")
    if "docs_store" not in spec:
        raise InputError(f"{source} has no docs_store, where documents go")
    if unknown:
        raise InputError(f"{source} has an unknown key '{min(unknown)}'; allowed: docs_store, additional_stores")
    if not isinstance(additional, Mapping) or "data" not in additional:
        raise InputError(f"{source} has no additional_stores with `data`, where trajectories go")
    return {
        "docs_store": _check_part(spec["docs_store"], f"{source}: docs_store"),
        "additional_stores": {
            name: _check_part(info, f"{source}: additional_stores.{name}") for name, info in additional.items()
        },
    }


def _check_part(info: Any, source: str) -> dict[str, Any]:
    if not isinstance(info, Mapping) or "type" not in info:
        raise InputError(f"{source} needs a `type`, like MongoStore")
    type_name = _DEPRECATED.get(info["type"], info["type"])
    if type_name not in _store_classes():
        examples = "MongoStore, GridFSStore, S3Store, ..."
        raise InputError(f"{source} has the unknown type '{type_name}'; known are {examples}")
    checked = {**info, "type": type_name}
    if type_name != info["type"]:
        checked.setdefault("database", None)
    for name, value in info.items():
        if isinstance(value, Mapping) and "type" in value:
            checked[name] = _check_part(value, f"{source}.{name}")
    return checked


def _store_classes() -> dict[str, type]:
    classes: list[type] = [Store]
    for store_class in classes:
        classes += store_class.__subclasses__()
    return {store_class.__name__: store_class for store_class in classes}


def probe(info: Mapping[str, Any], source: str) -> None:
    """Try to read from one part of a store; raises InputError, without secrets, where that fails."""
    try:
        part = JobStore.from_dict_spec({"docs_store": _with_short_timeouts(info)}).docs_store
        try:
            part.connect()
            part.query_one(properties=["_id"])
        finally:
            # closing what was never connected raises
            with suppress(Exception):
                part.close()
    # whatever a store class raises means that this store cannot be used
    except Exception as error:
        raise InputError(f"{source}{_address(info)} cannot be opened: {without_secrets(error, info)}") from None


def _with_short_timeouts(info: Mapping[str, Any]) -> dict[str, Any]:
    """Copy of settings with short time limits for every client of MongoDB and S3."""
    copy = {name: _with_short_timeouts(value) if isinstance(value, Mapping) else value for name, value in info.items()}
    parameters = inspect.signature(_store_classes().get(str(info.get("type")), object)).parameters
    if "mongoclient_kwargs" in parameters:
        limits = {"serverSelectionTimeoutMS": _PROBE_TIMEOUT_MS, "connectTimeoutMS": _PROBE_TIMEOUT_MS}
        copy["mongoclient_kwargs"] = {**copy.get("mongoclient_kwargs", {}), **limits}
    if "s3_resource_kwargs" in parameters:
        seconds = _PROBE_TIMEOUT_MS / 1000
        config = Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1})
        copy["s3_resource_kwargs"] = {**copy.get("s3_resource_kwargs", {}), "config": config}
    return copy


def _all_settings(info: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in info.items():
        yield name, value
        if isinstance(value, Mapping):
            yield from _all_settings(value)


def _address(info: Mapping[str, Any]) -> str:
    if place := info.get("uri") or info.get("endpoint_url"):
        return f" at {str(place).rpartition('@')[2].rpartition('://')[2].partition('/')[0]}"
    return f" at {info['host']}:{info.get('port', 27017)}" if "host" in info else ""


def without_secrets(error: Exception, info: Mapping[str, Any]) -> str:
    """Message of an error in one line, with passwords and keys of the settings replaced."""
    if isinstance(error.__context__, ClientError):
        # maggma calls every bucket that it may not use absent
        status = error.__context__.response["ResponseMetadata"]["HTTPStatusCode"]
        bucket = next((value for name, value in _all_settings(info) if name == "bucket"), "")
        return _BUCKET_PROBLEMS.get(status, "bucket {} answers with status {}").format(bucket, status)
    text = re.split(r" \(configured timeouts|, Timeout: |, full error: ", str(error))[0]
    text = " ".join(text.split())
    for name, value in _all_settings(info):
        if name == "uri" or (name == "endpoint_url" and "@" in str(value)):
            user_and_password = str(value).partition("://")[2].rpartition("@")[0]
            secrets = [str(value), user_and_password, user_and_password.partition(":")[2]]
        else:
            secrets = [str(value)] if re.search("pass|secret|token|key_id", name, re.IGNORECASE) else []
        for secret in secrets:
            if secret:
                text = text.replace(secret, "***")
    return f"{type(error).__name__}: {text[:_LONGEST_REASON]}"
