# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pagination of lists (topic: pagination)."""

from __future__ import annotations

import base64
import bisect
import collections.abc as c
import typing as t
import urllib.parse

from . import errors, params
from .call import Call

MAX_PER_PAGE = 100
TOTALS_LIMIT = 10_000

Headers = dict[str, str]


def check(call: Call) -> None:
    """Check the parameters page and per_page.

    :raises ApiError: if they are not integers, zero, or (newer servers) negative.
    """
    for name in ("page", "per_page"):
        value = params.integer(call.params, name)
        if value is None:
            continue
        negative_wrong = call.features.has("per_page_negative_checked")
        if (value == 0 and name == "per_page") or (value < 0 and negative_wrong):
            raise errors.invalid(f"{name} does not have a valid value")


def wanted(call: Call) -> tuple[int, int]:
    """Return (page, per_page) as the server uses them."""
    page = params.integer(call.params, "page") or 1
    per_page = params.integer(call.params, "per_page") or 20
    return max(page, 1), min(per_page if per_page > 0 else 20, MAX_PER_PAGE)


def check_offset(call: Call, *, limit: int | None) -> None:
    """Refuse offsets above the configured limit.

    :raises ApiError: 405, because the server then requires keyset pagination.
    """
    page, per_page = wanted(call)
    if limit is not None and page * per_page > limit:
        text = f"Offset pagination has a maximum allowed offset of {limit} for requests that return objects of type"
        advice = "Remaining records can be retrieved using keyset pagination."
        raise errors.ApiError(405, {"error": f"{text} Ci::Build. {advice}"})


def offset_page(call: Call, rows: c.Sequence[t.Any], *, totals: bool) -> tuple[c.Sequence[t.Any], Headers]:
    """Return the rows of the requested page, and its headers.

    :param totals: whether this list returns its total, unless it is too large.
    """
    page, per_page = wanted(call)
    begin = (page - 1) * per_page
    part = rows[begin : begin + per_page]
    pages_in_all = max(1, -(-len(rows) // per_page))
    following = str(page + 1) if begin + per_page < len(rows) else ""
    previous = str(page - 1) if page > 1 else ""
    headers = {"X-Page": str(page), "X-Per-Page": str(per_page), "X-Next-Page": following, "X-Prev-Page": previous}
    counted = totals and (len(rows) <= TOTALS_LIMIT or not call.features.has("totals_capped"))
    if counted:
        headers["X-Total"] = str(len(rows))
        headers["X-Total-Pages"] = str(pages_in_all)
    links = [("prev", previous), ("next", following), ("first", "1"), ("last", str(pages_in_all) if counted else "")]
    headers["Link"] = ", ".join(
        f'<{_url(call, page=number, per_page=per_page)}>; rel="{rel}"' for rel, number in links if number
    )
    return part, headers


def keyset_page(call: Call, rows: c.Sequence[t.Any]) -> tuple[c.Sequence[t.Any], Headers]:
    """Return the rows after the cursor; `rows` are newest first. The last page has no Link header."""
    _page, per_page = wanted(call)
    begin = 0
    cursor = call.params.get("cursor")
    if cursor:
        last_id = _read_cursor(str(cursor))
        begin = bisect.bisect_right(rows, -last_id, key=lambda row: -row.id)
    part = rows[begin : begin + per_page]
    if begin + per_page >= len(rows):
        return part, {}
    token = base64.urlsafe_b64encode(f'{{"id":"{part[-1].id}","_kd":"n"}}'.encode()).decode()
    return part, {"Link": f'<{_url(call, cursor=token, per_page=per_page)}>; rel="next"'}


def _read_cursor(text: str) -> int:
    try:
        raw = base64.urlsafe_b64decode(text.encode()).decode()
        return int(raw.split('"id":"', 1)[1].split('"', 1)[0])
    except (ValueError, IndexError):
        raise errors.invalid("cursor is invalid") from None


def _url(call: Call, **changed: t.Any) -> str:
    """Return the request's own URL for another page: all parameters copied in, path parameters too, alphabetical."""
    merged = {**call.path_params, **call.params, **{name: str(value) for name, value in changed.items()}}
    pairs: list[tuple[str, str]] = []
    for name in sorted(merged):
        value = merged[name]
        if isinstance(value, list):
            pairs.extend((f"{name}[]", str(one)) for one in value)
        elif isinstance(value, dict):
            pairs.extend((f"{name}[{key}]", str(one)) for key, one in value.items())
        else:
            pairs.append((name, str(value)))
    return f"{call.base_url}{call.raw_path}?{urllib.parse.urlencode(pairs)}"
