# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user is told to do about each error status."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.advice import advice_for


def advice(status, text="", is_write=False, token="api_token", **others):
    return advice_for(status=status, server_text=text, is_write=is_write, token_kind=token, **others)


FORBIDDEN = "403 Forbidden"
HIGHER = "The request requires higher privileges than provided by the access token."


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"status": 401, "token": ""}, "Give api_token"),
        ({"status": 401, "text": "Token is expired. You can either do re-authorization"}, "has expired"),
        ({"status": 401, "text": "Token was revoked."}, "was revoked"),
        ({"status": 401, "text": "401 Unauthorized", "token": "api_job_token"}, "only while its job is running"),
        ({"status": 401, "text": "401 Unauthorized"}, "Check the token"),
        ({"status": 403, "text": HIGHER, "is_write": True}, "needs the scope api to act"),
        ({"status": 403, "text": HIGHER}, "read_api"),
        (
            {"status": 403, "text": "Authentication by CI/CD job token not allowed from a to b."},
            "job token allow-list",
        ),
        ({"status": 403, "text": FORBIDDEN}, "Reporter"),
        ({"status": 404, "text": "404 Project Not Found"}, "may not see it"),
        ({"status": 404, "text": "404 Not Found", "is_missing_endpoint": True}, "no such address"),
        ({"status": 405, "text": "Non GET methods are not allowed for moved projects"}, "new path"),
        ({"status": 405, "text": "Offset pagination has a maximum allowed offset of 50000"}, "choose a pipeline"),
        ({"status": 409, "text": "409 Conflict: Resource lock"}, "try again"),
        ({"status": 429, "text": "Retry later"}, "api_concurrency"),
        ({"status": 503, "text": "GitLab Maintenance: system is in maintenance mode"}, "maintenance mode"),
        ({"status": 500}, "administrator"),
        ({"status": 502}, "proxy"),
        ({"status": 503}, "overloaded"),
        ({"status": 504}, "too long"),
    ],
)
def test_advice(arguments, expected):
    assert expected in advice(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"status": 404, "text": "404 Not found"},
        {"status": 400, "text": "scope is invalid"},
        {"status": 418},
        # the action knows
        {"status": 403, "text": FORBIDDEN, "is_write": True},
    ],
)
def test_nothing_better_than_the_words_of_gitlab(arguments):
    assert advice(**arguments) == ""


def test_a_missing_object_is_not_called_a_missing_address():
    assert advice(404, "404 Not found", is_missing_endpoint=False) == ""


def test_a_web_page_for_404_is_a_wrong_address():
    assert "api_url" in advice(404, "", is_missing_endpoint=True)
