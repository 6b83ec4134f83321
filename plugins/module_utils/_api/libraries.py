# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Guarded imports of all third-party libraries, so that every other file can be imported without them.

A missing library is None here. Using it raises a `MissingLibraryError` after the task has read its options.
"""

from __future__ import annotations

import contextlib
import json
import math
import typing as t

from .errors import MissingLibraryError


def marker_stand_in(project_name: str) -> t.Callable[..., t.Any]:
    """Return a marker that marks nothing, in place of pluggy's markers while pluggy is missing."""
    return lambda function=None, **options: (lambda decorated: decorated) if function is None else function


requests: t.Any
HTTPAdapter: t.Any
urllib3: t.Any
pluggy: t.Any
HookspecMarker: t.Any
HookimplMarker: t.Any
orjson: t.Any

try:
    import requests
    import urllib3

    HTTPAdapter = requests.adapters.HTTPAdapter
except ImportError:
    requests = None
    urllib3 = None
    HTTPAdapter = object

try:
    import pluggy

    HookspecMarker, HookimplMarker = pluggy.HookspecMarker, pluggy.HookimplMarker
except ImportError:
    pluggy = None
    HookspecMarker = HookimplMarker = marker_stand_in

try:
    import orjson
except ImportError:
    orjson = None


def requests_library() -> t.Any:
    return _installed(requests, "requests")


def pluggy_library() -> t.Any:
    return _installed(pluggy, "pluggy")


def _installed(library: t.Any, name: str) -> t.Any:
    if library is None:
        raise MissingLibraryError(name)
    return library


def does_urllib3_check_names() -> bool:
    """Return whether urllib3 itself checks the host name in a server's certificate, as before version 2."""
    return urllib3 is not None and str(urllib3.__version__).startswith("1.")


def fast_json_value(body: bytes) -> t.Any:
    """Return decoded JSON, by orjson if it is installed; if orjson rejects it, by the less strict standard library.

    :raises ValueError: if the JSON is invalid, such as NaN, or a number is too large.
    :raises RecursionError: if the JSON is very deep.
    """
    if orjson is not None:
        with contextlib.suppress(ValueError):
            return orjson.loads(body)
    return json.loads(body, parse_constant=_finite_number, parse_float=_finite_number)


def _finite_number(text: str) -> float:
    """Return a number in JSON.

    :raises ValueError: if it is NaN or Infinity, which JSON does not support, or too large for Python.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a JSON number")
    return number


def fast_json_text(value: t.Any) -> str | None:
    """Return a value as JSON, by orjson if it is installed, with non-ASCII characters unescaped.

    None if it contains a value that JSON does not support.
    """
    try:
        return json.dumps(value, ensure_ascii=False) if orjson is None else str(orjson.dumps(value), "utf-8")
    except (TypeError, ValueError):
        return None
