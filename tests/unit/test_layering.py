# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports point down only: the tables below are the plan of the house, and every plugin file is held to them.

modules, action, lookup -> _ansible, plugin_utils -> _tasks -> _app -> _api, and inside _api by rank.
A new room gets a row in ROOMS, a new file of _api a rank in API_RANKS.
"""

from __future__ import annotations

import ast
import dataclasses
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
COLLECTION_PREFIX = ("ansible_collections", "jobgate", "gitlab", "plugins")


@dataclasses.dataclass(frozen=True)
class Room:
    """What the files of one folder may import besides each other and the standard library."""

    below: tuple[str, ...] = ()
    may_import_ansible: bool = False


ROOMS: dict[str, Room] = {
    "modules": Room(("_ansible", "_tasks"), may_import_ansible=True),
    "action": Room(("plugin_utils", "_tasks"), may_import_ansible=True),
    "lookup": Room(("plugin_utils", "_tasks", "_app", "_api"), may_import_ansible=True),
    "doc_fragments": Room(may_import_ansible=True),
    "plugin_utils": Room(("_tasks", "_app", "_api"), may_import_ansible=True),
    "_ansible": Room(("_tasks", "_app", "_api"), may_import_ansible=True),
    "_tasks": Room(("_app", "_api")),
    "_app": Room(("_api",)),
    "_api": Room(),
}

# A file of _api imports only files of a lower rank.
API_RANKS: dict[str, int] = {
    # values, which know nothing of each other
    "clock": 0,
    "encoding": 0,
    "errors": 0,
    "http": 0,
    "masking": 0,
    # what is made of values
    "connection": 1,
    "budget": 1,
    "decoding": 1,
    "endpoints": 1,
    "compression": 1,
    "optional_imports": 1,
    "pagination": 1,
    "redirects": 1,
    "retry": 1,
    # what knows GitLab or the network
    "advice": 2,
    "catalogue": 2,
    "reading_ahead": 2,
    "tls": 2,
    "direct_transport": 3,
    "requests_transport": 4,
    "transport": 5,
    "caching": 6,
    # what others may replace
    "hookspecs": 6,
    "builtin_plugin": 7,
    "plugin_manager": 7,
    # the only door
    "client": 8,
}

# What _tasks may take from _api: values without HTTP.
VALUES_FOR_TASKS = frozenset({"clock", "connection", "encoding", "errors", "masking"})

# AnsiballZ ships only what static imports reach. What is for the controller only, it never ships.
DYNAMIC_MODULES = frozenset({"imp", "importlib", "pkgutil", "runpy"})
DYNAMIC_ALLOWED = {
    "module_utils/_api/plugin_manager.py": "importlib.metadata",
    "plugin_utils/_compiled.py": "importlib",
}

THIRD_PARTY_FILE = "module_utils/_api/optional_imports.py"
THIRD_PARTY = frozenset({"certifi", "orjson", "pluggy", "requests"})


@dataclasses.dataclass(frozen=True)
class Violation:
    """One line that breaks one rule."""

    file: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"plugins/{self.file}:{self.line}: {self.rule}"


def room_of(parts: tuple[str, ...]) -> str:
    """Return the room of a path below plugins: the folder, inside module_utils the folder there."""
    return ".".join(parts[1:2]) if parts[:1] == ("module_utils",) else ".".join(parts[:1])


class Checker:
    """Finds what is wrong with one file.

    :param file: its path below plugins, with slashes.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.parts = tuple(file.split("/"))
        self.name = self.parts[-1][: -len(".py")]
        self.room_name = room_of(self.parts[:-1])
        self.found: list[Violation] = []

    def check(self, source: str) -> list[Violation]:
        """Return the violations in the order of their lines."""
        body = ast.parse(source, filename=self.file).body
        if not body:
            return []
        if self.room_name not in ROOMS:
            self._report(1, "the folder has no row in ROOMS")
            return self.found
        if self.room_name == "_api" and self.name not in API_RANKS:
            self._report(1, "the file has no rank in API_RANKS")
        if not any(_is_future_annotations(node) for node in body):
            self._report(1, "from __future__ import annotations is missing")
        for node in ast.walk(ast.Module(body=body, type_ignores=[])):
            self._visit(node)
        return sorted(self.found, key=lambda violation: violation.line)

    def _visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._check_target(node.lineno, tuple(alias.name.split(".")))
        elif isinstance(node, ast.ImportFrom):
            base = self._base(node)
            if base is None:
                self._report(node.lineno, "a relative import leaves the folder plugins")
                return
            for alias in node.names:
                self._check_target(node.lineno, (*base, alias.name))
        elif isinstance(node, ast.Name) and node.id == "__import__":
            self._report(node.lineno, "__import__ is dynamic: AnsiballZ would not ship what it finds")

    def _base(self, node: ast.ImportFrom) -> tuple[str, ...] | None:
        """Return what is imported from as an absolute name, None when it lies outside of plugins."""
        module = tuple(node.module.split(".")) if node.module else ()
        if not node.level:
            return module
        up = len(self.parts) - node.level
        return (*COLLECTION_PREFIX, *self.parts[:up], *module) if up >= 0 else None

    def _check_target(self, line: int, target: tuple[str, ...]) -> None:
        prefix = len(COLLECTION_PREFIX)
        if target[:prefix] == COLLECTION_PREFIX:
            self._check_own(line, target[prefix:])
        elif target[0] in DYNAMIC_MODULES:
            allowed = DYNAMIC_ALLOWED.get(self.file)
            if allowed is None or not ".".join(target).startswith(allowed):
                self._report(line, f"{target[0]} is dynamic: AnsiballZ would not ship what it finds")
        elif target[0] == "ansible":
            if not ROOMS[self.room_name].may_import_ansible:
                self._report(line, f"{self.room_name} must not import ansible")
        elif target[0] in THIRD_PARTY and self.file == THIRD_PARTY_FILE:
            pass
        elif target[0] not in sys.stdlib_module_names:
            self._report(line, f"{target[0]} is third-party: import it from _api/optional_imports.py")

    def _check_own(self, line: int, target: tuple[str, ...]) -> None:
        room = room_of(target)
        if room not in (self.room_name, *ROOMS[self.room_name].below):
            self._report(line, f"{self.room_name} must not import {room or 'plugins'}")
        elif room == "_api":
            self._check_api(line, target[2] if len(target) > 2 else "")

    def _check_api(self, line: int, name: str) -> None:
        if self.room_name == "_tasks" and name not in VALUES_FOR_TASKS:
            self._report(
                line, f"_tasks must not import _api.{name}, only values: {', '.join(sorted(VALUES_FOR_TASKS))}"
            )
        elif self.room_name == "_api" and API_RANKS.get(name, 99) >= API_RANKS.get(self.name, 99):
            self._report(line, f"_api.{self.name} must not import _api.{name}: its rank is not lower")

    def _report(self, line: int, rule: str) -> None:
        violation = Violation(self.file, line, rule)
        if violation not in self.found:
            self.found.append(violation)


