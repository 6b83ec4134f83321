# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lookup that talks to the simulator without starting a module."""

from __future__ import annotations

DOCUMENTATION = r"""
name: simulator
short_description: What was changed on the simulator
description:
  - Returns action and name of everything that was changed on the server.
options:
  _terms:
    description: The URL of the server, and the file of a world, which is loaded first if it is given.
    required: true
"""

import json
import pathlib
import typing as t

from ansible.plugins.lookup import LookupBase

from tests.examples.server import Server


class LookupModule(LookupBase):
    """Loads worlds, and returns the effects."""

    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        url, *worlds = terms
        server = Server(url)
        for path in worlds:
            server.load(json.loads(pathlib.Path(path).read_text(encoding="utf-8")))
        return server.effects()
