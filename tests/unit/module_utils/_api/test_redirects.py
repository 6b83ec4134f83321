# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redirects: followed for reads only, five at most, and never from https to http."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import BadAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request, send_following

from ...harness import API, reply

START = API + "/projects/old%2Fapp"


def follow(table, url=START, method="GET"):
    """Return the final answer, and the addresses asked, for a table of address to Location."""
    asked = []

    def send(request):
        asked.append(request.url)
        target = table.get(request.url)
        if target is None:
            return reply({"done": True})
        status, location = target if isinstance(target, tuple) else (302, target)
        return reply("moved", status=status, headers={"Location": location} if location else {})

    return send_following(Request(method, url, headers={"Accept": "x"}), send), asked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_of_a_read_is_followed(status):
    target = API + "/projects/7"
    response, asked = follow({START: (status, target)})
    assert response.status == 200
    assert asked == [START, target]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/api/v4/projects/7", API + "/projects/7"),
        ("7?a=b", API + "/projects/7?a=b"),
        ("//cdn.example.com/x", "https://cdn.example.com/x"),
        ("https://cdn.example.com/x?sig=1", "https://cdn.example.com/x?sig=1"),
        ("HTTPS://cdn.example.com/x", "https://cdn.example.com/x"),
    ],
)
def test_targets(location, target):
    _response, asked = follow({START: location})
    assert [address.replace("HTTPS", "https") for address in asked] == [START, target]


def test_five_redirects_are_followed_and_no_more():
    chain = {f"{API}/{number}": f"{API}/{number + 1}" for number in range(5)}
    response, asked = follow(chain, f"{API}/0")
    assert response.status == 200
    assert len(asked) == 6
    chain[f"{API}/5"] = f"{API}/6"
    with pytest.raises(BadAnswerError, match="more than 5 redirects"):
        follow(chain, f"{API}/0")


@pytest.mark.parametrize(
    ("url", "location", "method", "problem"),
    [
        (START, "http://gitlab.example.com/x?signature=s3cret", "GET", "from https to http"),
        (START, "http://other.example.com/?signature=s3cret", "GET", "from https to http"),
        (START, API + "/x?signature=s3cret", "POST", "the server redirects a POST"),
        (START, API + "/x?signature=s3cret", "DELETE", "the server redirects a DELETE"),
        (START, "file:///etc/passwd?signature=s3cret", "GET", "no web address"),
        (START, "http:///?signature=s3cret", "GET", "no web address"),
        (START, "https://[?signature=s3cret", "GET", "no web address"),
        (START, "https://host:99999/?signature=s3cret", "GET", "no web address"),
        (START, "", "GET", "without a Location"),
    ],
)
def test_what_is_not_followed(url, location, method, problem):
    with pytest.raises(BadAnswerError) as caught:
        follow({url: location}, url, method)
    assert problem in str(caught.value)
    # a signed storage address is a secret
    assert "s3cret" not in str(caught.value)
    assert (caught.value.method, caught.value.url) == (method, url)


def test_http_may_become_https():
    response, asked = follow({"http://gitlab.example.com/api/v4/x": API + "/x"}, "http://gitlab.example.com/api/v4/x")
    assert asked[-1] == API + "/x"
    assert response.status == 200
