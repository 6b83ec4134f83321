# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The advice to users for each error status."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.advice import advice_for, page_advice
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import StatusError

from ...harness import API


def advice(
    status,
    text="",
    is_write=False,
    token="api_token",
    value="",
    is_foreign=False,
    is_missing_endpoint=False,
    title="",
    endpoint="list_project_jobs",
):
    error = StatusError("", status=status, server_text=text)
    error.is_foreign = is_foreign
    settings = ConnectionSettings(API, token_kind=token, token=value)
    return advice_for(
        error,
        settings,
        endpoint=endpoint,
        is_write=is_write,
        is_missing_endpoint=is_missing_endpoint,
        title=title,
    )


FORBIDDEN = "403 Forbidden"
FINE_GRAINED = "Access denied: This operation requires "
HIGHER = "The request requires higher privileges than provided by the access token."


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"status": 401, "text": "401 Unauthorized", "token": ""},
            "No token was sent, because no option sets one and GITLAB_API_TOKEN, GITLAB_TOKEN, GITLAB_PRIVATE_TOKEN "
            "and GITLAB_OAUTH_TOKEN are not set: set api_token, or one of these variables",
        ),
        ({"status": 403, "text": FORBIDDEN, "token": ""}, "No token was sent"),
        # the Reporter role is not enough for these
        ({"status": 403, "text": FORBIDDEN, "endpoint": "get_job_log"}, "a job in debug mode requires the Developer"),
        ({"status": 403, "text": FORBIDDEN, "endpoint": "download_artifact_file"}, "check artifacts:access"),
        ({"status": 403, "text": FORBIDDEN, "endpoint": "list_artifact_tree"}, "check artifacts:access"),
        (
            {"status": 403, "text": FORBIDDEN, "endpoint": "get_pipeline_variables"},
            "the Maintainer role in the project, or must",
        ),
        ({"status": 404, "text": "404 Project Not Found", "token": ""}, "No token was sent"),
        ({"status": 404, "text": "404 Not Found", "token": "", "is_missing_endpoint": True}, "not have this endpoint"),
        # GitLab's answers about the user
        ({"status": 403, "text": "403 Forbidden - Your account has been blocked."}, "unblock the user"),
        (
            {
                "status": 403,
                "text": f"{FORBIDDEN} - Your account is pending approval from your administrator and hence blocked.",
            },
            "has to approve the user",
        ),
        ({"status": 403, "text": f"{FORBIDDEN} - Your account has been deactivated by your administrator."}, "sign in"),
        (
            {
                "status": 403,
                "text": f"{FORBIDDEN} - You (@alice) must accept the Terms of Service in order to perform this action.",
            },
            "accept the terms",
        ),
        ({"status": 403, "text": f"{FORBIDDEN} - Your password expired."}, "set a new password"),
        # about the token
        (
            {
                "status": 403,
                "text": FINE_GRAINED + "a fine-grained personal access token with the following project "
                "permissions: [Pipeline: Read].",
            },
            "with the scope read_api",
        ),
        (
            {
                "status": 403,
                "text": FINE_GRAINED + "a fine-grained personal access token with the following project "
                "permissions: [Job: Play].",
                "is_write": True,
            },
            "with the scope api",
        ),
        (
            {
                "status": 403,
                "text": "Access denied: Your Personal Access Token lacks the required permissions: [read_job] for "
                '"group/project".',
            },
            "add this permission to it",
        ),
        (
            {
                "status": 403,
                "text": "Access denied: This operation doesn't support fine-grained personal access tokens.",
            },
            "that is not fine-grained",
        ),
        (
            {
                "status": 403,
                "text": f"{FORBIDDEN} - Insufficient permissions to access this resource in project p. The following "
                "token permission is required: read_jobs.",
            },
            "job token allowlist",
        ),
        ({"status": 401, "text": "401 Unauthorized", "value": "gldt-abc"}, "api_token holds a deploy token"),
        ({"status": 401, "text": "401 Unauthorized", "value": "glrt-abc"}, "api_token holds a runner token"),
        ({"status": 401, "text": "401 Unauthorized", "value": "glcbt-abc"}, "set it as api_job_token"),
        # GitLab ignores it and hides private projects
        ({"status": 404, "text": "404 Project Not Found", "value": "glcbt-abc"}, "set it as api_job_token"),
        (
            {"status": 401, "text": "401 Unauthorized", "value": "glpat-abc", "token": "api_job_token"},
            "set it as api_token",
        ),
        ({"status": 401, "text": "401 Unauthorized", "value": "glpat-abc"}, "Check the token"),
        # about the server and the project
        (
            {"status": 403, "text": "You cannot perform write operations on a read-only instance", "is_write": True},
            "a read-only copy (Geo): set api_url to the primary site",
        ),
        ({"status": 403, "text": f"{FORBIDDEN} - The project is archived"}, "Unarchive the project"),
        (
            {
                "status": 409,
                "text": "Action temporarily disabled. The project this pipeline belongs to is undergoing stats "
                "refresh.",
            },
            "busy",
        ),
        # web pages
        ({"status": 403, "title": "Just a moment..."}, "Cloudflare answers instead of GitLab"),
        ({"status": 403, "title": "Attention Required! | Cloudflare"}, "Cloudflare"),
        ({"status": 401, "title": "Sign in · GitLab"}, "A login page answers instead of GitLab"),
        ({"status": 403, "title": "Company Single Sign-On"}, "A login page"),
        ({"status": 400, "title": "400 The plain HTTP request was sent to HTTPS port"}, "use https in api_url"),
        ({"status": 503, "title": "GitLab is not responding: maintenance"}, "in maintenance"),
        ({"status": 401, "text": "Token is expired. You can either do re-authorization"}, "has expired"),
        ({"status": 401, "text": "Token was revoked."}, "was revoked"),
        ({"status": 401, "text": "401 Unauthorized", "token": "api_job_token"}, "only while its job is running"),
        ({"status": 401, "text": "401 Unauthorized"}, "Check the token"),
        ({"status": 403, "text": HIGHER, "is_write": True}, "changes need the scope api"),
        ({"status": 403, "text": HIGHER}, "read_api"),
        (
            {"status": 403, "text": "Authentication by CI/CD job token not allowed from a to b."},
            "job token allowlist",
        ),
        ({"status": 403, "text": FORBIDDEN}, "Reporter"),
        ({"status": 404, "text": "404 Project Not Found"}, "cannot access it: check project and the token"),
        ({"status": 404, "text": "404 Project Not Found", "token": "api_job_token"}, "before GitLab 19.2"),
        ({"status": 404, "text": "404 Not Found", "is_missing_endpoint": True}, "older versions and other editions"),
        ({"status": 405, "text": "405 Not Allowed"}, "too old for this request"),
        ({"status": 405, "text": "Non GET methods are not allowed for moved projects"}, "new path"),
        ({"status": 405, "text": "Offset pagination has a maximum allowed offset of 50000"}, "select a pipeline"),
        ({"status": 409, "text": "409 Conflict: Resource lock"}, "try again"),
        ({"status": 429, "text": "Retry later"}, "try again later, and set api_requests_per_minute"),
        ({"status": 503, "text": "GitLab Maintenance: system is in maintenance mode"}, "maintenance mode"),
        ({"status": 500}, "administrator"),
        ({"status": 502}, "proxy"),
        ({"status": 503}, "overloaded"),
        ({"status": 504}, "too long"),
    ],
)
def test_error_gets_its_advice(arguments, expected):
    assert expected in advice(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"status": 404, "text": "404 Not found"},
        # GitLab states the reason, so no guess is added
        {"status": 403, "text": "403 Forbidden - This project has no minutes left"},
        {"status": 403, "text": "403 Forbidden - Job is not retryable", "is_write": True},
        {"status": 401, "text": "You must use a hardware key", "value": "gldt-abc"},
        {"status": 409, "text": "409 Conflict: name is taken"},
        {"status": 400, "text": "scope is invalid"},
        # words in the names of jobs are not reasons
        {"status": 400, "text": "jobs:read-only config should implement the script:, run:, or trigger: keyword"},
        {"status": 400, "text": "jobs:is an account deactivated config should implement the script: keyword"},
        {"status": 400, "text": "jobs:fine-grained config should implement the script:, run:, or trigger: keyword"},
        {"status": 400, "text": "jobs:terms of service config key may not be used with `rules`: only"},
        {"status": 418},
        # actions have their own advice
        {"status": 403, "text": FORBIDDEN, "is_write": True},
    ],
)
def test_no_advice_is_added_to_other_errors(arguments):
    assert advice(**arguments) == ""


