# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a connection from options and environment."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values import connection

SECRET = "glpat-0123456789abcdef"


def settings(**options):
    return connection.connection_settings({"api_url": "https://gitlab.example.com", **options}, {})


OPTION = {"api_token": "from-option"}
PAT = {"GITLAB_API_TOKEN": "one", "GITLAB_TOKEN": "two", "GITLAB_PRIVATE_TOKEN": "three"}
OAUTH = {"GITLAB_OAUTH_TOKEN": "four"}


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ({}, {}, ("", "")),
        ({}, PAT, ("api_token", "one")),
        ({}, {**PAT, "GITLAB_API_TOKEN": ""}, ("api_token", "two")),
        ({}, {**PAT, "GITLAB_API_TOKEN": " \n"}, ("api_token", "two")),
        ({}, {"GITLAB_PRIVATE_TOKEN": "three"}, ("api_token", "three")),
        ({}, OAUTH, ("api_oauth_token", "four")),
        (OPTION, {**PAT, **OAUTH}, ("api_token", "from-option")),
        ({"api_job_token": "glcbt-1"}, PAT, ("api_job_token", "glcbt-1")),
        ({"api_oauth_token": "abc"}, PAT, ("api_oauth_token", "abc")),
        ({"api_token": None}, OAUTH, ("api_oauth_token", "four")),
        ({"api_token": " padded\n"}, {}, ("api_token", "padded")),
        # it would act as another user
        ({}, {"CI_JOB_TOKEN": "glcbt-1"}, ("", "")),
    ],
)
def test_token_is_chosen_by_precedence(options, environ, expected):
    kind, name, token = connection.choose_token(options, environ)
    assert (kind, token) == expected
    assert name in (kind, *environ)


@pytest.mark.parametrize(
    ("options", "environ", "words"),
    [
        ({"api_token": "one", "api_job_token": "two"}, {}, "several tokens are set: api_token, api_job_token"),
        ({}, {**PAT, **OAUTH}, "several tokens are set: GITLAB_API_TOKEN, GITLAB_OAUTH_TOKEN"),
        # an empty value must not change the user
        ({"api_token": ""}, PAT, "api_token is empty; set it to a token, or omit it"),
        ({"api_oauth_token": " "}, PAT, "api_oauth_token is empty"),
        ({"api_job_token": ""}, {}, "api_job_token is empty"),
        ({"api_token": "", "api_job_token": "two"}, {}, "several tokens are set"),
        ({"api_token": f"{SECRET} x"}, {}, "api_token contains spaces"),
        ({"api_token": f"{SECRET}\nx"}, {}, "api_token contains spaces"),
        ({"api_token": f"{SECRET}ü"}, {}, "tokens cannot have"),
        ({}, {"GITLAB_PRIVATE_TOKEN": f"{SECRET} x"}, "GITLAB_PRIVATE_TOKEN contains spaces"),
        ({"api_token": "********"}, {}, "api_token contains spaces, line breaks or other characters that tokens"),
        ({}, {"GITLAB_TOKEN": "glpat-********"}, "GITLAB_TOKEN contains spaces"),
    ],
)
def test_invalid_tokens_are_usage_errors(options, environ, words):
    with pytest.raises(UsageError) as caught:
        connection.choose_token(options, environ)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ""),
        ({"CI_SERVER_URL": "https://ci"}, "https://ci"),
        ({"CI_SERVER_URL": "https://ci", "GITLAB_SERVER_URL": "https://server"}, "https://server"),
        ({"GITLAB_URL": "https://url", "GITLAB_SERVER_URL": "https://server"}, "https://url"),
        ({"GITLAB_API_URL": "https://api/api/v4", "GITLAB_URL": "https://url"}, "https://api/api/v4"),
        ({"GITLAB_HOST": "host", "CI_SERVER_URL": "https://ci"}, "https://host"),
        ({"GITLAB_HOST": "http://host:8080/gitlab"}, "http://host:8080/gitlab"),
        ({"GL_HOST": "host:8443", "CI_SERVER_URL": "https://ci"}, "https://host:8443"),
        ({"GITLAB_HOST": "host", "GL_HOST": "other"}, "https://host"),
        ({"GITLAB_SERVER_URL": "https://server", "GITLAB_HOST": "host"}, "https://server"),
        # an empty variable counts as unset
        ({"GITLAB_API_URL": "", "GITLAB_HOST": " ", "GL_HOST": "host"}, "https://host"),
    ],
)
def test_api_url_is_read_from_the_environment(environ, expected):
    assert connection.environment_url(environ) == expected


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ({}, {}, {}),
        ({"api_url": "https://ci"}, {"CI_SERVER_URL": "https://ci"}, {"api_url": "CI_SERVER_URL"}),
        ({"api_url": "https://host"}, {"GITLAB_HOST": "host"}, {"api_url": "GITLAB_HOST"}),
        ({}, {"CI_SERVER_URL": "https://ci.example.com", **PAT}, {"token": "GITLAB_API_TOKEN"}),
        ({"api_token": SECRET}, PAT, {}),
    ],
)
def test_settings_remember_the_environment_variables_used(options, environ, expected):
    given = {"api_url": "https://gitlab.example.com", **options}
    assert connection.connection_settings(given, environ).variables == expected


