# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints about the caller and the server."""

from __future__ import annotations

from . import errors
from .call import Call, Reply, json_reply

_REVISION = "0f67ff19"


def get_user(call: Call) -> Reply:
    """GET /user: the user of the token."""
    user = call.identity.user
    record = call.simulation.renderer(call.base_url).user(user) or {}
    return json_reply({**record, "email": f"{user.username if user else 'nobody'}@example.org"})


def get_version(call: Call) -> Reply:
    return json_reply({"version": f"{call.features.text}.0", "revision": _REVISION})


def get_metadata(call: Call) -> Reply:
    kas = {"enabled": False, "externalUrl": None, "version": None}
    return json_reply(
        {
            "version": f"{call.features.text}.0",
            "revision": _REVISION,
            "kas": kas,
            "enterprise": call.engine.world.features.edition != "ce",
        }
    )


def job_by_token(call: Call) -> Reply:
    """E4: the job that the job token belongs to."""
    job = call.identity.job
    if job is None:
        raise errors.unauthorized()
    return json_reply(call.simulation.renderer(call.base_url).job(job))
