# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""One row of the catalogue, and how a row and arguments become a request."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from urllib.parse import quote, urlencode

from .errors import UsageError
from .http import Request

Place = t.Literal["segment", "rest", "query", "body"]
Answer = t.Literal["record", "records", "text", "bytes", "nothing"]
Paging = t.Literal["", "offset", "keyset"]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One argument of an endpoint.

    :param name: keyword argument of `ApiClient.call`.
    :param place: `segment` is one quoted path segment, `rest` may hold slashes, `query` and `body` speak
        for themselves.
    :param sent_as: the names on the wire; several where servers disagree about the name and ignore unknown ones.
    """

    name: str
    place: Place
    sent_as: tuple[str, ...] = ()
    is_required: bool = False

    @property
    def wire_names(self) -> tuple[str, ...]:
        """Return the names under which the value is sent."""
        return self.sent_as or (self.name,)


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One documented operation of GitLab's REST API.

    :param name: what `ApiClient.call` and `ApiClient.iterate` know it by.
    :param path: below `/api/v4`, with the names of `segment` and `rest` parameters in braces.
    :param answer: what a successful answer holds.
    :param paginated: how its pages are walked; empty when there are none.
    :param shape: fields that every record of an answer has, with their types: what lacks one is not from GitLab.
    :param repeatable: whether sending it twice does no more than sending it once.
    :param doc_url: the page of GitLab's manual.
    """

    name: str
    method: str
    path: str
    params: tuple[Parameter, ...] = ()
    ok_statuses: tuple[int, ...] = (200,)
    answer: Answer = "record"
    paginated: Paging = ""
    repeatable: bool = True
    shape: t.Mapping[str, type] = dataclasses.field(default_factory=dict)
    doc_url: str = ""

    def build(self, api_url: str, arguments: t.Mapping[str, t.Any]) -> Request:
        """Return the request for these arguments; an argument that is None is left out.

        :raises TypeError: for an unknown or a missing argument, which is a mistake of the calling code.
        :raises UsageError: for a value that no address can carry.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        known = {param.name: param for param in self.params}
        unknown = sorted(set(given) - set(known))
        missing = sorted(name for name, param in known.items() if param.is_required and name not in given)
        if unknown or missing:
            raise TypeError(f"endpoint {self.name}: unknown arguments {unknown}, missing arguments {missing}")

        try:
            return self._request(api_url, given)
        except ValueError as exc:
            raise UsageError(f"the address of {self.name} cannot be written: {_reason(exc)}") from None

    def _request(self, api_url: str, given: t.Mapping[str, t.Any]) -> Request:
        path = self.path
        query: list[tuple[str, t.Any]] = []
        body: dict[str, t.Any] = {}
        for param in self.params:
            if param.name not in given:
                continue
            value = given[param.name]
            if param.place in ("segment", "rest"):
                quoted = quote_segment(value) if param.place == "segment" else quote_rest(value)
                path = path.replace("{" + param.name + "}", quoted)
            elif param.place == "query":
                query.extend((wire_name, value) for wire_name in param.wire_names)
            else:
                body.update((wire_name, value) for wire_name in param.wire_names)

        url = api_url + path
        if query:
            url += "?" + query_string(query)
        headers = {"Accept": "application/json" if self.answer in ("record", "records", "nothing") else "*/*"}
        content = json_body(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        return Request(
            method=self.method,
            url=url,
            endpoint=self.name,
            headers=headers,
            body=content,
            is_repeatable=self.repeatable,
        )


def _reason(exc: ValueError) -> str:
    if isinstance(exc, UnicodeError):
        return "a value holds half of a character, which UTF-8 cannot express"
    return str(exc)


class EndpointRegistry:
    """The endpoints a client knows, by name; given to the hook `gitlab_register_endpoints`."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Register an endpoint.

        :raises ValueError: when the name is taken.
        """
        if endpoint.name in self._endpoints:
            raise ValueError(f"an endpoint named {endpoint.name} is registered already")
        self._endpoints[endpoint.name] = endpoint

    def get(self, name: str) -> Endpoint:
        """Return the endpoint of that name.

        :raises KeyError: when there is none.
        """
        return self._endpoints[name]

    def __iter__(self) -> t.Iterator[Endpoint]:
        return iter(self._endpoints.values())


# ----- encoding -----


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
