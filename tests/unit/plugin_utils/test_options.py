# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of lookups and tasks: from the expression or task, a variable, the environment, ansible.cfg or a default."""

from __future__ import annotations

import os

import pytest
from ansible import constants
from ansible.config.manager import ConfigManager
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_info, gitlab_job_token_info
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import CONNECTION
from ansible_collections.jobgate.gitlab.plugins.plugin_utils import _group_defaults, _options

SECTION = "jobgate_gitlab"


def template(value):
    if isinstance(value, dict):
        return {name: template(item) for name, item in value.items() if item != "{{ omit }}"}
    if value == "{{ nothing }}":
        raise AnsibleError("nothing is undefined")
    return value.replace("{{ secret }}", "resolved") if isinstance(value, str) else value


class Templar:
    template = staticmethod(template)


@pytest.fixture(name="configured")
def configured_fixture(monkeypatch, tmp_path):
    """Return a function that adds lines to the collection's section of a temporary ansible.cfg."""
    for name in list(os.environ):
        if name.startswith(("GITLAB_", "GL_", "CI_", "JOBGATE_")):
            monkeypatch.delenv(name)

    def configure(*lines):
        path = tmp_path / "ansible.cfg"
        path.write_text("\n".join([f"[{SECTION}]", *lines, ""]), encoding="utf-8")
        manager = ConfigManager(str(path))
        manager.initialize_plugin_configuration_definitions(*_options.PLUGIN, _options.DEFINITIONS)
        manager.initialize_plugin_configuration_definitions("lookup", LOOKUP._load_name, LOOKUP.option_definitions)
        monkeypatch.setattr(constants, "config", manager)
        return tmp_path

    configure()
    return configure


# ----- lookups -----

LOOKUP = lookup_loader.get("jobgate.gitlab.gitlab_job", templar=Templar())
DEFAULTS = {name: option.get("default") for name, option in LOOKUP.option_definitions.items()}


def of_lookup(variables=None, **direct):
    """Return the options of a lookup that differ from their defaults."""
    found = _options.lookup_options(LOOKUP, {"project": "a/b", **direct}, variables or {})
    return {name: value for name, value in found.items() if value != DEFAULTS.get(name)}


def test_lookup_has_defaults_and_options_of_the_expression(configured):
    assert of_lookup() == {"project": "a/b"}
    found = of_lookup(api_retries="7", ref="main", fields="id, name", default=("as", "it is"))
    assert found.pop("default") is not None
    assert found == {"project": "a/b", "api_retries": 7, "ref": "main", "fields": ["id", " name"]}
    assert of_lookup(access_token="of-the-alias")["api_token"] == "of-the-alias"


def test_lookup_options_have_the_documented_precedence(configured, monkeypatch):
    configured("api_retries = 1", "api_url = https://file.example")
    assert of_lookup()["api_retries"] == 1
    assert of_lookup({"jobgate_gitlab_api_retries": "2", "other": 1})["api_retries"] == 2
    assert of_lookup({"jobgate_gitlab_api_retries": "2"}, api_retries=3)["api_retries"] == 3
    assert of_lookup()["api_url"] == "https://file.example"
    monkeypatch.setenv("GITLAB_URL", "https://env.example")
    assert of_lookup()["api_url"] == "https://env.example"


def test_templates_are_resolved_only_in_variables(configured):
    secret = {"jobgate_gitlab_api_token": "{{ secret }}"}
    assert of_lookup(secret)["api_token"] == "resolved"
    assert of_lookup(secret, api_token=None)["api_token"] == "resolved"
    assert of_lookup(api_token="{{ secret }}")["api_token"] == "{{ secret }}"
    # variables of other plugins are not resolved
    assert "api_token" not in of_lookup({"other": "{{ nothing }}"})


@pytest.mark.parametrize(
    ("direct", "variables", "environment", "file", "expected"),
    [
        ({}, {}, ["GITLAB_TOKEN"], [], {}),
        ({}, {}, ["GITLAB_TOKEN"], ["api_oauth_token"], {}),
        ({}, {}, [], ["api_oauth_token"], {"api_oauth_token": "of-the-file"}),
        ({}, {"api_job_token": "v"}, ["GITLAB_TOKEN"], ["api_oauth_token"], {"api_job_token": "v"}),
        ({"api_token": "d"}, {"api_job_token": "v"}, ["GITLAB_OAUTH_TOKEN"], ["api_job_token"], {"api_token": "d"}),
        ({"api_token": "d", "api_job_token": "d"}, {}, [], [], {"api_token": "d", "api_job_token": "d"}),
    ],
)
def test_closest_token_takes_precedence_over_other_kinds(
    configured, monkeypatch, direct, variables, environment, file, expected
):
    configured(*(f"{name} = of-the-file" for name in file))
    for name in environment:
        monkeypatch.setenv(name, "left-to-the-settings")
    found = of_lookup({f"jobgate_gitlab_{name}": value for name, value in variables.items()}, **direct)
    assert {name: value for name, value in found.items() if "token" in name} == expected


