# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""How values become parts of a URL or of a body: paths quoted once, arrays with `[]`, booleans in lower case."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import quote, urlencode

# What stays readable in a path segment. GitLab's own clients leave these alone, too.
_SAFE_IN_SEGMENT = "-._~"
# Refs and artifact paths may contain raw slashes: their routes take the rest of the path.
_SAFE_IN_REST = _SAFE_IN_SEGMENT + "/"


def quote_segment(value: object) -> str:
    """Return one path segment, quoted exactly once; a slash becomes %2F.

    :raises ValueError: for a value that no path can carry.
    """
    return _quote(str(value), _SAFE_IN_SEGMENT)


def quote_rest(value: object) -> str:
    """Return the value for a part of the path that may hold slashes (a ref or the path of an artifact).

    :raises ValueError: for a value that no path can carry.
    """
    return _quote(str(value), _SAFE_IN_REST)


def _quote(text: str, safe: str) -> str:
    # surrogateescape: what Python could not read as UTF-8, such as the name of a file, is sent as it was
    quoted = quote(text, safe=safe, errors="surrogateescape")
    # not even when it is encoded does a dot stand for itself there: libraries and proxies resolve it
    if not {".", ".."}.isdisjoint(quoted.split("/")):
        raise ValueError("a part of a path cannot be . or ..")
    return quoted


def to_text(value: object) -> str:
    """Return a scalar as GitLab's parameter parser reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def query_string(pairs: t.Iterable[tuple[str, object]]) -> str:
    """Return a query string; a list is sent as repeated `name[]`, None is left out.

    :raises ValueError: for half a character, which no encoding has.
    """
    flat: list[tuple[str, str]] = []
    for name, value in pairs:
        if isinstance(value, (list, tuple)):
            flat.extend((f"{name}[]", to_text(item)) for item in value)
        elif value is not None:
            flat.append((name, to_text(value)))
    return urlencode(flat, errors="surrogateescape")


def json_body(fields: t.Mapping[str, object]) -> bytes | None:
    """Return the JSON body of a write, None when there is nothing to send."""
    present = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(present, default=str).encode("utf-8") if present else None
