# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The one place where third-party libraries are imported, guarded, so that every other file imports without them.

They are imported when they are first needed: a task that goes to GitLab without a proxy, and without extensions, needs
none of them. A missing one becomes `MissingLibraryError` then.
"""

from __future__ import annotations

import os
import typing as t

from .errors import MissingLibraryError

_F = t.TypeVar("_F", bound=t.Callable[..., t.Any])


def requests_library() -> t.Any:
    """Return requests.

    :raises MissingLibraryError: when it is not installed.
    """
    try:
        import requests
    except ImportError:
        raise MissingLibraryError("requests") from None
    return requests


def pluggy_library() -> t.Any:
    """Return pluggy.

    :raises MissingLibraryError: when it is not installed.
    """
    try:
        import pluggy
    except ImportError:
        raise MissingLibraryError("pluggy") from None
    return pluggy


def certifi_file() -> str:
    """Return the bundle of certificate authorities that comes with requests, empty when there is none."""
    try:
        import certifi
    except ImportError:
        return ""
    path = str(certifi.where())
    return path if os.path.exists(path) else ""


def fast_json_loads() -> t.Callable[[bytes], t.Any] | None:
    """Return the decoder of orjson, None when it is not installed; its import is paid back by long lists only."""
    try:
        import orjson
    except ImportError:
        return None
    return t.cast("t.Callable[[bytes], t.Any]", orjson.loads)


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


def hookspec_marker(project_name: str) -> t.Any:
    """Return pluggy's marker for specifications of hooks, or what marks nothing."""
    try:
        return pluggy_library().HookspecMarker(project_name)
    except MissingLibraryError:
        return _MarkerStandIn(project_name)


def hookimpl_marker(project_name: str) -> t.Any:
    """Return pluggy's marker for implementations of hooks, or what marks nothing."""
    try:
        return pluggy_library().HookimplMarker(project_name)
    except MissingLibraryError:
        return _MarkerStandIn(project_name)