def _is_future_annotations(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
    )


def plugin_files() -> list[pathlib.Path]:
    return sorted(PLUGINS.rglob("*.py"))


def test_every_plugin_file_keeps_to_the_plan() -> None:
    found: list[Violation] = []
    for path in plugin_files():
        file = path.relative_to(PLUGINS).as_posix()
        found += Checker(file).check(path.read_text(encoding="utf-8"))
    assert not found, "\n" + "\n".join(map(str, found))


def test_there_are_files_to_check() -> None:
    rooms = {room_of(path.relative_to(PLUGINS).parts[:-1]) for path in plugin_files()}
    assert {"_api", "_app"} <= rooms


def test_the_ranks_name_no_file_that_is_gone() -> None:
    assert not [name for name in API_RANKS if not (PLUGINS / "module_utils" / "_api" / f"{name}.py").is_file()]


FUTURE = "from __future__ import annotations\n"

BAD: list[tuple[str, str, str]] = [
    ("module_utils/_api/client.py", "from .._app import selection", "_api must not import _app"),
    ("module_utils/_api/client.py", "from .. import _app", "_api must not import _app"),
    ("module_utils/_api/http.py", "from .client import ApiClient", "_api.http must not import _api.client"),
    ("module_utils/_api/http.py", "from . import client", "_api.http must not import _api.client"),
    ("module_utils/_api/catalogue.py", "from .transport import X", "rank is not lower"),
    ("module_utils/_api/transport.py", "import requests", "requests is third-party"),
    ("module_utils/_api/transport.py", "from requests.adapters import HTTPAdapter", "requests is third-party"),
    ("module_utils/_api/optional_imports.py", "import yaml", "yaml is third-party"),
    ("module_utils/_api/client.py", "from ansible.module_utils.basic import X", "_api must not import ansible"),
    ("module_utils/_api/client.py", "import importlib.metadata", "importlib is dynamic"),
    ("module_utils/_api/plugin_manager.py", "import importlib.util", "importlib is dynamic"),
    ("module_utils/_api/plugin_manager.py", "from importlib import import_module", "importlib is dynamic"),
    ("module_utils/_api/plugin_manager.py", "import pkgutil", "pkgutil is dynamic"),
    ("module_utils/_api/client.py", "x = __import__('json')", "__import__ is dynamic"),
    ("module_utils/_api/unheard_of.py", "import json", "no rank in API_RANKS"),
    ("module_utils/_app/waiting.py", "from .._tasks.definition import X", "_app must not import _tasks"),
    ("module_utils/_app/waiting.py", "import ansible", "_app must not import ansible"),
    (
        "module_utils/_app/waiting.py",
        "from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import X",
        "_app must not import _ansible",
    ),
    ("module_utils/_tasks/options.py", "from .._api.client import ApiClient", "_tasks must not import _api.client"),
    ("module_utils/_tasks/options.py", "from .._api import http", "_tasks must not import _api.http"),
    ("module_utils/_tasks/options.py", "from .._ansible import X", "_tasks must not import _ansible"),
    (
        "module_utils/_ansible/module_face.py",
        "from ...plugin_utils.in_process import X",
        "must not import plugin_utils",
    ),
    ("module_utils/common.py", "import json", "the folder has no row in ROOMS"),
    ("modules/gitlab_job_info.py", "from ..module_utils._api.client import X", "modules must not import _api"),
    ("modules/gitlab_job_info.py", "from ..module_utils._app.selection import X", "modules must not import _app"),
    ("modules/gitlab_job_info.py", "from ..plugin_utils.options import X", "modules must not import plugin_utils"),
    ("lookup/gitlab_job.py", "from ..module_utils._ansible.module_face import X", "lookup must not import _ansible"),
    ("lookup/gitlab_job.py", "from ansible_collections.community.general.plugins.x import Y", "third-party"),
    ("modules/gitlab_job_info.py", "from .... import X", "leaves the folder plugins"),
    ("module_utils/_app/waiting.py", "def f():\n    import ansible", "_app must not import ansible"),
    ("module_utils/_app/waiting.py", "if t.TYPE_CHECKING:\n    from .._tasks import X", "_app must not import _tasks"),
]

