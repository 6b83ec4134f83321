# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Loading of extensions, calls of their hooks, and errors for the user if an extension fails."""

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
    """The hooks of one task: those of its extensions, and the built-in behavior.

    :param extensions: names of entry points of the group `jobgate.gitlab`; the first one is called first.
    :raises ExtensionError: if one is unknown or cannot be loaded.
    :raises MissingLibraryError: if pluggy is not installed.
    """

    def __init__(self, extensions: t.Sequence[str] = ()) -> None:
        self._names = tuple(dict.fromkeys(extensions))
        self._manager: t.Any = pluggy_library().PluginManager(PROJECT_NAME)
        self._manager.add_hookspecs(HookSpecs)
        # pluggy calls the one that was registered last first
        for name, extension in reversed(_load(self._names)):
            try:
                self._manager.register(extension, name=name)
                self._manager.check_pending()
                self._check_marks(extension)
            except (Exception, SystemExit) as exc:  # from pluggy, or from the inspection of a foreign object
                raise ExtensionError(f"extension {name!r} does not match the hooks of {PROJECT_NAME}: {exc}") from exc
        # registered after all others with `trylast`, so that it is called last
        self._manager.register(BuiltinPlugin(functools.partial(self.call, "gitlab_prepare_session")))

    def _check_marks(self, extension: t.Any) -> None:
        """Check that all hooks of an extension are marked.

        :raises ValueError: if it has no hook, or a function with the name of a hook that is not marked: a policy that
            is never called would allow everything.
        """
        marked = {caller.name for caller in self._manager.get_hookcallers(extension) or ()}
        called_so = {name for name in dir(HookSpecs) if name.startswith("gitlab_") and hasattr(extension, name)}
        unmarked = sorted(called_so - marked)
        if unmarked or not marked:
            found = f"{', '.join(unmarked)} is not marked as a hook" if unmarked else "it has no hook"
            raise ValueError(f"{found}; mark each function with pluggy.HookimplMarker({PROJECT_NAME!r})")

    def call(self, hook: str, **arguments: t.Any) -> t.Any:
        """Return the result of a hook, which gets copies of records, so that extensions cannot change them.

        :raises ExtensionError: if an extension raises an exception other than `GitLabError`.
        """
        if self._names:
            arguments = {
                name: copy.deepcopy(value) if isinstance(value, dict) else value for name, value in arguments.items()
            }
        try:
            return getattr(self._manager.hook, hook)(**arguments)
        except GitLabError:
            raise
        except (Exception, SystemExit) as exc:  # leaving the process would lose the result of the task
            raise ExtensionError(
                f"an extension ({self._who(hook, exc)}) failed in {hook}: {type(exc).__name__}: {exc}"
            ) from exc

    def wrong_return(self, value: object, hook: str, wanted: str) -> ExtensionError:
        """Return the error for a wrong return value of a hook; None is wrong only from a wrapper of a hook."""
        returned, besides = f"{type(value).__name__} from", ", or None"
        if value is None:
            returned, besides = "None from a wrapper of", ""
        return ExtensionError(
            f"an extension ({self._who(hook)}) returned {returned} {hook}; it must return {wanted}{besides}"
        )

    def _who(self, hook: str, exc: BaseException | None = None) -> str:
        """Return the extension that raised an exception in a hook, or all that have the hook if it is unknown."""
        implementations = [
            each for each in getattr(self._manager.hook, hook).get_hookimpls() if each.plugin_name in self._names
        ]
        for frame, _line in reversed(list(traceback.walk_tb(exc.__traceback__ if exc else None))):
            for each in implementations:
                if getattr(each.function, "__code__", None) is frame.f_code:
                    return str(each.plugin_name)
        # in pluggy's list, the one that is called first comes last
        return ", ".join(each.plugin_name for each in reversed(implementations))

    def endpoints(self) -> dict[str, Endpoint]:
        """Return the endpoints by name, including those of extensions.

        :raises ExtensionError: if an extension adds or replaces an endpoint incorrectly.
        """
        hook, registry = "gitlab_register_endpoints", Registry()
        self.call(hook, registry=registry)
        try:
            return registry.endpoints()
        except ValueError as exc:
            raise ExtensionError(f"an extension ({self._who(hook)}) failed in {hook}: {exc}") from None

    def notes(self, kind: str, record: Record) -> Record:
        """Return the notes of extensions about a record; the extension that is called first wins.

        :raises ExtensionError: if a result cannot contain a note.
        """
        if not self._manager.hook.gitlab_annotate_record.get_hookimpls():
            return {}
        hook = "gitlab_annotate_record"
        notes: Record = {}
        found = self.call(hook, kind=kind, record=record)
        if not isinstance(found, list):
            raise self.wrong_return(found, hook, "the list that it received")
        for note in reversed(found):
            try:
                notes = {**notes, **json.loads(json.dumps(note or {}, allow_nan=False))}
            except (TypeError, ValueError, RecursionError):
                raise self.wrong_return(note, hook, "a dictionary of values that JSON supports") from None
        return notes


def plugin_manager(extensions: t.Sequence[str]) -> PluginManager:
    """Return the hooks of a task; tasks without extensions share them, because they have no state."""
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
            known = f"installed: {sorted(available)}" if available else "no extension is installed"
            raise ExtensionError(
                f"unknown extension {name!r}; {known}. An extension is a Python package with an entry point of the "
                f"group {PROJECT_NAME!r}, installed where the task runs"
            )
        try:
            extension = available[name].load()
        except (Exception, SystemExit) as exc:  # importing foreign code can raise anything
            raise ExtensionError(f"extension {name!r} cannot be loaded: {type(exc).__name__}: {exc}") from exc
        if not any(extension is other for _name, other in loaded):  # an extension may have several names
            loaded.append((name, extension))
    return loaded


def _entry_points() -> t.Iterable[t.Any]:
    try:
        return importlib.metadata.entry_points(group=PROJECT_NAME)
    except TypeError:  # Python 3.9 does not support `group`
        every: t.Any = importlib.metadata.entry_points()
        return t.cast("t.Iterable[t.Any]", every.get(PROJECT_NAME, ()))