def test_missing_object_gets_no_advice_about_the_url():
    assert advice(404, "404 Not found", is_missing_endpoint=False) == ""


def test_web_page_with_status_404_suggests_checking_api_url():
    assert "api_url" in advice(404, "", is_missing_endpoint=True)


@pytest.mark.parametrize("status", [400, 401, 403, 405])
@pytest.mark.parametrize("title", ["", "403 Forbidden", "401 Authorization Required"])
def test_foreign_answer_gets_advice_about_proxies(status, title):
    found = advice(status, value="gldt-abc", is_foreign=True, title=title)
    assert "something in front of it answers" in found and "http_headers" in found


@pytest.mark.parametrize("title", ["Welcome to nginx!", "502 Bad Gateway - Design Inc", "Our Blog Index"])
def test_unknown_page_title_gets_no_advice(title):
    assert page_advice(title) == ""


@pytest.mark.parametrize(
    ("problem", "advice", "text"),
    [
        (
            "GitLab says: Token is expired.",
            "The token has expired",
            "GitLab says: Token is expired. The token has expired (status 401)",
        ),
        ("GitLab says: Your account has been blocked.", "", "GitLab says: Your account has been blocked (status 401)"),
    ],
)
def test_error_text_has_no_duplicate_period(problem, advice, text):
    error = StatusError(problem, status=401)
    error.advice = advice
    assert str(error) == text
