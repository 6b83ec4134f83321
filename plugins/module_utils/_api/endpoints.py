# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Endpoints, the rows of the catalogue, and how to build requests from them."""

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
# Names of arguments. A mapping also has the name to send, or several if servers disagree and ignore unknown names.
Names = t.Union[t.Sequence[str], t.Mapping[str, t.Union[str, tuple[str, ...]]]]

# Arguments for pagination; `page` and `cursor` come from the previous answer.
_PAGING = ("page", "per_page", "pagination", "order_by", "sort", "cursor", "id_after", "id_before")
_IN_BRACES = re.compile(r"{(\w+)}")


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One documented operation of GitLab's REST API.

    :param name: the name used by `ApiClient.call` and `ApiClient.iterate`.
    :param path: the path below `/api/v4`; each name in braces is a required argument.
    :param query: optional arguments for the query.
    :param body: optional arguments for the JSON body.
    :param with_slashes: arguments in the path whose values keep their slashes, such as refs and file paths.
    :param answer: what a successful answer contains.
    :param paginated: the kind of pagination; empty for none.
    :param shape: fields of every record, with their types: a record that lacks one is not from GitLab. A field whose
        name ends with a question mark may be missing.
    :param repeatable: whether sending it twice has the same effect as sending it once; None: true for GET only.
    :param doc_url: the page of GitLab's manual.
    :raises ValueError: if two arguments have the same name, if the method, kind of answer or pagination is unknown, or
        if the path does not start with a slash.
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
                raise ValueError(f"endpoint {self.name}: {kind!r} is not one of {', '.join(filter(None, known))}")
        if not self.path.startswith("/"):
            raise ValueError(f"endpoint {self.name}: the path must start with a slash")
        names = self.arguments
        twice = {name for name in names if names.count(name) > 1} | set(self.with_slashes).difference(self.in_path)
        if twice:
            raise ValueError(f"endpoint {self.name}: each argument needs one place; check {', '.join(sorted(twice))}")

    @property
    def is_repeatable(self) -> bool:
        """Return whether sending it twice has the same effect as sending it once."""
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
        """Return the request for these arguments, without those that are None.

        :raises TypeError: if an argument is unknown or missing, which is a bug in the calling code.
        :raises UsageError: if an address cannot contain one of the values.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        unknown = sorted(set(given).difference(self.arguments))
        missing = sorted(set(self.in_path) - set(given))
        if unknown or missing:
            raise TypeError(f"endpoint {self.name}: unknown arguments {unknown}, missing arguments {missing}")
        try:
            url = parse_address(api_url + self._target(given)).url
        except ValueError as exc:
            reason = "a value contains half of a character, which UTF-8 cannot encode"
            reason = reason if isinstance(exc, UnicodeError) else str(exc)
            raise UsageError(f"the address of {self.name} cannot be built: {reason}") from None
        headers = {"Accept": "application/json" if self.answer in ("record", "records", "nothing") else "*/*"}
        body = json_body(dict(_sent_arguments(self.body, given)))
        if body is not None:
            headers["Content-Type"] = "application/json"
        return Request(self.method, url, self.name, headers, body, self.is_repeatable)

    def _target(self, given: t.Mapping[str, t.Any]) -> str:
        path = self.path
        for name in self.in_path:
            path = path.replace("{" + name + "}", quoted(given[name], with_slashes=name in self.with_slashes))
        query = query_string([*_sent_arguments(self.query, given), *_sent_arguments(self._paging, given)])
        return f"{path}?{query}" if query else path


# Arguments that describe the object of a request to the user, from the smallest object to the largest.
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
    """Return the object of a request as part of a sentence, empty if no argument describes it."""
    parts = [text.format(arguments[name]) for name, text in _SUBJECTS.items() if arguments.get(name) is not None]
    return " of ".join(parts)


def _sent_arguments(names: Names, given: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, t.Any]]:
    """Yield the given arguments with the names under which they are sent."""
    for name in names:
        if name in given:
            sent = names[name] if isinstance(names, t.Mapping) else name
            for wire_name in (sent,) if isinstance(sent, str) else sent:
                yield wire_name, given[name]


# ----- encoding -----


# Characters that are not quoted in a path segment; GitLab's own clients do not quote them either.
_SAFE_IN_SEGMENT = "-._~"


def quoted(value: object, *, with_slashes: bool = False) -> str:
    """Return a value for the path, quoted exactly once.

    :param with_slashes: whether to keep slashes, as in refs and paths of artifacts, whose routes accept them; otherwise
        a slash becomes %2F.
    :raises ValueError: if a path cannot contain the value.
    """
    safe = _SAFE_IN_SEGMENT + ("/" if with_slashes else "")
    # surrogateescape: bytes that are not UTF-8, such as in a file name, are sent unchanged
    text = quote(str(value), safe=safe, errors="surrogateescape")
    # libraries and proxies resolve dots there, even encoded ones
    if not {".", ".."}.isdisjoint(text.split("/")):
        raise ValueError("a part of a path cannot be . or ..")
    return text


def to_text(value: object) -> str:
    """Return a scalar in the form that GitLab's parameter parser expects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def query_string(pairs: t.Iterable[tuple[str, object]]) -> str:
    """Return a query string; a list becomes repeated `name[]`.

    :raises ValueError: if a value contains half of a character, which cannot be encoded.
    """
    flat: list[tuple[str, str]] = []
    for name, value in pairs:
        if isinstance(value, (list, tuple)):
            flat.extend((f"{name}[]", to_text(item)) for item in value)
        else:
            flat.append((name, to_text(value)))
    return urlencode(flat, errors="surrogateescape")


def json_body(fields: dict[str, t.Any]) -> bytes | None:
    """Return the JSON body of a write, None if there is nothing to send."""
    return json.dumps(fields, default=str).encode("utf-8") if fields else None
