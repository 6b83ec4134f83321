# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses and redirects: one parser; redirects only for reads, at most five, and never from https to http."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import BadAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request, parse_address, send_following
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire.requests_transport import RequestsTransport

from tests.simulator.certificates import Authority

from ...harness import API, TOKEN, reply
from .loopback import OK, LoopbackServer, answer_of

START = API + "/projects/old%2Fapp"


def follow(table, url=START, method="GET", **how):
    """Return the final answer and the requested addresses, for a mapping of addresses to Location headers."""
    asked = []

    def send(request):
        asked.append(request.url)
        target = table.get(request.url)
        if target is None:
            return reply({"done": True})
        status, location = target if isinstance(target, tuple) else (302, target)
        return reply("moved", status=status, headers={"Location": location} if location else {})

    return send_following(Request(method, url, headers={"Accept": "x"}), send, **how), asked


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
def test_redirect_target_is_resolved(location, target):
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
        (START, "file:///etc/passwd?signature=s3cret", "GET", "not a web address"),
        (START, "http:///?signature=s3cret", "GET", "not a web address"),
        (START, "https://[?signature=s3cret", "GET", "not a web address"),
        (START, "https://host:99999/?signature=s3cret", "GET", "not a web address"),
        (START, "https:x?signature=s3cret", "GET", "not a web address"),
        (START, "https:/x?signature=s3cret", "GET", "not a web address"),
        (START, "", "GET", "without a Location"),
    ],
)
def test_unsafe_redirects_are_not_followed(url, location, method, problem):
    with pytest.raises(BadAnswerError) as caught:
        follow({url: location}, url, method)
    assert problem in str(caught.value)
    # a signed storage address is a secret
    assert "s3cret" not in str(caught.value)
    assert (caught.value.method, caught.value.url) == (method, url)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("http://git.example.com/x", "http://gitlab.example.com"),
        (START, "https://gitlab.example.com:8443"),
        (START, "https://login.example.com"),
    ],
)
def test_redirect_to_another_origin_is_named_in_the_error(url, server):
    def send(request):
        return reply("", status=302, headers={"Location": f"{server}/x?signature=s3cret"})

    with pytest.raises(BadAnswerError) as caught:
        send_following(Request("GET", url), send, may_leave=False)
    assert str(caught.value) == (
        f"a redirect to {server}, which is not followed. Check that api_url is the address GitLab itself uses (scheme, "
        f"host, port and path), and that there is no login page in front of it (GET {url})"
    )


@pytest.mark.parametrize(
    ("location", "may_leave", "advice"),
    [
        ("http://gitlab.example.com/x", True, "api_url is the address"),
        ("http://minio:9000/x", True, r"its object storage: .* \(proxy_download\)"),
        ("http://minio:9000/x", False, "api_url is the address"),
    ],
)
def test_storage_without_tls_gets_its_own_advice(location, may_leave, advice):
    def send(request):
        return reply("", status=302, headers={"Location": location})

    with pytest.raises(BadAnswerError, match=f"from https to http, which is not followed.*{advice}"):
        send_following(Request("GET", START), send, may_leave=may_leave)


def test_redirect_from_http_to_https_is_followed():
    response, asked = follow({"http://gitlab.example.com/api/v4/x": API + "/x"}, "http://gitlab.example.com/api/v4/x")
    assert asked[-1] == API + "/x"
    assert response.status == 200


