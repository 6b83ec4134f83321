# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From the bytes of an answer to records, or to an error that says what came instead."""

from __future__ import annotations

import html
import json
import re
import typing as t

from .advice import advice_for, page_advice
from .connection import ConnectionSettings
from .endpoints import Endpoint, subject_of
from .errors import BadAnswerError, MissingError, NotFoundError, StatusError, status_error_class
from .http import Response
from .libraries import fast_json_value
from .masking import Masker, one_line

Record = dict[str, t.Any]  # GitLab's own, fields untouched

_LONGEST_SERVER_TEXT = 300
_LONGEST_HEADER = 64
# the titles of some pages come after a long style sheet or script
_TITLE_BYTES = 16384
_MEDIA_TYPE = r"[\w.+-]{1,60}/[\w.+-]{1,60}"
# GitLab nests its records less than ten levels deep; what is walked by recursion later must have an end.
_DEEPEST_JSON = 100
# A page of a hundred jobs holds about 15,000 values, and an empty one takes a hundred bytes for two that were sent.
_MOST_VALUES = 3_000_000
# What a record of a list has mostly in common with the others: three quarters of the memory that a job takes.
_SHARED_PARTS = ("commit", "pipeline", "project", "runner", "user")


def decode_json(response: Response) -> t.Any:
    """Return the decoded JSON of an answer.

    :raises BadAnswerError: for HTML, an empty body, something that is no JSON, or JSON too deep or with too many values
        to be handled.
    """
    if len(response.body) > _MOST_VALUES and sum(map(response.body.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise BadAnswerError(f"the answer holds more than {_MOST_VALUES:,} values", advice=NOT_GITLAB)
    try:
        value = fast_json_value(response.body)
    except (ValueError, RecursionError):
        if is_html(response):
            raise page_error(response, ", not JSON") from None
        raise BadAnswerError(
            f"the answer (status {response.status}) is {_describe(response)}, not JSON", advice=NOT_GITLAB
        ) from None
    if _may_be_deeper(response.body) and is_deeper(value, _DEEPEST_JSON):
        raise BadAnswerError(f"the answer is JSON of more than {_DEEPEST_JSON} levels", advice=NOT_GITLAB)
    return value


def decode(endpoint: Endpoint, response: Response) -> t.Any:
    """Return what an answer holds, as the catalogue says.

    :raises BadAnswerError: when it holds something else, or a record lacks a field that every one of its kind has, or
        has one of another type.
    """
    if endpoint.answer not in ("record", "records"):
        if endpoint.answer == "text":
            return decode_text(response)
        return response.body if endpoint.answer == "bytes" else None
    value = decode_json(response)
    if endpoint.answer == "records":
        _check_type(value, list)
    records = value if endpoint.answer == "records" else [value]
    for record in records:
        _check_type(record, dict)
        for key, kind in endpoint.shape.items():
            name = key.rstrip("?")
            found = record.get(name)
            if name not in record and name != key:
                continue
            # ids count from 1
            if not isinstance(found, kind) or isinstance(found, bool) or (isinstance(found, int) and found < 1):
                raise BadAnswerError(f"a record of the answer has no proper {name!r}", advice=NOT_GITLAB)
    _share_parts(records)
    return value


_JSON_TYPES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


def _check_type(value: t.Any, kind: type) -> None:
    if not isinstance(value, kind):
        found = _JSON_TYPES.get(type(value), "null")
        raise BadAnswerError(f"the answer holds {found} where {_JSON_TYPES[kind]} belongs", advice=NOT_GITLAB)


def _share_parts(records: list[Record]) -> None:
    """Have records share what they have in common with the one before, which of jobs of a pipeline is most of them."""
    before: Record = {}
    for record in records:
        for name in _SHARED_PARTS:
            if isinstance(record.get(name), dict) and record[name] == before.get(name):
                record[name] = before[name]
        before = record


def decode_text(response: Response) -> str:
    """Return a text answer; bytes that are no UTF-8, or only half a character, are replaced."""
    return response.body.decode("utf-8", errors="replace")


def server_text(value: t.Any, masker: Masker) -> str:
    """Return GitLab's own words from an error answer, in one safe line.

    :param value: its JSON, where `message` goes before `error_description` and `error`; or its text.
    """
    text = value
    if isinstance(value, dict):
        text = value.get("message") or value.get("error_description") or value.get("error") or ""
        if isinstance(text, dict) and isinstance(text.get("base"), list):
            # what is wrong with the whole of a record, and not with one field
            text = "; ".join(map(str, text["base"]))
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False)
    # a server may echo what it was sent, so the mask comes before anything is cut in half
    line = masker.mask(" ".join(masker.line(text).split()))
    return line if len(line) <= _LONGEST_SERVER_TEXT else line[: _LONGEST_SERVER_TEXT - 1] + "…"


def status_error(
    endpoint: Endpoint,
    arguments: t.Mapping[str, t.Any],
    response: Response,
    settings: ConnectionSettings,
    masker: Masker,
) -> StatusError:
    """Return the error for an error status, with what the user can do about it."""
    try:
        value, is_json = decode_json(response), True  # as all that GitLab's API itself says
    except BadAnswerError:
        value, is_json = "" if is_html(response) else decode_text(response), False
    text = server_text(value, masker)
    is_page = not text and is_html(response)
    # of 404, GitLab tells by text only for files of artifacts
    is_foreign = is_page or (response.status == 404 and "/artifacts/" not in endpoint.path and not is_json)
    # GitLab's shape for a missing route
    is_bare_error = isinstance(value, dict) and "error" in value and "message" not in value
    is_missing_endpoint = response.status == 404 and is_bare_error
    title = "" if text else masker.line(title_of(response))
    if text:
        problem = f'{"the server" if is_foreign else "GitLab"} says "{text}"'
    elif is_page:
        problem = f"the server answers with {page(title)} instead of JSON"
    else:
        problem = f"the server answers with status {response.status}"
    # without its project nothing else is missing for certain
    is_project = "project not found" in text.lower()
    subject = subject_of({"project": arguments["project"]} if is_project and "project" in arguments else arguments)
    kind = status_error_class(response.status)
    if kind is NotFoundError and not (is_missing_endpoint or is_foreign or is_project):
        kind = MissingError
    error = kind(
        f"{problem} for {subject}" if subject else problem,
        status=response.status,
        server_text=text,
        request_id=masker.line(response.header("x-request-id"))[:_LONGEST_HEADER],
    )
    error.is_foreign = is_foreign
    error.advice = advice_for(
        error,
        settings,
        endpoint=endpoint.name,
        is_write=endpoint.method != "GET",
        is_missing_endpoint=is_missing_endpoint or is_foreign,
        title=title,
    )
    if isinstance(error, NotFoundError):
        error.is_missing_endpoint, error.is_json = is_missing_endpoint, is_json
    return error


def is_html(response: Response) -> bool:
    return "html" in response.header("content-type").lower() or response.body.lstrip()[:15].lower().startswith(
        (b"<!doctype", b"<html")
    )


def title_of(response: Response) -> str:
    """Return the title of a web page, empty when there is none; whoever shows it has to mask it.

    A long one ends with a whole word, for half a secret cannot be masked.
    """
    found = re.search(rb"<title[^>]{0,200}>([^<]{1,2000})", response.body[:_TITLE_BYTES], re.IGNORECASE)
    text = html.unescape(found.group(1).decode("utf-8", errors="replace")) if found else ""
    line = " ".join(one_line(text).split())
    return line if len(line) <= _LONGEST_HEADER else line[:_LONGEST_HEADER].rpartition(" ")[0]


def page(title: str) -> str:
    """Return what to call a web page in a sentence."""
    return f"an HTML page with the title {title!r}" if title else "an HTML page"


def page_error(response: Response, but: str) -> BadAnswerError:
    """Return the error for a web page that came instead of what was asked for; `but` ends its first sentence."""
    title = title_of(response)
    return BadAnswerError(
        f"the answer (status {response.status}) is {page(title)}{but}",
        advice=page_advice(title) or NOT_GITLAB,
    )


def is_page_instead(headers: t.Mapping[str, str]) -> bool:
    """Return whether an answer to a download is a web page of something before GitLab, which names no file."""
    return "html" in headers.get("content-type", "").lower() and not headers.get("content-disposition")


NOT_GITLAB = (
    "Check that api_url is the address of a GitLab server, and that no proxy or login page answers in its place"
)


def _describe(response: Response) -> str:
    if not response.body.strip():
        return "empty"
    kind = response.header("content-type").split(";")[0].strip()
    return kind if re.fullmatch(_MEDIA_TYPE, kind, re.ASCII) else "something else"


_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _may_be_deeper(body: bytes) -> bool:
    """Return whether JSON may be too deep; false is certain, and known without walking through it."""
    brackets = body.translate(None, _NO_BRACKETS)
    for _level in range(_DEEPEST_JSON):
        before = len(brackets)
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(brackets) == before:
            break
    return bool(brackets)  # what is left lies deeper, or stands in a text


def is_deeper(value: t.Any, levels: int) -> bool:
    """Return whether a value holds lists and objects in more than so many levels."""
    if not isinstance(value, (dict, list)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_deeper(item, levels - 1) for item in items)
