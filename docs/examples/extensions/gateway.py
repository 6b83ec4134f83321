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
        """Return the answer."""
        # a redirect may lead to an object storage, which must not see the pass
        if request.url.startswith(self._api_url + "/"):
            request = request._replace(headers={**request.headers, "X-Gateway-Pass": self._pass})
        return self._inner.send(request, timeout_seconds=timeout_seconds)


@hookimpl(hookwrapper=True)
def gitlab_create_transport(settings):
    """Wrap the transport that would be used otherwise."""
    outcome = yield
    gateway_pass = os.environ.get("JOBGATE_GATEWAY_PASS")
    if gateway_pass:
        outcome.force_result(GatewayTransport(outcome.get_result(), settings.api_url, gateway_pass))