# Addresses that one parser reads as `other.test` and another as `gitlab.test`, or rejects.
AMBIGUOUS = [
    "https://other.test:8443\\@gitlab.test:8443/x",
    "https://other.test\\@gitlab.test/x",
    "https:\\\\other.test\\x",
    "https:/\\other.test/x",
    "/\\other.test/x",
    "\\\\other.test/x",
    "https://gitlab.test@other.test/x",
    "https://gitlab.test:443@other.test/x",
    "https://@other.test/x",
    "https://:@other.test/x",
    "https://gitlab.test;other.test/x",
    "https://other.test;@gitlab.test/x",
    "https://other.test /x",
    "https://other.test\t/x",
    "https://gitlab.test\t.other.test/x",
    "https://gitlab.test\n.other.test/x",
    " https://other.test/x",
    "\x01https://other.test/x",
    "https://other.test\x00.gitlab.test/x",
    "https://other.test\x7f/x",
    "https://other.test\xa0/x",
    "https://gitlab\u3002test/x",
    "https://gitlab\uff0etest/x",
    "https://gitlab\uff61test/x",
    "https://other.test\uff0fx.gitlab.test/x",
    "https://other.test\uff03@gitlab.test/x",
    "https://\u24d6itlab.test/x",
    "https://gitlab.test%2eother.test/x",
    "https://other.test%00.gitlab.test/x",
    "https://other.test%2f.gitlab.test/x",
    "https://[::1%25lo]/x",
    "https://[::1]other.test/x",
    "https://[other.test]/x",
    "https://other.test:443:443/x",
    "https://other.test:+443/x",
    "https://other.test:4_43/x",
    "https://other.test:\u0664\u0664\u0663/x",
    "https://other.test:65536/x",
    "https://other.test:0/x",
    "https://other.test,gitlab.test/x",
    "https://other.test|gitlab.test/x",
    "https://other.test&@gitlab.test/x",
    "https://*.test/x",
    "https:///other.test/x",
    "https://",
    "//",
    "///other.test/x",
    "https://?gitlab.test/x",
    "https://#gitlab.test/x",
    "javascript:alert(1)",
    # invalid host names
    "https://[::::]/x",
    "https://[.]/x",
    "https://.other.test/x",
    "https://gitlab..other.test/x",
    "https://other.test../x",
    f"https://{'a' * 64}.other.test/x",
]


@pytest.mark.parametrize("location", AMBIGUOUS)
def test_ambiguous_urls_are_refused(location):
    with pytest.raises(BadAnswerError, match="not a web address") as caught:
        follow({START: location})
    assert "other.test" not in str(caught.value)
    if "://" in location:
        with pytest.raises(ValueError):
            parse_address(location)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://other.test:443/x", "https://other.test/x"),
        ("https://OTHER.test:0443", "https://other.test/"),
        ("http://other.test:80/x", "http://other.test/x"),
        ("http://other.test:1/x", "http://other.test:1/x"),
        ("https://other.test:/x", "https://other.test/x"),
        ("http://other.test:8080?a=@gitlab.test", "http://other.test:8080/?a=@gitlab.test"),
        ("https://other.test#@gitlab.test/", "https://other.test/"),
        ("https://other.test/@gitlab.test:8443/;a?b;c#d", "https://other.test/@gitlab.test:8443/;a?b;c"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ("https://gitlab.test./x", "https://gitlab.test./x"),
        ("https://a_b.test/x%2Fy?z=%20", "https://a_b.test/x%2Fy?z=%20"),
    ],
)
def test_parsed_url_is_normalized(text, url):
    assert parse_address(text).url == url
    assert parse_address(url).url == url
    assert parse_address(url).origin == parse_address(text).origin


@pytest.mark.parametrize(
    "template",
    [
        "https://{other}\\@{own}/x",
        "https://{own}@{other}/x",
        "https://{other}/x",
        "//{other}/x",
        "https://{other}#@{own}/x",
        "https://{other}?@{own}/x",
        "https://{other} @{own}/x",
        "https://{other}\t@{own}/x",
        "https://{other};@{own}/x",
        "https://{other}/\\@{own}/x",
    ],
)
def test_redirect_carries_no_credential_to_another_host(route, template):
    authority = Authority()
    context = authority.context("valid")
    with LoopbackServer(OK, context=context) as other:
        location = template.format(other=other.url[8:], own="{own}")
        with LoopbackServer(OK, context=context) as own:
            own._answers = [answer_of(b"", f"Location: {location.format(own=own.url[8:])}", status="302 Found"), OK]
            settings = ConnectionSettings(
                own.url + "/api/v4",
                credential={"PRIVATE-TOKEN": TOKEN},
                http_headers={"X-Pass": "hunter2"},
                ca_path=str(authority.ca_path),
            )
            transport = RequestsTransport(settings, lambda session: None)
            try:
                send_following(
                    Request("GET", own.url + "/api/v4/x"), lambda each: transport.send(each, timeout_seconds=5.0)
                )
            except BadAnswerError as exc:
                assert "not a web address" in str(exc)
            assert own.headers()["private-token"] == TOKEN
    assert len(other.received) <= 1
    assert TOKEN.encode() not in b"".join(other.received)
    assert b"hunter2" not in b"".join(other.received)
    authority.stop()
