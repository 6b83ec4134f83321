# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses become API addresses of the same server or errors without passwords; tokens are sent as they are or not."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import parse_address
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.settings import api_base_url, project_path
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.connection import (
    choose_token,
    connection_settings,
)
from hypothesis import given
from hypothesis import strategies as st

from .support import any_text, assert_line, examples

PASSWORD = "hunter2-Zz9"
pieces = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "https://",
                "http://",
                "//",
                "/",
                ":",
                "@",
                "?",
                "#",
                "gitlab.example.com",
                ":8443",
                "/api/v4",
                "/api",
                "%",
            ]
            + ["git", "[::1]", "[", "]", "\\", " ", "\n", "ftp:", "..", "é", "user"]
        ),
        st.text(max_size=4),
    ),
    max_size=7,
).map("".join)


@examples(400)
@given(st.one_of(pieces, any_text, pieces.map(lambda rest: "https://" + rest)))
def test_api_url_keeps_its_origin_or_is_refused(url):
    try:
        base = api_base_url(url)
    except UsageError as exc:
        assert_line(str(exc))
        return
    assert base.endswith("/api/v4") and base.isprintable()
    assert parse_address(base).origin == parse_address(url.strip()).origin
    parts = urlsplit(base)
    assert not parts.query and not parts.fragment and "@" not in parts.netloc and "\\" not in parts.netloc
    assert api_base_url(base) == base


@examples(150)
@given(pieces, st.sampled_from(["", "user:", "us@er:", "user:x/", "user:#"]), pieces)
def test_messages_never_show_a_password(before, user, after):
    url = f"{before}{user}{PASSWORD}@{after}"
    try:
        base = api_base_url(url)
    except UsageError as exc:
        assert_line(str(exc))
        assert PASSWORD not in str(exc)
    else:
        # an @ in the path does not indicate a password
        assert "@" not in urlsplit(base).netloc


@examples(150)
@given(st.sampled_from(["api_token", "api_oauth_token", "api_job_token"]), any_text)
def test_token_is_unchanged_or_refused(kind, token):
    try:
        found = choose_token({kind: token}, {})
    except UsageError as exc:
        assert_line(str(exc))
        assert len(token.strip()) < 4 or token.strip() not in str(exc)
        return
    chosen = found[2]
    assert chosen == token.strip()
    assert chosen.isascii() and not any(char.isspace() or not char.isprintable() for char in chosen)


@examples(100)
@given(
    st.text(alphabet="abcXYZ019_-.", min_size=1),
    st.sampled_from(" \t\n\r\x00\x7f\u00a0\u2028é日"),
    st.text("ab", min_size=1),
)
def test_token_with_invalid_characters_is_refused(head, foreign, tail):
    with pytest.raises(UsageError):
        choose_token({"api_token": head + foreign + tail}, {})


@examples(150)
@given(any_text)
def test_project_is_usable_or_refused(project):
    try:
        assert project_path(project, "https://gitlab.com/api/v4")
    except UsageError as exc:
        assert str(exc)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 1e300])
def test_invalid_timeout_is_refused(value):
    with pytest.raises(UsageError) as caught:
        connection_settings({"api_url": "https://gitlab.com", "api_timeout": value}, {})
    assert_line(str(caught.value))