@pytest.mark.parametrize("value", ["ftp://x", "https://alice@x", "https://x?y=1", "https://x/api/v3"])
def test_invalid_url_from_the_environment_names_its_variable(value):
    with pytest.raises(UsageError, match="^CI_SERVER_URL "):
        connection.connection_settings({"api_url": value}, {"CI_SERVER_URL": value})


def test_empty_api_url_is_not_the_default():
    with pytest.raises(UsageError, match="api_url is empty; set it to the address of the server, or omit it"):
        settings(api_url="")


def test_extensions_are_read_from_options_and_environment():
    assert connection.environment_extensions({"JOBGATE_EXTENSIONS": " audit-log, ,freeze"}) == ["audit-log", "freeze"]
    assert settings(extensions=[" a "]).extensions == ("a",)


def test_settings_have_defaults_and_given_values():
    found = settings()
    assert (found.timeout_seconds, found.retries, found.concurrency, found.validate_certs) == (30.0, 5, 8, True)
    options = {"api_timeout": 2, "api_retries": 0, "api_concurrency": 1, "validate_certs": False, "ca_path": "/ca.pem"}
    found = settings(**options)
    assert (found.timeout_seconds, found.retries, found.concurrency, found.validate_certs) == (2.0, 0, 1, False)
    assert found.ca_path == "/ca.pem"


@pytest.mark.parametrize(
    "options", [{"api_retries": -1}, {"api_concurrency": 0}, {"api_timeout": 0.0}, {"api_timeout": -1.0}]
)
def test_too_small_values_are_refused(options):
    with pytest.raises(UsageError, match=f"{next(iter(options))} is .*; use .* or more"):
        settings(**options)


def test_client_key_needs_a_client_certificate():
    given = {"client_cert": "/ci.pem", "client_key": "/ci.key"}
    found = settings(**given)
    assert (found.client_cert, found.client_key) == ("/ci.pem", "/ci.key")
    with pytest.raises(UsageError, match="client_key is set without client_cert"):
        settings(client_key="/ci.key")


def test_http_headers_become_strings_and_secrets():
    given = {"X-Pass": SECRET, "X-Number": 7, "X-Yes": True, "X-Tab": "a\tb"}
    found = settings(http_headers=given)
    assert found.http_headers == {"X-Pass": SECRET, "X-Number": "7", "X-Yes": "true", "X-Tab": "a\tb"}
    # a short value is a common word, and must not be masked everywhere
    assert found.secrets == (SECRET,)


@pytest.mark.parametrize(
    "name",
    ["Authorization", "PRIVATE-TOKEN", "job-token", "Cookie", "HOST", "Content-Length", "Transfer-Encoding", "Accept"],
)
def test_reserved_headers_are_refused(name):
    with pytest.raises(UsageError, match=f"http_headers cannot set {name}") as caught:
        settings(http_headers={name: SECRET})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X Pass", SECRET),
        ("", SECRET),
        ("X-Pass:", SECRET),
        ("X-Ü", SECRET),
        ("X-Pass", SECRET + "\r\nHost: other.test"),
        ("X-Pass", SECRET + "\n"),
        ("X-Pass", " " + SECRET),
        ("X-Pass", SECRET + "ü"),
        ("X-Pass", [SECRET]),
        ("X-Pass", None),
    ],
)
def test_invalid_headers_are_refused(name, value):
    with pytest.raises(UsageError, match="http_headers contains an invalid header") as caught:
        settings(http_headers={name: value})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"api_timeout": 1e9},
        {"api_concurrency": 1001},
        {"api_concurrency": 10**400},
        {"api_requests_per_minute": 10**30},
        {"api_retries": 10**30},
    ],
)
def test_too_large_numbers_are_refused(options):
    with pytest.raises(UsageError, match=f"{next(iter(options))} is .*; use .* or less"):
        settings(**options)
