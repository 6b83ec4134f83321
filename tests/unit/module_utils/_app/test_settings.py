# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Normalizing addresses, headers and projects."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app import settings

SECRET = "glpat-0123456789abcdef"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://gitlab.example.com", "https://gitlab.example.com/api/v4"),
        ("https://gitlab.example.com/", "https://gitlab.example.com/api/v4"),
        ("https://gitlab.example.com/api/v4", "https://gitlab.example.com/api/v4"),
        ("https://gitlab.example.com/api/v4//", "https://gitlab.example.com/api/v4"),
        (" http://localhost:8080 ", "http://localhost:8080/api/v4"),
        ("https://example.com/gitlab", "https://example.com/gitlab/api/v4"),
        ("https://example.com/gitlab/api/v4/", "https://example.com/gitlab/api/v4"),
        ("https://example.com/rapid", "https://example.com/rapid/api/v4"),
        ("HTTPS://Gitlab.Example.com", "https://gitlab.example.com/api/v4"),
        ("https://gitlab.example.com:0443/x", "https://gitlab.example.com/x/api/v4"),
        ("https://[::1]:8443", "https://[::1]:8443/api/v4"),
    ],
)
def test_api_url_is_normalized(url, expected):
    assert settings.api_base_url(url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("gitlab.example.com", "is not a web address"),
        ("ftp://gitlab.example.com", "is not a web address"),
        ("https://", "is not a web address"),
        ("", "api_url is empty; set it to the address of the server, or omit it"),
        (" \n", "api_url is empty"),
        ("https://git lab.example.com", "is not a web address"),
        ("https://gitlab.example.com\n/x", "is not a web address"),
        ("https://gitlab.example.com:0", "is not a web address"),
        ("https://gitlab.example.com:99999", "is not a web address"),
        ("https://gitlab.example.com:port", "is not a web address"),
        ("https://[::1", "is not a web address"),
        ("https://bücher.example", "write it like https://xn--bcher-kva.example, in ASCII only"),
        (f"https://user:{SECRET}@gitlab.example.com", "contains a user name"),
        (f"https://gitlab.example.com?private_token={SECRET}", "contains a query"),
        ("https://gitlab.example.com#top", "contains a query or a fragment"),
        ("https://gitlab.example.com\\@other.test", "contains a user name"),
        ("https://gitlab.example.com\\.other.test", "is not a web address"),
        ("https://gitlab.example.com;other.test", "is not a web address"),
        ("https://gitlab\uff0eexample.com", "is not a web address"),
        ("https://gitlab.exämple.com", "is not a web address"),
        ("https://gitlab.example.com/a b", "is not a web address"),
        ("https://gitlab.example.com/api", "another API"),
        ("https://gitlab.example.com/api/v3/", "another API"),
    ],
)
def test_invalid_api_url_is_a_usage_error(url, words):
    with pytest.raises(UsageError) as caught:
        settings.api_base_url(url)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


API = "https://gitlab.example.com/api/v4"


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        ("7", "7"),
        ("group/app", "group/app"),
        ("/group/sub/app/", "group/sub/app"),
        (" a/b ", "a/b"),
        ("https://gitlab.example.com/group/app", "group/app"),
        ("https://GitLab.example.com:443/group/sub/app/", "group/sub/app"),
        ("https://gitlab.example.com/group/app/-/pipelines/6", "group/app"),
        ("https://gitlab.example.com/group/app/-/jobs/42?raw=1#L7", "group/app"),
        ("https://gitlab.example.com/group/app.git", "group/app"),
        ("group/app.git", "group/app"),
    ],
)
def test_project_is_normalized(project, expected):
    assert settings.project_path(project, API) == expected


def test_project_url_must_match_the_path_of_the_server():
    api = "https://example.com/gitlab/api/v4"
    assert settings.project_path("https://example.com/gitlab/group/app/-/jobs", api) == "group/app"
    with pytest.raises(UsageError, match="another server than api_url, https://example.com/gitlab;"):
        settings.project_path("https://example.com/gitlab2/group/app", api)


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ("", "project is ''; set it to the numeric id or the full path"),
        ("/", "project is '/'; set it to"),
        ("https://gitlab.example.com/", "set it to the numeric id or the full path"),
        ("app", "has no slash"),
        ("group%2Fapp", "is URL-encoded"),
        ("['group/app']", "set it to one project, not a list"),
        ("git@gitlab.example.com:group/app.git", "is the address of a Git repository; use the path, like group/app"),
        (
            "user:secret-word@gitlab.example.com/group/app",
            "project 'gitlab.example.com/group/app' is an address; use the path",
        ),
        ("ssh://git@gitlab.example.com/group/app.git", "is not a web address; use the path of the project"),
        (
            "https://other.example.com/group/app",
            "project 'https://other.example.com/group/app' belongs to another server than api_url, "
            "https://gitlab.example.com;",
        ),
        ("http://gitlab.example.com/group/app", "another server"),
        ("https://gitlab.example.com:8443/group/app", "another server"),
    ],
)
def test_project_that_gitlab_would_not_find_is_a_usage_error(project, words):
    with pytest.raises(UsageError) as caught:
        settings.project_path(project, API)
    assert words in str(caught.value)


def test_password_in_a_project_url_is_hidden():
    with pytest.raises(UsageError) as caught:
        settings.project_path(f"https://me:{SECRET}@gitlab.example.com/group/app", API)
    assert SECRET not in str(caught.value)
