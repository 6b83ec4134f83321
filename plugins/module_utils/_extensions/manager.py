# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Loads extensions by name and calls hooks, turning what goes wrong in an extension into an error for the user."""

from __future__ import annotations

import typing as t

from .._api.connection import PROJECT_NAME
from .._api.errors import ExtensionError, GitLabError

# The hooks of which the first answer that is not None counts; of the others all do. A test holds it to the
# specifications, which are not loaded here.
FIRST_RESULT = frozenset({"gitlab_authenticate", "gitlab_create_transport", "gitlab_decide_job_action"})


class PluginManager:
    """The hooks of one task. Without extensions the built-in behaviour is called as it is, and pluggy is not needed.

    :param builtins: objects with the built-in behaviour, which comes last.
    :param extensions: names of entry points of the group `jobgate.gitlab`; the first one is asked first.
    :raises ExtensionError: when one is unknown or cannot be loaded.
    :raises MissingLibraryError: when there are extensions, and pluggy is not installed.
    """

    def __init__(self, builtins: t.Iterable[object], extensions: t.Sequence[str] = ()) -> None:
        self._names = tuple(dict.fromkeys(extensions))
        self._builtins = tuple(builtins)
        self._manager = self._with_extensions() if self._names else None

    def call(self, hook: str, **arguments: t.Any) -> t.Any:
        """Return what a hook returns.

        :raises ExtensionError: when an extension raises anything that is not meant for the user.
        """
        if self._manager is None:
            return self._call_builtins(hook, arguments)
        try:
            return getattr(self._manager.hook, hook)(**arguments)
        except GitLabError:
            raise
        except Exception as exc:
            raise ExtensionError(
                f"an extension ({', '.join(self._names)}) failed in {hook}: {type(exc).__name__}: {exc}"
            ) from exc

    def has_extensions_for(self, hook: str) -> bool:
        """Return whether anything is registered for a hook."""
        if self._manager is None:
            return any(hasattr(plugin, hook) for plugin in self._builtins)
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def _call_builtins(self, hook: str, arguments: t.Mapping[str, t.Any]) -> t.Any:
        # the order, and what counts, are pluggy's: the one registered last is asked first
        answers = (getattr(plugin, hook)(**arguments) for plugin in reversed(self._builtins) if hasattr(plugin, hook))
        found = (answer for answer in answers if answer is not None)
        return next(found, None) if hook in FIRST_RESULT else list(found)

    def _with_extensions(self) -> t.Any:
        """Return pluggy's manager with everything registered."""
        # here, since a task without extensions needs none of it
        from .._api.libraries import pluggy_library
        from .hookspecs import HookSpecs, coming_last

        manager = pluggy_library().PluginManager(PROJECT_NAME)
        manager.add_hookspecs(HookSpecs)
        for plugin in self._builtins:
            manager.register(coming_last(plugin))
        # pluggy asks the one registered last first
        for name, extension in reversed(_load(self._names)):
            _register(manager, name, extension)
        return manager


def _register(manager: t.Any, name: str, extension: t.Any) -> None:
    try:
        manager.register(extension, name=name)
        manager.check_pending()
    except Exception as exc:  # pluggy's own errors, and whatever inspecting a foreign object raises
        raise ExtensionError(f"extension {name!r} does not fit the hooks of {PROJECT_NAME}: {exc}") from exc


def _load(names: t.Sequence[str]) -> list[tuple[str, t.Any]]:
    """Return the extensions of these names."""
    available = {entry_point.name: entry_point for entry_point in _entry_points()}
    loaded = []
    for name in names:
        if name not in available:
            # here, for it is needed for mistakes only
            import difflib

            close = difflib.get_close_matches(name, available, n=3)
            known = f"did you mean {' or '.join(map(repr, close))}?" if close else f"installed are {sorted(available)}."
            raise ExtensionError(
                f"unknown extension {name!r}; {known} An extension is a Python package with an entry point of the "
                f"group {PROJECT_NAME!r}, installed where the task runs"
            )
        try:
            loaded.append((name, available[name].load()))
        except Exception as exc:  # anything can go wrong while foreign code is imported
            raise ExtensionError(f"extension {name!r} cannot be loaded: {type(exc).__name__}: {exc}") from exc
    return loaded


def _entry_points() -> t.Iterable[t.Any]:
    # here, for only who has extensions needs it
    import importlib.metadata

    try:
        return importlib.metadata.entry_points(group=PROJECT_NAME)
    except TypeError:  # Python 3.9 takes no group
        every: t.Any = importlib.metadata.entry_points()
        return t.cast("t.Iterable[t.Any]", every.get(PROJECT_NAME, ()))
