# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the options of the event source: which values prevent its start, with which error, and their documentation."""

from __future__ import annotations

import json
import pathlib
import re
import runpy
import typing as t

import jsonschema
import pytest
import yaml
from jobgate_gitlab_events.hooks import KIND_NAMES, STATUSES
from jobgate_gitlab_events.options import READERS, OptionError, Options, read_options

from tests.examples.blocks import guide_blocks

from .support import EDA, ROOT, SECRETS, SIGNING, TOKEN

SOURCE = EDA / "plugins" / "event_source" / "job_events.py"
FILTER = EDA / "plugins" / "event_filter" / "gitlab_event.py"
SCHEMA = json.loads((SOURCE.parent / "schemas" / "job_events.json").read_text(encoding="utf-8"))
WITH = {"port": 5000, "token": TOKEN}

INVALID: list[tuple[dict[str, t.Any], str]] = [
    ({}, "port is missing: set the port"),
    ({"port": 5000}, "token and signing_token are missing"),
    ({"port": 5000, "insecure": False}, "token and signing_token are missing"),
    ({**WITH, "insecure": True}, "insecure accepts deliveries without a secret"),
    ({**WITH, "tokens": [TOKEN]}, "no option 'tokens': did you mean token?"),
    ({**WITH, "certificate": "x"}, "no option 'certificate': did you mean certfile?"),
    ({**WITH, "zzz": 1}, "no option 'zzz': the options are host, port,"),
    ({**WITH, "token": ""}, "token is empty: set a value"),
    ({**WITH, "token": None}, "token is empty: set a value"),
    ({**WITH, "token": []}, "token is an empty list"),
    ({**WITH, "token": [TOKEN, ""]}, "token is empty"),
    ({**WITH, "token": 12345678}, "token must be a string: put quotes around it"),
    ({**WITH, "token": f"{TOKEN}\n"}, "token has blanks around it, or contains line breaks"),
    ({**WITH, "token": f" {TOKEN}"}, "token has blanks"),
    ({**WITH, "signing_token": ""}, "signing_token is empty"),
    ({**WITH, "signing_token": TOKEN}, "signing_token is not a signing token of GitLab: a signing token begins with"),
    ({**WITH, "signing_token": "whsec_MDEy"}, "too short"),
    ({**WITH, "port": "x"}, "port must be an integer from 0 to 65535"),
    ({**WITH, "port": 65536}, "port must be"),
    ({**WITH, "port": True}, "port must be"),
    ({**WITH, "host": ""}, "host is empty"),
    ({**WITH, "path": "gitlab"}, "path must be the path of the hook's URL, such as /gitlab"),
    ({**WITH, "path": "/a b"}, "path must be"),
    ({**WITH, "insecure": "no"}, "insecure must be true or false"),
    ({**WITH, "tolerance": 0}, "tolerance must be a number of seconds greater than 0"),
    ({**WITH, "tolerance": float("nan")}, "tolerance must be"),
    ({**WITH, "tolerance": float("inf")}, "tolerance must be"),
    ({**WITH, "events": ["jobs"]}, "events contains 'jobs', which is not one of job, pipeline, deployment"),
    ({**WITH, "events": []}, "events is an empty list"),
    ({**WITH, "statuses": ["sucess"]}, "statuses contains 'sucess', which is not one of created"),
    ({**WITH, "names": [1]}, "names must be a string"),
    ({**WITH, "names": []}, "names is an empty list"),
    ({**WITH, "projects": [True]}, "projects must be a string: put quotes around it"),
    (
        {**WITH, "projects": "https://gitlab.example.com/group/app"},
        "which is not a project: set a path such as group/app",
    ),
    ({**WITH, "projects": ["group/app, group/api"]}, "projects contains 'group/app, group/api', which is not"),
    ({**WITH, "projects": ["group/app", "/"]}, "projects contains '/'"),
    ({**WITH, "keyfile": "key.pem"}, "keyfile needs the certificate of the key: set certfile"),
    ({**WITH, "max_body": 10}, "max_body must be an integer from 1024 to 26214400"),
    ({**WITH, "remember": 0}, "remember must be"),
]


@pytest.mark.parametrize(("args", "sentence"), INVALID, ids=[str(number) for number in range(len(INVALID))])
def test_invalid_options_are_refused_in_one_sentence(args: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_options(args)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [secret for secret in SECRETS if secret in str(caught.value)]


def test_repr_of_options_contains_no_secrets() -> None:
    options = read_options({**WITH, "signing_token": SIGNING})
    for shown in (repr(options), repr(options.secrets)):
        assert TOKEN not in shown and "0123456789abcdef" not in shown


def test_strings_and_single_values_are_converted() -> None:
    """Variables of a rulebook may be strings."""
    options = read_options({"port": "5000", "token": TOKEN, "tolerance": "1.5", "projects": 12, "names": "a, b"})
    assert (options.port, options.tolerance) == (5000, 1.5)
    assert (options.token, options.projects, options.names) == ((TOKEN,), ("12",), ("a, b",))


def test_file_paths_are_expanded_as_in_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setenv("KEYS", "/etc/keys")
    options = read_options({**WITH, "certfile": "$KEYS/hook.pem", "nudges": "~/nudges"})
    assert (options.certfile, options.nudges) == ("/etc/keys/hook.pem", "/home/alice/nudges")


def test_insecure_requires_no_secret() -> None:
    assert read_options({"port": 5000, "insecure": True}).secrets.tokens == ()


def test_missing_certificate_is_refused(tmp_path: pathlib.Path) -> None:
    options = read_options({**WITH, "certfile": str(tmp_path / "x.pem")})
    with pytest.raises(OptionError, match="x.pem.*cannot be used.*PEM format"):
        options.tls()


def test_invalid_certificate_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "x.pem").write_text("no certificate", encoding="utf-8")
    with pytest.raises(OptionError, match="cannot be used"):
        read_options({**WITH, "certfile": str(tmp_path / "x.pem")}).tls()


