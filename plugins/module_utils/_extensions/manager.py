# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Loads extensions by name and calls hooks, turning what goes wrong in an extension into an error for the user."""

from __future__ import annotations

import copy
import functools
import importlib.metadata
import json
import traceback
import typing as t

from .._api.connection import PROJECT_NAME
from .._api.decoding import Record
from .._api.endpoints import Endpoint
from .._api.errors import ExtensionError, GitLabError
from .._api.libraries import pluggy_library
from .builtin import BuiltinPlugin
from .hookspecs import HookSpecs, Registry


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
        # pluggy asks the one registered last first
        for name, extension in reversed(_load(self._names)):
            try:
                self._manager.register(extension, name=name)
                self._manager.check_pending()
                self._check_marks(extension)
            except (Exception, SystemExit) as exc:  # pluggy's own errors, and what inspecting a foreign object raises
                raise ExtensionError(f"extension {name!r} does not fit the hooks of {PROJECT_NAME}: {exc}") from exc
        # of those that want to be asked last, it is the last one registered
        self._manager.register(BuiltinPlugin(functools.partial(self.call, "gitlab_prepare_session")))

    def _check_marks(self, extension: t.Any) -> None:
        """Return if an extension does what it seems to do.

        :raises ValueError: when it has no hook, or a function that is called like one and is not marked: a policy that
            is never asked would allow everything.
        """
        marked = {caller.name for caller in self._manager.get_hookcallers(extension) or ()}
        called_so = {name for name in dir(HookSpecs) if name.startswith("gitlab_") and hasattr(extension, name)}
        unmarked = sorted(called_so - marked)
        if unmarked or not marked:
            found = f"{', '.join(unmarked)} is not marked as a hook" if unmarked else "it has no hook"
            raise ValueError(f"{found}; mark each function with pluggy.HookimplMarker({PROJECT_NAME!r})")

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
                f"an extension ({self._who(hook, exc)}) failed in {hook}: {type(exc).__name__}: {exc}"
            ) from exc

    def wrong_return(self, value: object, hook: str, wanted: str) -> ExtensionError:
        """Return the error for what a hook must not return, besides None, or a wrapper of a hook."""
        returned, besides = f"{type(value).__name__} from", ", or None"
        if value is None:
            returned, besides = "None from a wrapper of", ""
        return ExtensionError(
            f"an extension ({self._who(hook)}) returned {returned} {hook}; it has to return {wanted}{besides}"
        )

    def _who(self, hook: str, exc: BaseException | None = None) -> str:
        """Return the extension that has raised an error in a hook, or all that have the hook where nothing tells."""
        implementations = [
            each for each in getattr(self._manager.hook, hook).get_hookimpls() if each.plugin_name in self._names
        ]
        for frame, _line in reversed(list(traceback.walk_tb(exc.__traceback__ if exc else None))):
            for each in implementations:
                if getattr(each.function, "__code__", None) is frame.f_code:
                    return str(each.plugin_name)
        # the one asked first comes last
        return ", ".join(each.plugin_name for each in reversed(implementations))

    def endpoints(self) -> dict[str, Endpoint]:
        """Return the endpoints by name, with those of extensions.

        :raises ExtensionError: when one of these fits no endpoint.
        """
        hook, registry = "gitlab_register_endpoints", Registry()
        self.call(hook, registry=registry)
        try:
            return registry.endpoints()
        except ValueError as exc:
            raise ExtensionError(f"an extension ({self._who(hook)}) failed in {hook}: {exc}") from None

    def notes(self, kind: str, record: Record) -> Record:
        """Return what extensions say about a record; the one asked first has the last word.

        :raises ExtensionError: when one says what results cannot hold.
        """
        if not self._manager.hook.gitlab_annotate_record.get_hookimpls():
            return {}
        hook = "gitlab_annotate_record"
        notes: Record = {}
        found = self.call(hook, kind=kind, record=record)
        if not isinstance(found, list):
            raise self.wrong_return(found, hook, "the list that it got")
        for note in reversed(found):
            try:
                notes = {**notes, **json.loads(json.dumps(note or {}, allow_nan=False))}
            except (TypeError, ValueError, RecursionError):
                raise self.wrong_return(note, hook, "a dictionary of values that JSON can hold") from None
        return notes


def plugin_manager(extensions: t.Sequence[str]) -> PluginManager:
    """Return the hooks of a task; tasks without extensions share theirs, for these hold nothing of a task."""
    return PluginManager(extensions) if extensions else _builtin_only()


_builtin_only = functools.lru_cache(maxsize=1)(PluginManager)


def _load(names: t.Sequence[str]) -> list[tuple[str, t.Any]]:
    """Return the extensions of these names."""
    available: dict[str, t.Any] = {}
    for entry_point in _entry_points() if names else ():
        # the same package may be found twice
        value = available.setdefault(entry_point.name, entry_point).value
        if entry_point.name in names and value != entry_point.value:
            raise ExtensionError(
                f"extension {entry_point.name!r} is in two packages, as {value} and as {entry_point.value}; uninstall "
                "one"
            )
    loaded: list[tuple[str, t.Any]] = []
    for name in names:
        if name not in available:
            known = f"installed are {sorted(available)}" if available else "none is installed"
            raise ExtensionError(
                f"unknown extension {name!r}; {known}. An extension is a Python package with an entry point of the "
                f"group {PROJECT_NAME!r}, installed where the task runs"
            )
        try:
            extension = available[name].load()
        except (Exception, SystemExit) as exc:  # anything can go wrong while foreign code is imported
            raise ExtensionError(f"extension {name!r} cannot be loaded: {type(exc).__name__}: {exc}") from exc
        if not any(extension is other for _name, other in loaded):  # which may have several names
            loaded.append((name, extension))
    return loaded


def _entry_points() -> t.Iterable[t.Any]:
    try:
        return importlib.metadata.entry_points(group=PROJECT_NAME)
    except TypeError:  # Python 3.9 takes no group
        every: t.Any = importlib.metadata.entry_points()
        return t.cast("t.Iterable[t.Any]", every.get(PROJECT_NAME, ()))
