# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows about statuses, redirects, significant headers, and bodies that are not records."""

from __future__ import annotations

import json

from tests.unit.harness import TOKEN

from .server import CONTENTS, LISTS, OBJECTS
from .table import Responder, Row, body, headers, status

MIB = 1024 * 1024
ALL = (*OBJECTS, *LISTS, *CONTENTS)
LISTING = ("info", "bridges", "gate")
READING = ("info", "lookup", "download")
TORN = TOKEN[:9] + "\x1b[0m" + TOKEN[9:]


def redirected(location: str, line: str = "302 Found") -> Responder:
    """Redirect every request."""
    return status(line, b"", f"Location: {location}")


def refused(message: object, line: str = "403 Forbidden") -> Responder:
    """Refuse every request with this message."""
    return status(line, json.dumps({"message": message}).encode())


def throttled(*lines: str) -> Row:
    """Refuse every request for now."""
    return Row(status("429 Too Many Requests", b"", *lines), refuses=True)


STATUSES = {
    "199": Row(status("199 Odd")),
    "201 for everything": Row(status("201 Created", b"{}")),
    "202": Row(status("202 Accepted", b"{}")),
    "300": Row(status("300 Multiple Choices")),
    "400 with HTML": Row(status("400 Bad", b"<html><title>No</title>", media_type="text/html")),
    "401": Row(status("401 Unauthorized")),
    "402": Row(status("402 Payment Required")),
    "403": Row(refused("403 Forbidden")),
    "404": Row(status("404 Not Found")),
    "404 of a route": Row(status("404 Not Found", b'{"error": "404 Not Found"}')),
    "405": Row(status("405 Method Not Allowed")),
    "407": Row(status("407 Proxy Authentication Required")),
    "409": Row(status("409 Conflict", b'{"message": "409 Conflict: Resource lock"}')),
    "413": Row(status("413 Too Large", b"")),
    "417": Row(status("417 Expectation Failed")),
    "421": Row(status("421 Misdirected Request")),
    "425": Row(status("425 Too Early")),
    "431": Row(status("431 Request Header Fields Too Large", b"")),
    "511 of a portal": Row(status("511 Login", b"<html><title>Log in</title></html>", media_type="text/html")),
    "418": Row(status("418 Teapot", b"short and stout")),
    "422": Row(status("422 Unprocessable", b'{"message": {"base": [["a", {"b": null}]]}}')),
    "451 with codes": Row(refused("\x1b[2J\x1b]0;x\x07\x9b31m\u202egnp\u2066\u2028 no")),
    "500": Row(status("500 Oops", b"")),
    "502 with HTML": Row(status("502 Bad Gateway", b"<html><title>\x1b[2Jnginx</title>", media_type="text/html")),
    "503": Row(status("503 Service Unavailable", b"", "Retry-After: 1")),
    "599": Row(status("599 ?", b"\xff\xfe\x00")),
    "600": Row(status("600 ?")),
    "999": Row(status("999 ?")),
    "an error of 300 kB of spaces": Row(refused(" " * 300_000 + "x")),
    "an error of brackets": Row(status("500 Oops", b"[" * 100_000)),
    "an error of 900 levels": Row(status("400 Bad", b'{"message":' + b"[" * 900 + b"]" * 900 + b"}")),
    "an error of 10 MiB": Row(status("403 Forbidden", b"x" * 10 * MIB)),
    "an error of null": Row(status("403 Forbidden", b"null")),
    "an error of a number": Row(status("403 Forbidden", b"1e400")),
    "an error of lines": Row(refused("one\ntwo\r\nthree\u2029four\x85five")),
    "an error with the token": Row(refused(f"{TOKEN} is wrong")),
    "an error with the token split": Row(refused(f"{TORN} is wrong")),
    "an error with a lone surrogate": Row(status("403 Forbidden", b'{"message": "\\ud800"}')),
    "an error with the token in its id": Row(status("403 Forbidden", b"{}", f"X-Request-Id: {TOKEN}")),
}