SECRET = "s3cr3tvalue-0123456789"


@pytest.mark.parametrize(
    ("direct", "message"),
    [
        ({"projct": "a/b"}, "unknown option projct; did you mean project?"),
        ({"_terms": None}, "unknown option _terms; its options are api_concurrency, api_job_token, "),
        ({"api_password": SECRET}, "api_username and api_password do not exist, because GitLab's API does not"),
        ({"project": None}, "project is missing; set it to the numeric id or the full path, like group/project"),
        ({"pipeline_id": "many"}, "pipeline_id is 'many'; use an integer"),
        ({"api_timeout": "30s"}, "api_timeout is '30s'; use the number of seconds, 30"),
        ({"ref_type": "brunch"}, "ref_type is 'brunch'; did you mean branch?"),
        ({"api_token": [SECRET]}, "api_token is a list; use one value"),
        ({"api_token": f"['{SECRET}']"}, "api_token is a list or mapping written as a string; use one value"),
        ({"http_headers": SECRET}, "http_headers is a string; use a mapping, such as {NAME: value}"),
    ],
)
def test_invalid_option_is_an_error_without_secrets(configured, direct, message):
    cases = [(direct, {})]
    if direct.keys() <= CONNECTION.arguments.keys():
        cases.append(({}, {f"jobgate_gitlab_{name}": value for name, value in direct.items()}))
    for given, variables in cases:
        with pytest.raises(UsageError) as caught:
            of_lookup(variables, **given)
        assert str(caught.value).startswith(message) and SECRET not in str(caught.value)


def test_invalid_boolean_in_ansible_cfg_is_an_error(configured):
    configured("validate_certs = ture")
    with pytest.raises(UsageError, match="validate_certs is 'ture'; use true or false"):
        of_lookup()


# ----- tasks -----


def of_task(given=None, variables=None, environ=None, task=gitlab_job_info.TASK):
    """Return the options that a task receives in addition to its own."""
    given, spec = given or {}, task.spec.arguments
    found = _options.given_options(spec, task.token_options, given, variables or {}, environ or {}, template)
    assert found.items() >= {name: value for name, value in given.items() if value is not None}.items()
    return {name: value for name, value in found.items() if given.get(name) is None}


def test_task_receives_configured_options_without_defaults(configured):
    assert of_task() == {}
    configured(
        "api_retries = 1", "validate_certs = no", "extensions = a, b", "api_url = https://f.example", "nonsense = 1"
    )
    assert of_task() == {
        "api_retries": "1",
        "validate_certs": "no",
        "extensions": "a, b",
        "api_url": "https://f.example",
    }


def test_task_options_have_the_documented_precedence(configured):
    configured("api_url = https://file.example", "api_retries = 1")
    url, retries = {"jobgate_gitlab_api_url": "https://{{ secret }}.example"}, {"jobgate_gitlab_api_retries": 2}
    assert of_task()["api_url"] == "https://file.example"
    # the task itself reads the environment
    assert of_task(environ={"GITLAB_SERVER_URL": "https://env.example"}) == {"api_retries": "1"}
    for nothing in ("", " "):
        assert of_task(environ={"GITLAB_SERVER_URL": nothing})["api_url"] == "https://file.example"
    found = of_task(variables={**url, **retries}, environ={"GITLAB_SERVER_URL": "https://env.example"})
    assert found == {"api_url": "https://resolved.example", "api_retries": 2}
    assert of_task({"api_url": "https://task.example"}, url) == {"api_retries": "1"}
    assert of_task({"api_url": None}, url)["api_url"] == "https://resolved.example"
    # an empty string counts as set
    assert "api_url" not in of_task({"api_url": ""}, url)


def test_path_in_ansible_cfg_is_relative_to_it(configured):
    folder = configured("ca_path = certificates/ca.pem")
    assert of_task() == {"ca_path": str(folder / "certificates" / "ca.pem")}


