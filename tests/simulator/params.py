# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of a request, nested in brackets as Rails reads them: a[]=1, a[k]=1, a[][k]=1."""

from __future__ import annotations

import datetime
import email
import email.policy
import json
import re
import typing as t
import urllib.parse

from . import errors

Params = dict[str, t.Any]
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_FALSE = frozenset({"false", "f", "0", "no", "off"})
_TRUE = frozenset({"true", "t", "1", "yes", "on"})


def parse_query(text: str) -> Params:
    """Return the parameters of a query string or form body."""
    return _nested(urllib.parse.parse_qsl(text, keep_blank_values=True))


def _nested(pairs: t.Iterable[tuple[str, str]]) -> Params:
    params: Params = {}
    for key, value in pairs:
        head, bracket, rest = key.partition("[")
        _store(params, head, _BRACKETS.findall(bracket + rest), value)
    return params


def _store(into: Params, key: str, path: list[str], value: str) -> None:
    if not path:
        into[key] = value
        return
    if path[0] != "":
        inner = into.setdefault(key, {})
        if isinstance(inner, dict):
            _store(inner, path[0], path[1:], value)
        return
    rows = into.setdefault(key, [])
    if not isinstance(rows, list):
        return
    if len(path) == 1:
        rows.append(value)
        return
    # A repeated key begins the next entry of the list.
    if not rows or not isinstance(rows[-1], dict) or path[1] in rows[-1]:
        rows.append({})
    _store(rows[-1], path[1], path[2:], value)


def parse_body(body: bytes, content_type: str) -> Params:
    """Return the parameters of a request body.

    :raises ApiError: if the body is declared as JSON but invalid, or has an unsupported type.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return {}
    if kind == "application/json":
        try:
            data = json.loads(body)
        except ValueError:
            raise errors.invalid("message body does not match declared format") from None
        return data if isinstance(data, dict) else {}
    if kind in ("", "application/x-www-form-urlencoded"):
        return parse_query(body.decode("utf-8", "replace"))
    if kind == "multipart/form-data":
        return _nested(_parts(body, content_type))
    raise errors.ApiError(415, {"error": f"The provided content-type '{kind}' is not supported."})


def _parts(body: bytes, content_type: str) -> t.Iterator[tuple[str, str]]:
    """Yield the fields of a multipart form."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    for part in email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            yield name, value.decode("utf-8", "replace")


def integer(params: Params, name: str, default: int | None = None) -> int | None:
    """Return an integer parameter; a blank one counts as not set.

    :raises ApiError: if it is anything else.
    """
    value = params.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?[0-9]+", str(value)):
        raise errors.invalid(f"{name} is invalid")
    return int(value)


def boolean(params: Params, name: str, default: bool = False) -> bool:
    value = params.get(name)
    if value is None or value == "":
        return default
    text = str(value).lower()
    if text not in _TRUE | _FALSE:
        raise errors.invalid(f"{name} is invalid")
    return text in _TRUE


def moment(params: Params, name: str) -> datetime.datetime | None:
    """Return a time parameter in ISO 8601; a blank one counts as not set, and UTC is the default zone.

    :raises ApiError: if it is anything else.
    """
    value = params.get(name)
    if value is None or value == "":
        return None
    try:
        found = datetime.datetime.fromisoformat(str(value))
    except ValueError:
        raise errors.invalid(f"{name} is invalid") from None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
