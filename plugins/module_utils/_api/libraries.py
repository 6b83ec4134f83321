# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The one place where third-party libraries are imported, guarded, so that every other file imports without them.

A library that is missing is None here. Using it is a `MissingLibraryError`, which a task raises after its options were
read.
"""

from __future__ import annotations

import contextlib
import json
import math
import typing as t

from .errors import MissingLibraryError


def marker_stand_in(project_name: str) -> t.Callable[..., t.Any]:
    """Return what takes the place of pluggy's markers while pluggy is missing: it marks nothing."""
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
    """Return whether urllib3 compares the name in a server's certificate by itself, as it did before version 2."""
    return urllib3 is not None and str(urllib3.__version__).startswith("1.")


def fast_json_value(body: bytes) -> t.Any:
    """Return what JSON holds, by orjson where it is installed; the standard library, less strict, has the last word.

    :raises ValueError: for what is no JSON, such as NaN, and for a number that is too large.
    :raises RecursionError: for JSON that is very deep.
    """
    if orjson is not None:
        with contextlib.suppress(ValueError):
            return orjson.loads(body)
    return json.loads(body, parse_constant=_finite_number, parse_float=_finite_number)


def _finite_number(text: str) -> float:
    """Return the number that JSON holds.

    :raises ValueError: for NaN and Infinity, which JSON has not, and for what is as good as infinite.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


def fast_json_text(value: t.Any) -> str | None:
    """Return a value as JSON, by orjson where it is installed; characters outside of ASCII stay as they are.

    None when it holds something that JSON has not.
    """
    try:
        return json.dumps(value, ensure_ascii=False) if orjson is None else str(orjson.dumps(value), "utf-8")
    except (TypeError, ValueError):
        return None
