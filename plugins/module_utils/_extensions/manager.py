# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Loads extensions by name and calls hooks, turning what goes wrong in an extension into an error for the user."""

from __future__ import annotations

import copy
import difflib
import functools
import importlib.metadata
import json
import typing as t

from .._api.connection import PROJECT_NAME
from .._api.decoding import Record
from .._api.errors import ExtensionError, GitLabError, wrong_return
from .._api.libraries import pluggy_library
from .builtin import BuiltinPlugin
from .hookspecs import HookSpecs


class PluginManager:
    """The hooks of one task: those of its extensions, and the built-in behaviour.

    :param extensions: names of entry points of the group `jobgate.gitlab`; the first one is asked first.
    :raises ExtensionError: when one is unknown or cannot be loaded.
    :raises MissingLibraryError: when pluggy is not installed.
    """

    def __init__(self, extensions: t.Sequence[str] = ()) -> None:
        self._names = tuple(dict.fromkeys(extensions))
        self._manager: t.Any = pluggy_library().PluginManager(PROJECT_NAME)
        self._manager.add_hookspecs(HookSpecs)
        self._manager.register(BuiltinPlugin(functools.partial(self.call, "gitlab_prepare_session")))
        # pluggy asks the one registered last first
        for name, extension in reversed(_load(self._names)):
            try:
                self._manager.register(extension, name=name)
                self._manager.check_pending()
            except (Exception, SystemExit) as exc:  # pluggy's own errors, and what inspecting a foreign object raises
                raise ExtensionError(f"extension {name!r} does not fit the hooks of {PROJECT_NAME}: {exc}") from exc

    def call(self, hook: str, **arguments: t.Any) -> t.Any:
        """Return what a hook returns. Records are handed out as copies: what an extension changes in one has no effect.

        :raises ExtensionError: when an extension raises anything that is not meant for the user.
        """
        if self._names:
            arguments = {
                name: copy.deepcopy(value) if isinstance(value, dict) else value for name, value in arguments.items()
            }
        try:
            return getattr(self._manager.hook, hook)(**arguments)
        except GitLabError:
            raise
        except (Exception, SystemExit) as exc:  # who leaves the process would lose what the task has done
            raise ExtensionError(
                f"an extension ({', '.join(self._names)}) failed in {hook}: {type(exc).__name__}: {exc}"
            ) from exc

    def notes(self, kind: str, record: Record) -> Record:
        """Return what extensions say about a record; the one asked first has the last word.

        :raises ExtensionError: when one says what results cannot hold.
        """
        if not self._manager.hook.gitlab_annotate_record.get_hookimpls():
            return {}
        notes: Record = {}
        for note in reversed(self.call("gitlab_annotate_record", kind=kind, record=record)):
            try:
                notes = {**notes, **json.loads(json.dumps(note or {}))}
            except (TypeError, ValueError, RecursionError):
                what = "a dictionary of values that JSON can hold, or None"
                raise wrong_return(note, "gitlab_annotate_record", what) from None
        return notes


def plugin_manager(extensions: t.Sequence[str]) -> PluginManager:
    """Return the hooks of a task; tasks without extensions share theirs, for these hold nothing of a task."""
    return PluginManager(extensions) if extensions else _builtin_only()


_builtin_only = functools.lru_cache(maxsize=1)(PluginManager)


def _load(names: t.Sequence[str]) -> list[tuple[str, t.Any]]:
    """Return the extensions of these names."""
    available = {entry_point.name: entry_point for entry_point in _entry_points()} if names else {}
    loaded = []
    for name in names:
        if name not in available:
            close = difflib.get_close_matches(name, available, n=3)
            known = f"did you mean {' or '.join(map(repr, close))}?" if close else f"installed are {sorted(available)}."
            raise ExtensionError(
                f"unknown extension {name!r}; {known} An extension is a Python package with an entry point of the "
                f"group {PROJECT_NAME!r}, installed where the task runs"
            )
        try:
            loaded.append((name, available[name].load()))
        except (Exception, SystemExit) as exc:  # anything can go wrong while foreign code is imported
            raise ExtensionError(f"extension {name!r} cannot be loaded: {type(exc).__name__}: {exc}") from exc
    return loaded


def _entry_points() -> t.Iterable[t.Any]:
    try:
        return importlib.metadata.entry_points(group=PROJECT_NAME)
    except TypeError:  # Python 3.9 takes no group
        every: t.Any = importlib.metadata.entry_points()
        return t.cast("t.Iterable[t.Any]", every.get(PROJECT_NAME, ()))