DATES = (
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "Wed, 21 Oct 99999 07:28:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -9999",
    "Thu, 01 Jan 1970 00:00:00 -0000",
    "Mon, 00 Foo 0000 99:99:99 +9999",
    "Wed, 21 Oct 2099 07:28:00 GMT",
)
SECONDS = ("0", "1", "-1", "1e9", "3000", "9" * 30, "9" * 5000, "nan", "\xb2", "", "soon", "1.5", "121")
LIMITS = {
    **{f"Retry-After {value[:31]!r}": throttled(f"Retry-After: {value}") for value in (*SECONDS, *DATES)},
    **{
        f"RateLimit-Reset {value[:31]!r}": throttled(f"RateLimit-Reset: {value}", "RateLimit-Remaining: 0")
        for value in ("0", "9" * 30, "9" * 5000, "-5", "soon", "4102444800")
    },
    "no requests left": Row(
        headers(
            "RateLimit-Remaining: 0", "RateLimit-Limit: 60", "RateLimit-Observed: 61", "RateLimit-Reset: 4102444800"
        ),
        "either",
        ("info", "action", "info, waiting"),
    ),
    "odd limits in a valid response": Row(
        headers("RateLimit-Remaining: -1", "RateLimit-Reset: 9e99", "RateLimit-Limit: x"), "right"
    ),
}

REDIRECTS = {
    f"to {location[:40]!r}": Row(redirected(location), concerns=(*READING, "action"))
    for location in (
        "{url}/api/v4/x",
        "/",
        "",
        "#",
        "?",
        "//",
        "http://[",
        "http://[::1",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:1/x",
        "http://user:pass@127.0.0.1:1/",
        "http://127.0.0.1\\@127.0.0.2:1/",
        "ftp://127.0.0.1/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://exa mple/x",
        "http://127.0.0.1:1/\x1b[2J",
        "{url}/%0d%0aX: y",
        "http:///x",
        "https:x",
        "x" * 9000,
        "{url}/users/sign_in",
        "http://\xe9.invalid./x",
        "\\\\127.0.0.1\\x",
    )
}
REDIRECTS |= {
    "without a location": Row(status("302 Found", b"")),
    "two locations": Row(status("302 Found", b"", "Location: http://127.0.0.1:1/a", "Location: {url}/b")),
    "301": Row(redirected("{url}/x", "301 Moved")),
    "303": Row(redirected("{url}/x", "303 See Other")),
    "307": Row(redirected("{url}/x", "307 Temporary")),
    "308": Row(redirected("{url}/x", "308 Permanent")),
}

HEADERS = {
    "a cookie": Row(headers(f"Set-Cookie: session={TOKEN}; Path=/; Domain=127.0.0.1"), "right"),
    "many cookies": Row(headers(*(f"Set-Cookie: c{number}={'x' * 500}; Path=/" for number in range(80))), "right"),
    "a broken cookie": Row(headers("Set-Cookie: =;;\x00; expires=Wed, 99 Foo 2099"), "either"),
    "two types": Row(headers("Content-Type: text/html"), "either"),
    "HSTS": Row(headers("Strict-Transport-Security: max-age=99999999999; includeSubDomains"), "right"),
    "Refresh": Row(headers("Refresh: 0; url=http://127.0.0.1:1/"), "right"),
    "Alt-Svc": Row(headers('Alt-Svc: h2="127.0.0.1:1"; ma=99999'), "right"),
    "WWW-Authenticate": Row(status("401 No", b"", 'WWW-Authenticate: Basic realm="\x1b[2J"')),
    "Content-Location": Row(headers("Content-Location: http://127.0.0.1:1/"), "right"),
    "Content-Disposition": Row(headers('Content-Disposition: attachment; filename="../../etc/passwd"'), "right"),
    "invalid dates": Row(headers("Date: yesterday", "Last-Modified: \xff", "Expires: -1"), "right"),
    "an ETag of codes": Row(headers('ETag: W/"\x1b[2J"'), "right"),
}

NEXT = 'Link: <{{url}}/api/v4/{}>; rel="next"'
LINKS = {
    "a next page after the last": Row(headers("X-Next-Page: 2", "X-Page: 1"), "either", LISTING),
    "the same page as next page": Row(headers("X-Next-Page: 1", "X-Page: 1"), "either", LISTING),
    "a negative next page": Row(headers("X-Next-Page: -1"), "either", LISTING),
    "a string as next page": Row(headers("X-Next-Page: next"), "either", LISTING),
    "a next page of 5,000 digits": Row(headers("X-Next-Page: " + "9" * 5000), "either", LISTING),
    "a next page of other digits": Row(headers("X-Next-Page: \xb2"), "either", LISTING),
    "invalid totals": Row(headers("X-Total: -1", "X-Total-Pages: 1e9", "X-Per-Page: 0"), "either", LISTING),
    "huge totals": Row(headers("X-Total: " + "9" * 400, "X-Total-Pages: " + "9" * 400), "either", LISTING),
    "a million pages": Row(headers("X-Total: 100000000", "X-Total-Pages: 1000000", "X-Page: 1"), "either", LISTING),
    "Link in a circle": Row(headers(NEXT.format("projects/7/pipelines/6/jobs?page=2&per_page=100")), "either", LISTING),
    "Link elsewhere": Row(headers('Link: <http://127.0.0.1:1/x?page=2>; rel="next"'), "either", LISTING),
    "an invalid Link": Row(headers('Link: <<<<<>>>>,;;;=""""'), "either", LISTING),
    "Link of brackets": Row(headers("Link: " + "<" * 60_000), "either", LISTING),
    "Link without a page": Row(headers('Link: <{url}/x>; rel="next"'), "either", LISTING),
    "Link with a page of words": Row(headers(NEXT.format("x?page=two")), "either", LISTING),
    "Link with a cursor": Row(headers(NEXT.format("x?cursor=" + "e" * 5000)), "either", LISTING),
    "Link to http://[": Row(headers('Link: <http://[>; rel="next"'), "either", LISTING),
    "many Links": Row(headers(*[NEXT.format(f"x?page={number}") for number in range(80)]), "either", LISTING),
}

