# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send the pass in JOBGATE_GATEWAY_PASS to a gateway in front of GitLab."""

from __future__ import annotations

import os

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


class GatewayTransport:
    """Adds a header to requests to GitLab, then sends them with another transport."""

    def __init__(self, inner, api_url, gateway_pass):
        self._inner = inner
        self._api_url = api_url
        self._pass = gateway_pass

    def send(self, request, *, timeout_seconds):
        """Return the answer with its body."""
        return self._inner.send(self._with_pass(request), timeout_seconds=timeout_seconds)

    def stream(self, request, *, timeout_seconds):
        """Return the answer without reading its body, for downloads of any size."""
        return self._inner.stream(self._with_pass(request), timeout_seconds=timeout_seconds)

    def _with_pass(self, request):
        # redirects may lead to an object storage, which must not get the pass
        if not request.url.startswith(self._api_url + "/"):
            return request
        return request.with_headers({"X-Gateway-Pass": self._pass})


@hookimpl(hookwrapper=True)
def gitlab_create_transport(settings):
    """Wrap the transport that would otherwise be used."""
    outcome = yield
    gateway_pass = os.environ.get("JOBGATE_GATEWAY_PASS")
    if gateway_pass:
        outcome.force_result(GatewayTransport(outcome.get_result(), settings.api_url, gateway_pass))
