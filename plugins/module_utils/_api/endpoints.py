# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One row of the catalogue, and how a row and arguments become a request."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
from urllib.parse import quote, urlencode

from .errors import UsageError
from .http import Request, parse_address

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Answer = t.Literal["record", "records", "text", "bytes", "nothing"]
Paging = t.Literal["", "offset", "keyset"]
# The names of arguments. With a mapping, what each is sent as: several names where servers disagree, and ignore others.
Names = t.Union[t.Sequence[str], t.Mapping[str, t.Union[str, tuple[str, ...]]]]

# What a walk over pages sends; `page` and `cursor` come from the answer before.
_PAGING = ("page", "per_page", "pagination", "order_by", "sort", "cursor", "id_after", "id_before")
_IN_BRACES = re.compile(r"{(\w+)}")


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One documented operation of GitLab's REST API.

    :param name: what `ApiClient.call` and `ApiClient.iterate` know it by.
    :param path: below `/api/v4`; each name in braces is a required argument.
    :param query: optional arguments for the query.
    :param body: the same for the JSON body.
    :param with_slashes: names in the path whose values keep their slashes, such as refs and paths of files.
    :param answer: what a successful answer holds.
    :param paginated: how its pages are walked; empty when there are none.
    :param shape: fields that every record of an answer has, with their types: what lacks one is not from GitLab. One
        whose name ends with a question mark may be missing.
    :param repeatable: whether sending it twice does no more than sending it once; None for GET only.
    :param doc_url: the page of GitLab's manual.
    :raises ValueError: when one name stands for two arguments, for a method or kind that is none, and for a path that
        does not begin with a slash.
    """

    name: str
    method: str
    path: str
    query: Names = ()
    body: Names = ()
    with_slashes: t.Collection[str] = ()
    ok_statuses: tuple[int, ...] = (200,)
    answer: Answer = "record"
    paginated: Paging = ""
    repeatable: bool | None = None
    shape: t.Mapping[str, type | tuple[type, ...]] = dataclasses.field(default_factory=dict)
    doc_url: str = ""

    def __post_init__(self) -> None:
        kinds = ((self.method, _METHODS), (self.answer, t.get_args(Answer)), (self.paginated, t.get_args(Paging)))
        for kind, known in kinds:
            if kind not in known:
                raise ValueError(f"endpoint {self.name}: {kind!r} is none of {', '.join(filter(None, known))}")
        if not self.path.startswith("/"):
            raise ValueError(f"endpoint {self.name}: the path has to begin with a slash")
        names = self.arguments
        twice = {name for name in names if names.count(name) > 1} | set(self.with_slashes).difference(self.in_path)
        if twice:
            raise ValueError(f"endpoint {self.name}: each argument has one place, unlike {', '.join(sorted(twice))}")

    @property
    def is_repeatable(self) -> bool:
        """Return whether sending it twice does no more than sending it once."""
        return self.method == "GET" if self.repeatable is None else self.repeatable

    @property
    def in_path(self) -> tuple[str, ...]:
        """Return the names of the required arguments."""
        return tuple(_IN_BRACES.findall(self.path))

    @property
    def arguments(self) -> list[str]:
        return [*self.in_path, *self.query, *self.body, *self._paging]

    @property
    def _paging(self) -> tuple[str, ...]:
        return _PAGING if self.paginated else ()

    def build(self, api_url: str, arguments: t.Mapping[str, t.Any]) -> Request:
        """Return the request for these arguments; an argument that is None is left out.

        :raises TypeError: for an unknown or a missing argument, which is a mistake of the calling code.
        :raises UsageError: for a value that no address can carry.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        unknown = sorted(set(given).difference(self.arguments))
        missing = sorted(set(self.in_path) - set(given))
        if unknown or missing:
            raise TypeError(f"endpoint {self.name}: unknown arguments {unknown}, missing arguments {missing}")
        try:
            url = parse_address(api_url + self._target(given)).url
        except ValueError as exc:
            reason = "a value holds half of a character, which UTF-8 cannot express"
            reason = reason if isinstance(exc, UnicodeError) else str(exc)
            raise UsageError(f"the address of {self.name} cannot be written: {reason}") from None
        headers = {"Accept": "application/json" if self.answer in ("record", "records", "nothing") else "*/*"}
        body = json_body(dict(_wired(self.body, given)))
        if body is not None:
            headers["Content-Type"] = "application/json"
        return Request(self.method, url, self.name, headers, body, self.is_repeatable)

    def _target(self, given: t.Mapping[str, t.Any]) -> str:
        path = self.path
        for name in self.in_path:
            path = path.replace("{" + name + "}", quoted(given[name], with_slashes=name in self.with_slashes))
        query = query_string([*_wired(self.query, given), *_wired(self._paging, given)])
        return f"{path}?{query}" if query else path


# The arguments by which a person knows what a request was about, the smallest thing first.
_SUBJECTS: t.Mapping[str, str] = {
    "artifact_path": "file {!r}",
    "job": "job {!r}",
    "job_id": "job {}",
    "deployment_id": "deployment {}",
    "environment": "environment {!r}",
    "pipeline_id": "pipeline {}",
    "merge_request": "merge request {}",
    "sha": "commit {}",
    "ref": "ref {}",
    "ref_name": "ref {}",
    "project": "project {}",
}


def subject_of(arguments: t.Mapping[str, t.Any]) -> str:
    """Return what a request was about, as part of a sentence; empty when no argument tells."""
    told = [text.format(arguments[name]) for name, text in _SUBJECTS.items() if arguments.get(name) is not None]
    return " of ".join(told)


def _wired(names: Names, given: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, t.Any]]:
    """Yield those arguments that are given, as they are sent."""
    for name in names:
        if name in given:
            sent = names[name] if isinstance(names, t.Mapping) else name
            for wire_name in (sent,) if isinstance(sent, str) else sent:
                yield wire_name, given[name]


# ----- encoding -----


# What stays readable in a path segment. GitLab's own clients leave these alone, too.
_SAFE_IN_SEGMENT = "-._~"


def quoted(value: object, *, with_slashes: bool = False) -> str:
    """Return a value for the path, quoted exactly once.

    :param with_slashes: whether slashes stay, as in refs and paths of artifacts, whose routes take the rest of the
        path; else one becomes %2F.
    :raises ValueError: for a value that no path can carry.
    """
    safe = _SAFE_IN_SEGMENT + ("/" if with_slashes else "")
    # surrogateescape: what Python could not read as UTF-8, such as the name of a file, is sent as it was
    text = quote(str(value), safe=safe, errors="surrogateescape")
    # not even when it is encoded does a dot stand for itself there: libraries and proxies resolve it
    if not {".", ".."}.isdisjoint(text.split("/")):
        raise ValueError("a part of a path cannot be . or ..")
    return text


def to_text(value: object) -> str:
    """Return a scalar as GitLab's parameter parser reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def query_string(pairs: t.Iterable[tuple[str, object]]) -> str:
    """Return a query string; a list is sent as repeated `name[]`.

    :raises ValueError: for half a character, which no encoding has.
    """
    flat: list[tuple[str, str]] = []
    for name, value in pairs:
        if isinstance(value, (list, tuple)):
            flat.extend((f"{name}[]", to_text(item)) for item in value)
        else:
            flat.append((name, to_text(value)))
    return urlencode(flat, errors="surrogateescape")


def json_body(fields: dict[str, t.Any]) -> bytes | None:
    """Return the JSON body of a write, None when there is nothing to send."""
    return json.dumps(fields, default=str).encode("utf-8") if fields else None