BODIES = {
    "an empty body": Row(body(b"")),
    "only whitespace": Row(body(b" \r\n\t")),
    "null": Row(body(b"null")),
    "true": Row(body(b"true")),
    "a number": Row(body(b"42")),
    "a string": Row(body(b'"42"')),
    "a list of lists": Row(body(b"[[]]")),
    "a list of numbers": Row(body(b"[1, 2]")),
    "a list of nulls": Row(body(b"[null]")),
    "a list of strings": Row(body(b'["deploy"]')),
    "an empty object": Row(body(b"{}")),
    "a list of an empty object": Row(body(b"[{}]")),
    "a record in a list": Row(body(b'{"jobs": [{"id": 42, "name": "deploy", "status": "manual"}]}')),
    "an incomplete object": Row(body(b'{"id": ')),
    "two objects": Row(body(b'{"id": 1}{"id": 2}')),
    "an object with single quotes": Row(body(b"{'id': 1}")),
    "an object with an extra comma": Row(body(b'{"id": 1,}')),
    "lines of JSON": Row(body(b'{"id": 1}\n{"id": 2}\n')),
    "JSONP": Row(body(b'callback([{"id": 1}])', "application/javascript")),
    "a guard before JSON": Row(body(b")]}'\n[]")),
    "a byte order mark": Row(body(b"\xef\xbb\xbf[]"), "either"),
    "UTF-16": Row(body('[{"id": 42}]'.encode("utf-16"))),
    "UTF-32": Row(body('{"id": 42}'.encode("utf-32-be"))),
    "Latin-1": Row(body(b'[{"id": 42, "name": "\xe9"}]')),
    "binary data": Row(body(bytes(range(256)))),
    "NULs": Row(body(bytes(1000))),
    "an incomplete UTF-8 character": Row(body(b'"\xc3"')),
    "an HTML page": Row(body(b"<!DOCTYPE html><html><title>Sign in</title></html>", "text/html", ALL)),
    "an HTML page with the type of JSON": Row(body(b"<html><body>Welcome</body></html>", "application/json")),
    "an HTML page with the token": Row(body(b"<html><title>" + TOKEN.encode() + b"</title>", "text/html", ALL)),
    "XML": Row(body(b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', "application/xml")),
    "100,000 brackets": Row(body(b"[" * 100_000)),
    "100,000 brackets that are closed": Row(body(b"[" * 100_000 + b"]" * 100_000)),
    "900 levels of objects": Row(body(b'{"a":' * 900 + b"1" + b"}" * 900)),
    "a number of 5,000 digits": Row(body(b'[{"id": ' + b"9" * 5000 + b"}]")),
    "NaN": Row(body(b'[{"id": NaN, "status": Infinity}]')),
    "1e999": Row(body(b'[{"id": 1e999}]')),
    "an empty list for everything": Row(body(b"[]")),
    "9 MiB of spaces": Row(body(b" " * 9 * MIB)),
    "33 MiB of lists": Row(body(b"[" + b"[]," * (11 * MIB) + b"[]]")),
    "31 MiB of objects": Row(body(b"[" + b"{}," * (10 * MIB) + b"{}]")),
    "a string of 31 MiB": Row(body(b'["' + b"x" * 31 * MIB + b'"]')),
    "half a million keys": Row(body(b"{" + b",".join(b'"%d":1' % number for number in range(500_000)) + b"}")),
    "the same key many times": Row(body(b"[{" + b'"id":1,' * 100_000 + b'"id":"x"}]')),
}

ROWS: dict[str, Row] = {**STATUSES, **LIMITS, **REDIRECTS, **HEADERS, **LINKS, **BODIES}
