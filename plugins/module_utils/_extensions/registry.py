# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What the hook `gitlab_register_endpoints` is given: a place to add and to replace endpoints."""

from __future__ import annotations

import difflib

from .._api.endpoints import Endpoint
from .._api.errors import ExtensionError


class Registry:
    """Collects endpoints. Replacements count at the end, so they need not wait until the catalogue is there."""

    # how extensions make one
    endpoint = Endpoint

    def __init__(self) -> None:
        self._added: dict[str, Endpoint] = {}
        self._replaced: dict[str, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint.

        :raises ValueError: when the name is taken.
        """
        if endpoint.name in self._added:
            raise ValueError(f"an endpoint named {endpoint.name} is registered already")
        self._added[endpoint.name] = endpoint

    def replace(self, endpoint: Endpoint) -> None:
        """Replace the endpoint with this name; of several replacements the first one counts.

        An extension that replaces an unknown endpoint, or one that takes other arguments, fails the task.
        """
        self._replaced.setdefault(endpoint.name, endpoint)

    def endpoints(self) -> dict[str, Endpoint]:
        """Return the endpoints by name, replacements in their places.

        :raises ExtensionError: when a replacement has nothing to replace, or cannot be called as what it replaces.
        """
        for name, endpoint in self._replaced.items():
            if name not in self._added:
                close = difflib.get_close_matches(name, self._added, n=3)
                hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "use registry.add for a new one"
                raise ExtensionError(f"an extension replaces endpoint {name!r}, which does not exist; {hint}")
            known = self._added[name]
            unfit = (known.arguments - endpoint.arguments) | (set(endpoint.in_path) - set(known.in_path))
            if unfit:
                raise ExtensionError(
                    f"an extension replaces endpoint {name!r} by one that takes other arguments; see to "
                    f"{', '.join(sorted(unfit))}"
                )
        return {**self._added, **self._replaced}
