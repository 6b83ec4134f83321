# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Decoding of answers into records, or into errors that describe what came instead."""

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

Record = dict[str, t.Any]  # a record from GitLab, with unchanged fields

_LONGEST_SERVER_TEXT = 300
_LONGEST_HEADER = 64
# some pages have a long style sheet or script before the title
_TITLE_BYTES = 16384
_MEDIA_TYPE = r"[\w.+-]{1,60}/[\w.+-]{1,60}"
# GitLab's records have fewer than ten levels. Later code walks through them by recursion, which needs a limit.
_DEEPEST_JSON = 100
# A page of a hundred jobs has about 15,000 values. An empty value of two bytes takes a hundred bytes of memory.
_MAX_VALUES = 3_000_000
# Parts that most records of a list have in common: three quarters of the memory of a job.
_SHARED_PARTS = ("commit", "pipeline", "project", "runner", "user")


def decode_json(response: Response) -> t.Any:
    """Return the decoded JSON of an answer.

    :raises BadAnswerError: if the body is HTML, empty or invalid JSON, or if the JSON is too deep or has too many
        values.
    """
    if len(response.body) > _MAX_VALUES and sum(map(response.body.count, (b",", b"[", b"{"))) > _MAX_VALUES:
        raise BadAnswerError(f"the answer contains more than {_MAX_VALUES:,} values", advice=NOT_GITLAB)
    try:
        value = fast_json_value(response.body)
    except (ValueError, RecursionError):
        if is_html(response):
            raise page_error(response, ", not JSON") from None
        raise BadAnswerError(
            f"the answer (status {response.status}) is {_instead_of_json(response)}", advice=NOT_GITLAB
        ) from None
    if _may_be_deeper(response.body) and is_deeper(value, _DEEPEST_JSON):
        raise BadAnswerError(f"the answer is JSON with more than {_DEEPEST_JSON} levels", advice=NOT_GITLAB)
    return value


def decode(endpoint: Endpoint, response: Response) -> t.Any:
    """Return the content of an answer, in the form that the catalogue defines.

    :raises BadAnswerError: if the content has another form, or if a record lacks a required field or has one of another
        type.
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
            # ids start at 1
            if not isinstance(found, kind) or isinstance(found, bool) or (isinstance(found, int) and found < 1):
                raise BadAnswerError(f"a record in the answer has no valid {name!r}", advice=NOT_GITLAB)
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
        raise BadAnswerError(f"the answer contains {found} instead of {_JSON_TYPES[kind]}", advice=NOT_GITLAB)


def _share_parts(records: list[Record]) -> None:
    """Make each record share equal parts with the record before it, which saves most memory for jobs of a pipeline."""
    before: Record = {}
    for record in records:
        for name in _SHARED_PARTS:
            if isinstance(record.get(name), dict) and record[name] == before.get(name):
                record[name] = before[name]
        before = record


def decode_text(response: Response) -> str:
    """Return the text of an answer; bytes that are not UTF-8 are replaced."""
    return response.body.decode("utf-8", errors="replace")


def server_text(value: t.Any, masker: Masker) -> str:
    """Return GitLab's own words from an error answer, in one safe line.

    :param value: the text of the answer, or its JSON, in which `message` wins over `error_description` and `error`.
    """
    text = value
    if isinstance(value, dict):
        text = value.get("message") or value.get("error_description") or value.get("error") or ""
        if isinstance(text, dict):
            # `error` of a rate limit, or errors about the whole record instead of one field
            base = text.get("base")
            text = "; ".join(map(str, base)) if isinstance(base, list) else text.get("error") or text
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False)
    # a server may echo secrets, so mask them before the text is shortened
    line = masker.mask(" ".join(masker.line(text).split()))
    return line if len(line) <= _LONGEST_SERVER_TEXT else line[: _LONGEST_SERVER_TEXT - 1] + "…"


def status_error(
    endpoint: Endpoint,
    arguments: t.Mapping[str, t.Any],
    response: Response,
    settings: ConnectionSettings,
    masker: Masker,
) -> StatusError:
    """Return the error for an error status, with advice for the user."""
    try:
        value, is_json = decode_json(response), True  # GitLab's API itself always answers in JSON
    except BadAnswerError:
        value, is_json = "" if is_html(response) else decode_text(response), False
    text = server_text(value, masker)
    is_page = not text and is_html(response)
    # GitLab answers 404 in plain text only for files of artifacts
    is_foreign = is_page or (response.status == 404 and "/artifacts/" not in endpoint.path and not is_json)
    # GitLab's answer for an unknown route
    is_bare_error = isinstance(value, dict) and "error" in value and "message" not in value
    is_missing_endpoint = response.status == 404 and is_bare_error
    title = "" if text else masker.line(title_of(response))
    if text:
        problem = f'{"the server" if is_foreign else "GitLab"} says "{text}"'
    elif is_page:
        problem = f"the server answers with {page(title)} instead of JSON"
    else:
        problem = f"the server answers with status {response.status}"
    # if the project is not found, nothing is known about the other objects
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
    """Return the title of a web page, empty if there is none; callers must mask it before they show it.

    Long titles are cut after a whole word, because half of a secret cannot be masked.
    """
    found = re.search(rb"<title[^>]{0,200}>([^<]{1,2000})", response.body[:_TITLE_BYTES], re.IGNORECASE)
    text = html.unescape(found.group(1).decode("utf-8", errors="replace")) if found else ""
    line = " ".join(one_line(text).split())
    return line if len(line) <= _LONGEST_HEADER else line[:_LONGEST_HEADER].rpartition(" ")[0]


def page(title: str) -> str:
    """Return the description of a web page for a sentence."""
    return f"an HTML page with the title {title!r}" if title else "an HTML page"


def page_error(response: Response, but: str) -> BadAnswerError:
    """Return the error for a web page that came instead of the content; `but` ends its first sentence."""
    title = title_of(response)
    return BadAnswerError(
        f"the answer (status {response.status}) is {page(title)}{but}",
        advice=page_advice(title) or NOT_GITLAB,
    )


def is_page_instead(headers: t.Mapping[str, str]) -> bool:
    """Return whether the answer to a download is a web page of a proxy, without the file name that GitLab sends."""
    return "html" in headers.get("content-type", "").lower() and not headers.get("content-disposition")


NOT_GITLAB = (
    "Check that api_url is the address of a GitLab server, and that no proxy or login page answers in its place"
)


def _instead_of_json(response: Response) -> str:
    """Return what the body of an answer is, as part of a sentence."""
    if not response.body.strip():
        return "empty, not JSON"
    kind = response.header("content-type").split(";")[0].strip()
    if "json" in kind.lower():
        return "invalid JSON"
    return f"{kind if re.fullmatch(_MEDIA_TYPE, kind, re.ASCII) else 'something else'}, not JSON"


_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _may_be_deeper(body: bytes) -> bool:
    """Return whether JSON may be too deep; false is certain, and found without a walk through the value."""
    brackets = body.translate(None, _NO_BRACKETS)
    for _level in range(_DEEPEST_JSON):
        before = len(brackets)
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(brackets) == before:
            break
    return bool(brackets)  # the rest is deeper, or in a string


def is_deeper(value: t.Any, levels: int) -> bool:
    """Return whether a value contains lists and objects in more than `levels` levels."""
    if not isinstance(value, (dict, list)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_deeper(item, levels - 1) for item in items)
