# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The one place where third-party libraries are imported, guarded, so that every other file imports without them.

A missing library becomes `MissingLibraryError` when it is first needed, which is after the options were read.
"""

from __future__ import annotations

import typing as t

from .errors import MissingLibraryError

try:
    import requests
except ImportError:  # reported by require_libraries()
    requests = None  # type: ignore[assignment]

try:
    import pluggy
except ImportError:  # reported by require_libraries()
    pluggy = None  # type: ignore[assignment]

__all__ = ("HookimplMarker", "HookspecMarker", "pluggy", "requests", "require_libraries")

_F = t.TypeVar("_F", bound=t.Callable[..., t.Any])


class _MarkerStandIn:
    """Takes the place of pluggy's markers while pluggy is missing: marks nothing."""

    def __init__(self, project_name: str) -> None:
        self.project_name = project_name

    def __call__(self, function: t.Any = None, **options: t.Any) -> t.Any:
        """Return the function unmarked, used with or without arguments."""
        if function is not None:
            return function

        def decorate(decorated: _F) -> _F:
            return decorated

        return decorate


HookspecMarker: t.Any = pluggy.HookspecMarker if pluggy is not None else _MarkerStandIn
HookimplMarker: t.Any = pluggy.HookimplMarker if pluggy is not None else _MarkerStandIn


def require_libraries() -> None:
    """Return if every library is there.

    :raises MissingLibraryError: naming the first one that is not.
    """
    for name, library in (("requests", requests), ("pluggy", pluggy)):
        if library is None:
            raise MissingLibraryError(name)
