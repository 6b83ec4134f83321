# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by the tests of the transport: the two ways to a server."""

from __future__ import annotations

import types

import pytest

from .loopback import LoopbackProxy

_VARIABLES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)


@pytest.fixture(name="no_proxy")
def no_proxy_fixture(monkeypatch, tmp_path):
    """Use no proxy, and ignore the environment of the user who runs the tests."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(name="route", params=["direct", "proxy"])
def route_fixture(request, no_proxy, monkeypatch):
    """Connect directly, and through a proxy that records its requests."""
    if request.param == "direct":
        yield types.SimpleNamespace(is_proxy=False, url="", asked=[])
        return
    with LoopbackProxy() as proxy:
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        yield types.SimpleNamespace(is_proxy=True, url=proxy.url, asked=proxy.asked)