GOOD: list[tuple[str, str]] = [
    ("module_utils/_api/client.py", "from . import transport\nfrom .http import Request\nimport http.cookiejar"),
    ("module_utils/_api/optional_imports.py", "try:\n    import requests\nexcept ImportError:\n    requests = None"),
    ("module_utils/_api/plugin_manager.py", "import importlib.metadata\nfrom .hookspecs import X"),
    ("module_utils/_app/waiting.py", "from . import statuses\nfrom .._api.client import ApiClient"),
    (
        "module_utils/_tasks/options.py",
        "from .definition import X\nfrom .._app.waiting import Y\nfrom .._api.errors import Z",
    ),
    (
        "module_utils/_ansible/module_face.py",
        "from ansible.module_utils.basic import X\nfrom .._tasks.definition import Y",
    ),
    ("modules/gitlab_job_info.py", "from ..module_utils._ansible.module_face import X"),
    (
        "modules/gitlab_job_info.py",
        "from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_info import TASK",
    ),
    ("lookup/gitlab_job.py", "from ansible.errors import AnsibleLookupError\nfrom ..plugin_utils.options import X"),
]


@pytest.mark.parametrize(("file", "source", "rule"), BAD)
def test_the_checker_finds(file: str, source: str, rule: str) -> None:
    found = Checker(file).check(FUTURE + source)
    assert len(found) == 1
    assert rule in str(found[0])
    assert str(found[0]).startswith(f"plugins/{file}:")


@pytest.mark.parametrize(("file", "source"), GOOD)
def test_the_checker_lets_pass(file: str, source: str) -> None:
    assert Checker(file).check(FUTURE + source) == []


def test_the_checker_names_the_line() -> None:
    found = Checker("module_utils/_app/waiting.py").check(FUTURE + "import json\n\nimport ansible\nimport yaml\n")
    assert [violation.line for violation in found] == [4, 5]


def test_a_file_without_the_future_import_is_found() -> None:
    (violation,) = Checker("module_utils/_app/waiting.py").check('"""Text."""\nimport json\n')
    assert "annotations is missing" in violation.rule


def test_an_empty_file_needs_nothing() -> None:
    assert Checker("module_utils/_app/__init__.py").check("") == []
