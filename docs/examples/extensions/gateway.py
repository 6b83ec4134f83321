# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows a gateway in front of GitLab the pass that JOBGATE_GATEWAY_PASS holds."""

from __future__ import annotations

import os

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


class GatewayTransport:
    """Adds a header to what goes to GitLab, and lets another transport send it."""

    def __init__(self, inner, api_url, gateway_pass):
        self._inner = inner
        self._api_url = api_url
        self._pass = gateway_pass

    def send(self, request, *, timeout_seconds):
        """Return the answer, its body read."""
        return self._inner.send(self._with_pass(request), timeout_seconds=timeout_seconds)

    def stream(self, request, *, timeout_seconds):
        """Return the answer, its body still to be read: for downloads of any size."""
        return self._inner.stream(self._with_pass(request), timeout_seconds=timeout_seconds)

    def _with_pass(self, request):
        # a redirect may lead to an object storage, which must not see the pass
        if not request.url.startswith(self._api_url + "/"):
            return request
        return request.with_headers({"X-Gateway-Pass": self._pass})


@hookimpl(hookwrapper=True)
def gitlab_create_transport(settings):
    """Wrap the transport that would be used otherwise."""
    outcome = yield
    gateway_pass = os.environ.get("JOBGATE_GATEWAY_PASS")
    if gateway_pass:
        outcome.force_result(GatewayTransport(outcome.get_result(), settings.api_url, gateway_pass))