def test_path_in_a_variable_is_not_resolved(configured):
    for path in ("~/ca.pem", "certificates/ca.pem", "$HOME/ca.pem"):
        assert of_task(variables={"jobgate_gitlab_ca_path": path}) == {"ca_path": path}


@pytest.mark.parametrize(
    ("given", "variables", "environ", "expected"),
    [
        ({}, {}, {}, {"api_oauth_token": "of-the-file"}),
        ({}, {}, {"GITLAB_PRIVATE_TOKEN": "e"}, {}),
        ({}, {"jobgate_gitlab_api_token": "v"}, {"GITLAB_OAUTH_TOKEN": "e"}, {"api_token": "v"}),
        ({"access_token": "t"}, {"jobgate_gitlab_api_job_token": "v"}, {}, {}),
    ],
)
def test_closest_token_of_a_task_takes_precedence(configured, given, variables, environ, expected):
    configured("api_oauth_token = of-the-file")
    assert of_task(given, variables, environ) == expected


def test_task_does_not_receive_tokens_it_cannot_use(configured):
    configured("api_token = of-the-file", "api_job_token = job")
    variables = {"jobgate_gitlab_api_token": "v"}
    found = of_task({}, variables, {"GITLAB_TOKEN": "e"}, task=gitlab_job_token_info.TASK)
    assert found == {"api_job_token": "job"}


def test_task_does_not_receive_group_defaults_it_cannot_use():
    task = gitlab_job_token_info.TASK
    group = {
        "api_url": "u",
        "api_token": "t",
        "access_token": "t",
        "project": "a/b",
        "api_job_token": "j",
        "interval": 5,
        "wiat": True,
    }
    defaults = [{"group/jobgate.gitlab.gitlab": group}, {task.name: {"project": "c/d"}}]
    found = _group_defaults.without_group_defaults(task, group, defaults, template)
    assert found == {"api_url": "u", "api_job_token": "j", "wiat": True}
    # options set in the task itself are kept, so that the task rejects them
    own = {"api_token": "mine", "project": "mine"}
    assert _group_defaults.without_group_defaults(task, {**group, **own}, defaults, template) == {**found, **own}


def test_group_defaults_are_not_evaluated_again():
    def once(value):
        raise AssertionError(f"{value} was evaluated again")

    defaults = [{"group/jobgate.gitlab.gitlab": {"api_token": "{{ one_time_token }}", "project": "a/b"}}]
    given = {"api_token": "evaluated", "project": "a/b", "name": "build"}
    assert _group_defaults.without_group_defaults(gitlab_job_info.TASK, given, defaults, once) == given


def test_option_of_a_task_overrides_an_alias_in_group_defaults():
    group = {"access_token": "group", "interval": 5}
    own = {"api_token": "own", "wait_interval": 3}
    defaults = [{"group/jobgate.gitlab.gitlab": group}]
    assert _group_defaults.without_group_defaults(gitlab_job_info.TASK, {**group, **own}, defaults, template) == own
    assert _group_defaults.without_group_defaults(gitlab_job_info.TASK, group, defaults, template) == group


def test_unresolvable_variable_is_an_error_only_if_needed(configured):
    variables = {"jobgate_gitlab_api_token": "{{ nothing }}"}
    with pytest.raises(AnsibleError):
        of_task({}, variables)
    assert of_task({"api_oauth_token": "t"}, variables) == {}
    assert of_task({}, {"jobgate_gitlab_api_token": "v", "other": "{{ nothing }}"}) == {"api_token": "v"}


def test_switches_are_read_from_variables_and_ansible_cfg(configured):
    assert _options.is_on("in_process", {}, template)
    assert not _options.is_on("in_process", {"jobgate_in_process": "no"}, template)
    configured("in_process = false")
    assert not _options.is_on("in_process", {}, template)
    assert _options.is_on("in_process", {"jobgate_in_process": True}, template)
    assert _options.is_on("progress", {}, template)


# ----- documentation -----


def test_variables_and_ansible_cfg_keys_match_the_documentation():
    for name, argument in CONNECTION.arguments.items():
        documented = LOOKUP.option_definitions[name]
        assert documented["vars"] == [{"name": f"jobgate_gitlab_{name}"}]
        # ansible.cfg can only hold strings
        ini = [{"section": SECTION, "key": name}] if argument["type"] != "dict" else []
        assert documented.get("ini", []) == _options.DEFINITIONS.get(name, {}).get("ini", []) == ini
