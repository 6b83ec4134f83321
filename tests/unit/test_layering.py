# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports only point down and never form a cycle.

`ROOMS` defines the order of the folders; the tests check every plugin file against it.
"""

from __future__ import annotations

import ast
import dataclasses
import pathlib
import sys
import typing as t

import pytest

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
COLLECTION = ("ansible_collections", "jobgate", "gitlab", "plugins")

# From top to bottom; folders on one line may import each other. Paths below `plugins` or `plugins/module_utils`.
ROOMS: tuple[tuple[str, ...], ...] = (
    ("modules", "action", "lookup"),
    ("_ansible", "plugin_utils"),
    ("doc_fragments",),
    ("_tasks",),
    ("_app/release", "_app/report"),
    ("_app/actions", "_app/reads", "_app/files"),
    ("_app/deployments",),
    ("_app/waiting",),
    ("_app/jobs", "_app/pipelines"),
    ("_app/writes",),
    ("_app",),
    ("_extensions",),
    ("_api/wire",),
    ("_api",),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
MAY_IMPORT_ANSIBLE = ("modules", "action", "lookup", "plugin_utils", "_ansible")
# The only file that imports third-party libraries, and guards these imports.
LIBRARIES_FILE = "module_utils/_api/libraries.py"
LIBRARIES = ("certifi", "orjson", "pluggy", "requests", "urllib3", "brotli", "brotlicffi", "zstandard")
# Ansible ships only static imports to a host. Entry points of extensions are found where the task runs.
DYNAMIC = ("imp", "importlib", "pkgutil", "runpy")
ENTRY_POINTS_FILE = "module_utils/_extensions/manager.py"

Module = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Violation:
    """A line that breaks a rule."""

    file: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"plugins/{self.file}:{self.line}: {self.rule}"


def module_of(file: str) -> Module:
    """Return the module name of a file below `plugins` as a tuple."""
    return tuple(file[: -len(".py")].split("/"))


def room_of(module: Module) -> str:
    """Return the longest folder path that has a row in ROOMS, or an empty string."""
    parts = module[1:] if module[:1] == ("module_utils",) else module
    for length in range(len(parts), 0, -1):
        if "/".join(parts[:length]) in LEVEL:
            return "/".join(parts[:length])
    return ""


def imports_of(file: str, source: str) -> t.Iterator[tuple[int, Module | None]]:
    """Yield the line and absolute name of every import in a file, with None for relative imports outside `plugins`."""
    here = (*COLLECTION, *module_of(file))
    for node in ast.walk(ast.parse(source, filename=file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, tuple(alias.name.split("."))) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            named = tuple(node.module.split(".")) if node.module else ()
            base = here[: len(here) - node.level] if node.level else ()
            if node.level and len(base) < len(COLLECTION):
                yield node.lineno, None
                continue
            yield from ((node.lineno, (*base, *named, alias.name)) for alias in node.names)


def check(file: str, source: str) -> list[Violation]:
    """Return the violations in one file, sorted by line."""
    found = set()
    if source.strip() and "from __future__ import annotations" not in source:
        found.add((1, "from __future__ import annotations is missing"))
    room = room_of(module_of(file)[:-1])
    if not room:
        found.add((1, "the folder has no row in ROOMS"))
    for line, target in imports_of(file, source):
        rule = "a relative import leaves the folder plugins" if target is None else _broken_rule(file, room, target)
        if rule:
            found.add((line, rule))
    return [Violation(file, line, rule) for line, rule in sorted(found)]


def _broken_rule(file: str, room: str, target: Module) -> str:
    if target[: len(COLLECTION)] == COLLECTION:
        below = room_of(target[len(COLLECTION) :])
        return (
            "" if not room or (below and LEVEL[below] >= LEVEL[room]) else f"{room} must not import {below or 'this'}"
        )
    if target[0] in DYNAMIC:
        is_allowed = file == ENTRY_POINTS_FILE and target[:2] == ("importlib", "metadata")
        return "" if is_allowed else f"{target[0]} is dynamic: AnsiballZ would not ship what it finds"
    if target[0] == "ansible":
        return "" if room in MAY_IMPORT_ANSIBLE else f"{room} must not import ansible"
    if target[0] in sys.stdlib_module_names:
        return ""
    is_guarded = file == LIBRARIES_FILE and target[0] in LIBRARIES
    return "" if is_guarded else f"{target[0]} is third-party: import it from _api/libraries.py"


def cycle_in(graph: t.Mapping[Module, t.Collection[Module]]) -> list[Module]:
    """Return modules that form an import cycle, with the first one repeated at the end; empty if there is none."""
    done: set[Module] = set()

    def visit(module: Module, path: list[Module]) -> list[Module]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module not in done:
            for target in graph.get(module, ()):
                cycle = visit(target, [*path, module])
                if cycle:
                    return cycle
            done.add(module)
        return []

    return next((cycle for cycle in (visit(module, []) for module in graph) if cycle), [])


def plugin_files() -> dict[str, str]:
    """Return the sources of all plugin files by their paths below `plugins`."""
    return {path.relative_to(PLUGINS).as_posix(): path.read_text(encoding="utf-8") for path in PLUGINS.rglob("*.py")}


def test_every_plugin_file_follows_the_order_of_the_rooms() -> None:
    files = {file: source for file, source in plugin_files().items() if not file.startswith("doc_fragments/")}
    assert len(files) > 50
    found = [
        violation
        for file, source in sorted(files.items())
        if source
        for violation in check(file, source)
        if not file.endswith("module_utils/__init__.py")
    ]
    assert not found, "\n" + "\n".join(map(str, found))


def test_imports_form_no_cycle() -> None:
    files = plugin_files()
    modules = {module_of(file) for file in files}
    graph = {}
    for file, source in files.items():
        targets = (target[len(COLLECTION) :] for _line, target in imports_of(file, source) if target)
        # an import refers to a module, or to a name in a module
        graph[module_of(file)] = {name for target in targets for name in (target, target[:-1]) if name in modules}
    cycle = cycle_in(graph)
    assert not cycle, " imports ".join("/".join(module) for module in cycle)


FUTURE = "from __future__ import annotations\n"

BAD: list[tuple[str, str, str]] = [
    ("module_utils/_api/client.py", "from .._app.jobs import find", "_api must not import _app/jobs"),
    ("module_utils/_api/client.py", "from .._extensions.manager import X", "_api must not import _extensions"),
    ("module_utils/_extensions/manager.py", "from .._app import session", "_extensions must not import _app"),
    ("module_utils/_app/session.py", "from .waiting.loop import X", "_app must not import _app/waiting"),
    ("module_utils/_app/jobs/find.py", "from ..waiting import loop", "_app/jobs must not import _app/waiting"),
    ("module_utils/_app/waiting/loop.py", "from ..actions.act import X", "_app/waiting must not import _app/actions"),
    ("module_utils/_app/reads/jobs.py", "from ..release.run import X", "_app/reads must not import _app/release"),
    ("module_utils/_app/jobs/find.py", "from ..._tasks.options import X", "_app/jobs must not import _tasks"),
    ("module_utils/_tasks/options.py", "from .._ansible import module_face", "_tasks must not import _ansible"),
    ("module_utils/_api/http.py", "import requests", "requests is third-party"),
    ("module_utils/_api/libraries.py", "import yaml", "yaml is third-party"),
    ("module_utils/_api/client.py", "def f():\n    import ansible", "_api must not import ansible"),
    ("module_utils/_tasks/options.py", "if t.TYPE_CHECKING:\n    import ansible", "_tasks must not import ansible"),
    ("module_utils/_api/client.py", "import importlib.metadata", "importlib is dynamic"),
    ("module_utils/_extensions/manager.py", "from importlib import import_module", "importlib is dynamic"),
    ("module_utils/common.py", "import json", "the folder has no row in ROOMS"),
    ("plugin_utils/_shared.py", "from ..modules.gitlab_job_info import X", "plugin_utils must not import modules"),
    ("lookup/gitlab_job.py", "from ansible_collections.community.general.plugins.x import Y", "third-party"),
    ("modules/gitlab_job_info.py", "from .... import X", "leaves the folder plugins"),
]

GOOD: list[tuple[str, str]] = [
    ("module_utils/_api/client.py", "from . import transport\nfrom .http import Request\nimport http.cookiejar"),
    ("module_utils/_api/libraries.py", "try:\n    import requests\nexcept ImportError:\n    requests = None"),
    ("module_utils/_extensions/manager.py", "import importlib.metadata\nfrom .hookspecs import X"),
    ("module_utils/_app/jobs/find.py", "from ..pipelines.query import X\nfrom ..session import Y"),
    ("module_utils/_tasks/options.py", "from .values.arguments import X\nfrom .._app.waiting.options import Y"),
    ("modules/gitlab_job_info.py", "from ..module_utils._ansible.module_face import X"),
    ("lookup/gitlab_job.py", "from ansible.errors import AnsibleLookupError\nfrom ..plugin_utils._options import X"),
]


@pytest.mark.parametrize(("file", "source", "rule"), BAD)
def test_checker_finds_violations(file: str, source: str, rule: str) -> None:
    (found,) = check(file, FUTURE + source)
    assert rule in found.rule
    assert str(found).startswith(f"plugins/{file}:")


@pytest.mark.parametrize(("file", "source"), GOOD)
def test_checker_accepts_valid_imports(file: str, source: str) -> None:
    assert check(file, FUTURE + source) == []


def test_checker_reports_the_line() -> None:
    found = check("module_utils/_app/jobs/find.py", FUTURE + "import json\n\nimport ansible\nimport yaml\n")
    assert [violation.line for violation in found] == [4, 5]


def test_missing_future_import_is_found() -> None:
    (violation,) = check("module_utils/_app/session.py", '"""Text."""\nimport json\n')
    assert "annotations is missing" in violation.rule


def test_import_cycle_is_found() -> None:
    assert cycle_in({("a",): [("b",)], ("b",): [("c",)], ("c",): [("b",)]}) == [("b",), ("c",), ("b",)]
    assert not cycle_in({("a",): [("b",), ("c",)], ("b",): [("c",)]})