# Documentation of the options


@pytest.fixture(scope="module", name="source")
def source_fixture() -> dict[str, t.Any]:
    """Return the plugin as ansible-rulebook loads it."""
    return runpy.run_path(str(SOURCE))


def test_all_options_are_documented_and_in_the_schema(source: dict[str, t.Any]) -> None:
    documented = yaml.safe_load(source["DOCUMENTATION"])["options"]
    assert list(documented) == list(READERS)
    assert list(SCHEMA["properties"]) == list(READERS)
    assert SCHEMA["additionalProperties"] is False
    defaults = Options(port=0)
    for name in READERS:
        default = getattr(defaults, name)
        default = list(default) if isinstance(default, tuple) else default
        # an unset list is empty here, and has no default in the documentation
        expected = None if name == "port" or default == [] else default
        assert documented[name].get("default") == SCHEMA["properties"][name].get("default") == expected, name


def test_documented_choices_match_the_code(source: dict[str, t.Any]) -> None:
    documented = yaml.safe_load(source["DOCUMENTATION"])["options"]
    for name, expected in (("events", KIND_NAMES), ("statuses", STATUSES)):
        assert documented[name]["choices"] == list(expected)
        assert SCHEMA["$defs"][name]["enum"] == list(expected)


def test_schema_refuses_most_invalid_options() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    passed = [args for args, sentence in INVALID if validator.is_valid(args)]
    # the schema cannot check some strings, for example for line breaks; only the source does
    assert all(set(args) & {"token", "signing_token", "tolerance", "path"} for args in passed) and len(passed) <= 6, (
        passed
    )
    assert validator.is_valid(WITH)
    assert validator.is_valid({"port": 5000, "insecure": True})
    assert validator.is_valid({**WITH, "token": [TOKEN], "signing_token": SIGNING, "projects": [12, "group/*"]})


@pytest.mark.parametrize("path", [SOURCE, FILTER], ids=["source", "filter"])
def test_plugin_documentation_is_complete(path: pathlib.Path) -> None:
    plugin = runpy.run_path(str(path))
    documentation = yaml.safe_load(plugin["DOCUMENTATION"])
    assert documentation["module"] == path.stem
    for key in ("short_description", "description", "version_added", "author"):
        assert documentation[key], key


def given_options(rulesets: t.Any) -> list[dict[str, t.Any]]:
    """Return the options of this source in rulebooks, with valid values instead of variables."""
    filled = {"signing_token": SIGNING, "token": [TOKEN], "port": 5000, "projects": "group/app"}
    sources = [one for ruleset in rulesets for one in ruleset["sources"]]
    found = [one["jobgate.gitlab.job_events"] for one in sources if "jobgate.gitlab.job_events" in one]
    return [args | {name: value for name, value in filled.items() if name in args} for args in found]


def all_rulebooks() -> dict[str, t.Any]:
    """Return the rulebooks of the collection and of its documentation."""
    folders = (EDA / "rulebooks", ROOT / "docs" / "examples" / "rulebooks")
    files = sorted(file for folder in folders for file in folder.glob("*.yml"))
    made = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in files}
    for path in (SOURCE, FILTER):
        made[path.stem] = yaml.safe_load(runpy.run_path(str(path))["EXAMPLES"])
    blocks = [block for block in guide_blocks("events") if block.is_playbook]
    return made | {block.title: block.content for block in blocks}


RULEBOOKS = all_rulebooks()


@pytest.mark.parametrize("name", RULEBOOKS)
def test_options_of_every_rulebook_are_valid(name: str) -> None:
    for args in given_options(RULEBOOKS[name]):
        read_options(args)


@pytest.mark.parametrize("path", sorted((EDA / "rulebooks").glob("*.yml")), ids=lambda path: path.stem)
def test_guide_lists_the_variables_of_each_rulebook(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = set(re.findall(r"{{ (?!event)(\w+)|vars\.(\w+)", text.partition("\n- name:")[2]))
    used = {name for pair in used for name in pair if name}
    for_all = {"gitlab_hook_port", "gitlab_hook_host", "GITLAB_SIGNING_TOKEN"}
    guide = (ROOT / "docs" / "docsite" / "rst" / "events.rst").read_text(encoding="utf-8")
    row = guide.partition(f"* - ``{path.stem}``")[2].partition("\n   * - ")[0].partition("\n\n")[0]
    assert set(re.findall(r"``(\w+)``", row.rpartition("\n     -")[2])) == used - for_all
    assert used >= for_all


def test_all_rulebooks_with_this_source_are_found() -> None:
    assert sum(len(given_options(rulesets)) for rulesets in RULEBOOKS.values()) == 8
