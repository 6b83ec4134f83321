# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send the name of the controller with each request, for GitLab and the proxies in front of it."""

from __future__ import annotations

import platform

import pluggy
from requests.adapters import BaseAdapter

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


class SourceAdapter(BaseAdapter):
    """Adds a header, then sends the request with another adapter."""

    def __init__(self, inner):
        super().__init__()
        self._inner = inner

    def send(self, request, **options):
        """Return the answer."""
        request.headers["X-Request-Source"] = platform.node()
        return self._inner.send(request, **options)

    def close(self):
        """Close the connections."""
        self._inner.close()


@hookimpl
def gitlab_prepare_session(session, settings):
    """Mount an adapter for GitLab only: redirects may lead to an object storage, which must not get the name."""
    session.mount(settings.api_url, SourceAdapter(session.get_adapter(settings.api_url)))
