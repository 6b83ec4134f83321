# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults by name, for tests that run all of them. Each is a mapping with the keys of a rule, see faults.RULE.

`effect` is whether it strikes before the application handles the request (nothing happens on the server) or after.
"""

from __future__ import annotations

import typing as t

BEFORE: t.Final = "before"
AFTER: t.Final = "after"

Row = dict[str, t.Any]

# Silent connections end when the client disconnects, so these can be long.
_VERY_LONG = 60

_LIMITER = {"message": {"error": "This endpoint has been requested too many times. Try again later."}}
_MAINTENANCE = {"message": "GitLab Maintenance: system is in maintenance mode"}
_LOCK = {"message": "409 Conflict: Resource lock"}
_TYPED_WRONGLY = {
    "id": "one thousand",
    "name": 7,
    "status": ["success"],
    "stage": None,
    "pipeline": "100",
    "web_url": {},
    "allow_failure": "no",
    "artifacts": 3,
}


def _throttled(**headers: str) -> Row:
    return {"effect": BEFORE, "kind": "status", "status": 429, "body": "Retry later\n", "headers": headers}


PRESETS: dict[str, Row] = {
    # Connections.
    "refuse": {"effect": BEFORE, "kind": "refuse", "seconds": 0.2},
    "refuse_then": {"effect": AFTER, "kind": "refuse", "seconds": 0.2},
    "reset_before": {"effect": BEFORE, "kind": "reset_before"},
    "reset_after": {"effect": AFTER, "kind": "reset_after"},
    "close_before": {"effect": BEFORE, "kind": "close_before"},
    "close_after": {"effect": AFTER, "kind": "close_after"},
    "hang_before": {"effect": BEFORE, "kind": "hang", "seconds": _VERY_LONG},
    "hang_after": {"effect": AFTER, "kind": "hang", "seconds": _VERY_LONG},
    # Slow, but correct.
    "delay": {"effect": AFTER, "kind": "delay", "seconds": 0.2},
    "drip": {"effect": AFTER, "kind": "drip", "seconds": 0.2},
    "drip_slow": {"effect": AFTER, "kind": "drip", "seconds": _VERY_LONG},
    # Damaged in transit.
    "truncate": {"effect": AFTER, "kind": "truncate"},
    "truncate_all": {"effect": AFTER, "kind": "truncate", "bytes": 0},
    "reset_at": {"effect": AFTER, "kind": "reset_at"},
    "length_too_long": {"effect": AFTER, "kind": "wrong_length", "by": 10},
    "length_too_short": {"effect": AFTER, "kind": "wrong_length", "by": -10},
    "chunk_cut": {"effect": AFTER, "kind": "chunk_cut"},
    "gzip": {"effect": AFTER, "kind": "gzip"},
    "bad_gzip": {"effect": AFTER, "kind": "bad_gzip"},
    "gzip_cut": {"effect": AFTER, "kind": "gzip_cut"},
    # A success with other content.
    "invalid_json": {"effect": AFTER, "kind": "invalid_json"},
    "json_list": {"effect": AFTER, "kind": "wrong_json", "body": []},
    "json_object": {"effect": AFTER, "kind": "wrong_json", "body": {}},
    "json_null": {"effect": AFTER, "kind": "wrong_json", "body": None},
    "json_number": {"effect": AFTER, "kind": "wrong_json", "body": 42},
    "json_text": {"effect": AFTER, "kind": "wrong_json", "body": "ok"},
    "json_wrong_rows": {"effect": AFTER, "kind": "wrong_json", "body": [None, 7, "job"]},
    "json_wrong_types": {"effect": AFTER, "kind": "wrong_json", "body": _TYPED_WRONGLY},
    "json_list_of_wrong_types": {"effect": AFTER, "kind": "wrong_json", "body": [_TYPED_WRONGLY]},
    "empty": {"effect": AFTER, "kind": "empty"},
    "empty_before": {"effect": BEFORE, "kind": "empty"},
    # Pages of proxies.
    "html_200": {"effect": BEFORE, "kind": "html", "status": 200},
    "html_200_after": {"effect": AFTER, "kind": "html", "status": 200},
    "html_401": {"effect": BEFORE, "kind": "html", "status": 401},
    "html_502": {"effect": BEFORE, "kind": "html", "status": 502},
    "html_502_after": {"effect": AFTER, "kind": "html", "status": 502},
    "html_503": {"effect": BEFORE, "kind": "html", "status": 503},
    "html_503_after": {"effect": AFTER, "kind": "html", "status": 503},
    "html_504_after": {"effect": AFTER, "kind": "html", "status": 504},
    # The server's own errors.
    "error_500": {"effect": BEFORE, "kind": "status", "status": 500},
    "error_500_after": {"effect": AFTER, "kind": "status", "status": 500},
    "lock_409": {"effect": BEFORE, "kind": "status", "status": 409, "body": _LOCK},
    "maintenance_503": {"effect": BEFORE, "kind": "status", "status": 503, "body": _MAINTENANCE},
    "throttle_seconds": _throttled(**{"Retry-After": "1"}),
    "throttle_date": _throttled(**{"Retry-After": "{date+1}"}),
    "throttle_bare": _throttled(),
    "throttle_reset": _throttled(**{"RateLimit-Reset": "{unix+1}", "RateLimit-Remaining": "0"}),
    "limiter": {"effect": BEFORE, "kind": "status", "status": 429, "body": _LIMITER},
    # Other places.
    **{
        f"redirect_{status}": {"effect": BEFORE, "kind": "redirect", "status": status, "location": "{second}{path}"}
        for status in (301, 302, 303, 307, 308)
    },
    "redirect_after": {"effect": AFTER, "kind": "redirect", "status": 302, "location": "{second}{path}"},
    "redirect_tls": {"effect": BEFORE, "kind": "redirect", "status": 302, "location": "{second_tls}{path}"},
    "redirect_plain": {"effect": BEFORE, "kind": "redirect", "status": 302, "location": "{self_http}{path}"},
    "redirect_loop": {"effect": BEFORE, "kind": "redirect", "status": 302, "location": "{self}{path}"},
    "link_host": {"effect": AFTER, "kind": "link_host"},
}

# One refusal of a server that is well: a token that expires, a role that is taken away, a record that goes. It comes
# once unless `times` says otherwise; `nth` tells which of the requests it is.
REFUSALS: dict[str, Row] = {
    f"refused_{status}": {"effect": BEFORE, "kind": "status", "status": status, "body": {"message": text}, "times": 1}
    for status, text in ((401, "401 Unauthorized"), (403, "403 Forbidden"), (404, "404 Not found"))
}

# With these, a client gets the right answer if it waits; link_host only affects lists.
HARMLESS: t.Final = frozenset({"delay", "drip", "gzip", "link_host", "refuse_then"})
