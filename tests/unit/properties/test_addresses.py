# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value stays within its place in an address and can be decoded unchanged."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import endpoints as encoding
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.catalogue import CATALOGUE
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError, UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import parse_address, resolve
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.libraries import requests_library
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action
from hypothesis import given
from hypothesis import strategies as st

from ..harness import API, FunctionTransport, job, run_task
from .support import any_text, assert_line, examples, nested, sendable_text

ROWS = {endpoint.name: endpoint for endpoint in CATALOGUE}
long_text = st.builds(lambda text, times: text * times, sendable_text, st.sampled_from([1, 1, 1, 400]))


def has_dots(text: str) -> bool:
    return not {".", ".."}.isdisjoint(text.split("/"))


@examples(150)
@given(long_text)
def test_project_stays_one_path_segment(project):
    arguments = {"project": project, "job_id": 42}
    if project in (".", ".."):
        with pytest.raises(UsageError):
            ROWS["get_job"].build(API, arguments)
        return
    request = ROWS["get_job"].build(API, arguments)
    parts = urlsplit(request.url)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "gitlab.example.com", "", "")
    segments = parts.path.split("/")
    assert [*segments[:4], *segments[5:]] == ["", "api", "v4", "projects", "jobs", "42"]
    assert unquote(segments[4]) == project
    assert request.url.isascii() and request.url.isprintable()


@examples(150)
@given(long_text, long_text, long_text)
def test_ref_and_artifact_path_stay_in_their_places(ref, path, name):
    arguments = {"project": "group/app", "ref_name": ref, "artifact_path": path, "job": name}
    endpoint = ROWS["download_artifact_file_by_ref"]
    if has_dots(ref) or has_dots(path):
        with pytest.raises(UsageError) as caught:
            endpoint.build(API, arguments)
        assert_line(str(caught.value))
        return
    parts = urlsplit(endpoint.build(API, arguments).url)
    before, after = f"/api/v4/projects/group%2Fapp/jobs/artifacts/{encoding.quoted(ref, with_slashes=True)}", "/raw/"
    assert parts.path == before + after + encoding.quoted(path, with_slashes=True)
    assert unquote(parts.path) == f"/api/v4/projects/group/app/jobs/artifacts/{ref}/raw/{path}"
    assert parse_qsl(parts.query, keep_blank_values=True) == [("job", name)]
    assert not parts.fragment


@examples(100)
@given(any_text)
def test_lone_surrogates_are_sent_unchanged_or_refused(value):
    """Python reads invalid UTF-8 as lone surrogates, which are sent as the original bytes."""
    try:
        request = ROWS["list_pipelines"].build(API, {"project": "7", "ref": value})
    except UsageError as exc:
        assert_line(str(exc))
        assert any(0xD800 <= ord(char) < 0xE000 for char in value)
        return
    assert parse_qsl(urlsplit(request.url).query, errors="surrogateescape", keep_blank_values=True) == [("ref", value)]


@examples(100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["scope", "ref", "page", "a&b=c"]),
            st.one_of(st.booleans(), st.integers(), sendable_text, st.lists(sendable_text, max_size=4)),
        ),
        max_size=5,
    )
)
def test_query_strings_can_be_decoded(pairs):
    expected = []
    for name, value in pairs:
        if isinstance(value, list):
            expected += [(name + "[]", item) for item in value]
        else:
            expected.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    query = encoding.query_string(pairs)
    assert parse_qsl(query, keep_blank_values=True) == expected
    assert query.isascii() and not set(query) & set(" #/?\n")


@examples(100)
@given(st.dictionaries(sendable_text, nested(st.one_of(st.none(), st.integers(), any_text)), max_size=4))
def test_bodies_can_be_decoded(fields):
    body = encoding.json_body(fields)
    assert (json.loads(body) if body else {}) == fields


def played_with(variables):
    transport = FunctionTransport(lambda call: job(status="pending" if call.method == "POST" else "manual"))
    options = {"action": "play", "job_id": 42, "job_variables": variables}
    run_task(gitlab_job_action.TASK, options, transport=transport)
    [call] = [call for call in transport.calls if call.method == "POST"]
    return call.body


@examples(80)
@given(
    st.dictionaries(
        st.from_regex("[A-Za-z0-9_]{1,8}", fullmatch=True),
        st.one_of(any_text, st.booleans(), st.integers(), st.floats()),
        min_size=1,
    )
)
def test_scalars_become_job_variables(variables):
    expected = {
        key: ("true" if value else "false") if isinstance(value, bool) else str(value)
        for key, value in variables.items()
    }
    sent = played_with(variables)["job_variables_attributes"]
    assert {variable["key"]: variable["value"] for variable in sent} == expected
    assert all(set(variable) == {"key", "value"} for variable in sent)


@examples(100)
@given(
    any_text,
    st.one_of(
        st.none(),
        st.lists(st.integers(), max_size=2),
        st.dictionaries(st.text(), st.integers(), max_size=2),
        st.binary(max_size=4),
        st.dates(),
        st.sets(st.integers(), max_size=2),
    ),
)
def test_other_values_are_refused_as_job_variables(key, value):
    with pytest.raises(GitLabError) as caught:
        played_with({key: value})
    assert isinstance(caught.value, UsageError)
    assert_line(str(caught.value))


_HOSTS = ["gitlab.test", "other.test", "[::1]", "127.0.0.1", "gitlab.test.", "a_b", "%2e", "\uff0e", "localhost"]
_MARKS = [*"/\\@:;?#%.[]|&,+ \t\n\r\x00\x7f\xa0", "//", "://", ":443", ":8443", ":0443", ":", "..", "%00", "%40", "%5c"]
pieces = st.lists(st.sampled_from(["https", "http", "x", "user", *_HOSTS, *_MARKS]), max_size=8).map("".join)
references = st.one_of(pieces, pieces.map(lambda text: "https://" + text), any_text)


@examples(600)
@given(references)
def test_all_parsers_find_the_same_server_in_an_accepted_url(text):
    """The collection's parser, the one of the standard library, and the one that opens the connection."""
    try:
        address = parse_address(text)
    except ValueError:
        return
    url = address.url
    assert parse_address(url) == address
    assert url.isascii() and url.isprintable() and not set(url) & set("\\ #")
    parts, opened = urlsplit(url), requests_library().packages.urllib3.util.parse_url(url)
    host = address.host.strip("[]")
    assert (parts.scheme, parts.hostname, parts.username) == (address.scheme, host, None)
    assert (opened.scheme, opened.host, opened.auth) == (address.scheme, address.host, None)
    default = {"http": 80, "https": 443}[address.scheme]
    assert {parts.port or default, opened.port or default} == {address.port}


@examples(600)
@given(references)
def test_resolved_reference_has_the_server_it_names_or_stays(text):
    base = "https://gitlab.example.com/api/v4/x?y"
    try:
        target = resolve(base, text)
    except ValueError:
        return
    if text.startswith(("/", "?", "#", ".")) and not text.startswith("//"):
        assert target.origin == parse_address(base).origin
    elif "://" not in text and not text.startswith("//"):
        assert target.origin == parse_address(base).origin
    assert parse_address(target.url) == target
