# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hooks: their names match the contract, the guide describes each, and its examples are the tested files."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import typing as t

import pluggy
import pytest
import yaml
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request, Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions import hookspecs
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.manager import PluginManager

from tests.contract.support import ROOT

GUIDE = (ROOT / "docs" / "docsite" / "rst" / "extending.rst").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "docs" / "examples" / "extensions").glob("*.py"))

HOOKS = {
    "gitlab_register_endpoints": ("registry",),
    "gitlab_prepare_session": ("session", "settings"),
    "gitlab_create_transport": ("settings",),
    "gitlab_authenticate": ("settings",),
    "gitlab_decide_job_action": ("action", "job", "decisions"),
    "gitlab_annotate_record": ("kind", "record"),
    "gitlab_request_finished": ("request", "status", "seconds"),
}
FIRST_RESULT_HOOKS = {"gitlab_create_transport", "gitlab_authenticate", "gitlab_decide_job_action"}
BUILT_IN = {
    "gitlab_register_endpoints",
    "gitlab_create_transport",
    "gitlab_authenticate",
    "gitlab_decide_job_action",
}


def manager() -> pluggy.PluginManager:
    made = pluggy.PluginManager(hookspecs.PROJECT_NAME)
    made.add_hookspecs(hookspecs.HookSpecs)
    return made


def headings(text: str, underline: str) -> list[str]:
    lines = text.splitlines()
    return [
        title
        for title, line in zip(lines, lines[1:])
        if title and line and set(line) == {underline} and len(line) >= len(title)
    ]


def section(title: str) -> str:
    """Return the text of the guide below a heading, up to the next heading of the same level."""
    text = GUIDE.split(f"{title}\n{'^' * len(title)}\n", 1)[1]
    return re.split(r"^\S.*\n\^+$", text, maxsplit=1, flags=re.MULTILINE)[0]


def code_blocks(language: str) -> list[str]:
    pattern = rf"^\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)"
    return [textwrap.dedent(block).strip("\n") + "\n" for block in re.findall(pattern, GUIDE, flags=re.MULTILINE)]


def signatures() -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(inspect.signature(function).parameters)[1:]
        for name, function in vars(hookspecs.HookSpecs).items()
        if inspect.isfunction(function)
    }


def test_hooks_match_the_contract() -> None:
    assert hookspecs.PROJECT_NAME == "jobgate.gitlab"
    assert signatures() == HOOKS


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_hook_declares_whether_the_first_result_is_used(hook: str) -> None:
    options = getattr(manager().hook, hook).spec.opts
    assert bool(options["firstresult"]) == (hook in FIRST_RESULT_HOOKS)


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_hook_describes_its_arguments(hook: str) -> None:
    text = inspect.getdoc(getattr(hookspecs.HookSpecs, hook)) or ""
    assert re.findall(r"^:param (\w+):", text, flags=re.MULTILINE) == list(HOOKS[hook])


def test_built_in_plugin_implements_its_hooks_with_trylast() -> None:
    hooks = PluginManager()._manager.hook
    callers = {hook: getattr(hooks, hook).get_hookimpls() for hook in HOOKS}
    assert {hook for hook, implementations in callers.items() if implementations} == BUILT_IN
    assert all(implementation.trylast for each in callers.values() for implementation in each)


# ----- the guide -----


def test_guide_is_listed_in_the_toctree() -> None:
    extra = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))
    assert "extending" in [entry for part in extra["sections"] for entry in part["toctree"]]


def test_guide_has_a_heading_with_the_exact_signature_of_each_hook() -> None:
    expected = {f"{hook}({', '.join(arguments)})" for hook, arguments in HOOKS.items()}
    assert set(headings(GUIDE, "^")) == expected
    assert len(headings(GUIDE, "^")) == len(expected)


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_guide_describes_call_arguments_and_return_value(hook: str) -> None:
    text = section(f"{hook}({', '.join(HOOKS[hook])})")
    assert "\nCalled " in text
    assert all(re.search(rf"^- ``{argument}[`.]", text, flags=re.MULTILINE) for argument in HOOKS[hook])
    assert "\nReturn " in text or "\nThe return value is ignored." in text


@pytest.mark.parametrize(
    ("value", "hook"),
    [
        (ConnectionSettings, "gitlab_create_transport"),
        (Response, "gitlab_create_transport"),
        (Request, "gitlab_request_finished"),
    ],
    ids=["settings", "response", "request"],
)
def test_guide_lists_every_field(value: t.Any, hook: str) -> None:
    text = section(f"{hook}({', '.join(HOOKS[hook])})")
    missing = [name for name in value.__annotations__ if f"``{name}``" not in text]
    assert missing == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_guide_shows_the_tested_example(path: t.Any) -> None:
    licence, source = path.read_text(encoding="utf-8").split("\n\n", 1)
    assert "SPDX-License-Identifier" in licence
    assert source in code_blocks("python")


def test_guide_shows_no_other_code() -> None:
    assert len(code_blocks("python")) == len(EXAMPLES)


def test_examples_do_not_import_the_collection() -> None:
    assert not [path.name for path in EXAMPLES if "ansible_collections" in path.read_text(encoding="utf-8")]


def test_every_hook_has_an_example() -> None:
    shown = {
        node.name
        for path in EXAMPLES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert set(HOOKS) <= shown


def test_guide_uses_the_right_entry_point_group() -> None:
    (toml,) = code_blocks("toml")
    table = toml.split(f'[project.entry-points."{hookspecs.PROJECT_NAME}"]\n', 1)[1]
    entries = dict(re.findall(r'^(\w+) = "([\w.]+)"$', table, flags=re.MULTILINE))
    assert set(entries) <= {path.stem for path in EXAMPLES}


def test_guide_playbook_uses_existing_names() -> None:
    (playbook,) = (yaml.safe_load(block) for block in code_blocks("yaml"))
    (play,) = playbook
    extensions = play["module_defaults"]["group/jobgate.gitlab.gitlab"]["extensions"]
    assert set(extensions) <= {path.stem for path in EXAMPLES}
    sources = "".join(path.read_text(encoding="utf-8") for path in EXAMPLES)
    assert all(f'"{variable}"' in sources for variable in play["environment"])
