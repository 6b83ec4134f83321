# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells GitLab, and every proxy on the way, which controller a request comes from."""

from __future__ import annotations

import platform

import pluggy
from requests.adapters import BaseAdapter

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


class SourceAdapter(BaseAdapter):
    """Adds a header, and lets another adapter send the request."""

    def __init__(self, inner):
        super().__init__()
        self._inner = inner

    def send(self, request, **options):
        """Return the answer."""
        request.headers["X-Request-Source"] = platform.node()
        return self._inner.send(request, **options)

    def close(self):
        """Let go of the connections."""
        self._inner.close()


@hookimpl
def gitlab_prepare_session(session, settings):
    """Mount an adapter for GitLab only: a redirect may lead to an object storage, which need not know."""
    session.mount(settings.api_url, SourceAdapter(session.get_adapter(settings.api_url)))
