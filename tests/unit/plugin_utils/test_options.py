# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a lookup: from the expression, a variable, the environment or the default, anew in each call."""

from __future__ import annotations

import itertools
import types

import pytest
from ansible import constants
from ansible.errors import AnsibleError
from ansible_collections.jobgate.gitlab.plugins.plugin_utils import _options

DEFINITIONS = {
    "_terms": {"type": "list", "required": True},
    "project": {"type": "str", "required": True, "aliases": ["path"]},
    "api_token": {"type": "str", "env": [{"name": "TEST_TOKEN"}], "vars": [{"name": "test_token"}]},
    "retries": {"type": "int", "default": 5, "env": [{"name": "TEST_RETRIES"}], "vars": [{"name": "test_retries"}]},
    "ref": {"type": "str"},
}
NUMBERS = itertools.count()


class Templar:
    def template(self, value):
        return value.replace("{{ secret }}", "resolved") if isinstance(value, str) else value


@pytest.fixture(name="options")
def options_fixture(monkeypatch):
    for name in ("TEST_TOKEN", "TEST_RETRIES"):
        monkeypatch.delenv(name, raising=False)
    name = f"test.test.options{next(NUMBERS)}"
    constants.config.initialize_plugin_configuration_definitions("lookup", name, DEFINITIONS)
    plugin = types.SimpleNamespace(_load_name=name, option_definitions=DEFINITIONS, _templar=Templar())

    def options(variables=None, **direct):
        return _options.plugin_options(plugin, variables, direct if "path" in direct else {"project": "a/b", **direct})

    return options


def test_defaults_and_what_the_expression_says(options):
    assert options() == {"project": "a/b", "api_token": None, "retries": 5, "ref": None}
    assert options(retries="7", ref="main") == {"project": "a/b", "api_token": None, "retries": 7, "ref": "main"}
    assert options(path="c/d")["project"] == "c/d"


def test_a_variable_counts_as_long_as_it_is_there(options):
    assert options()["retries"] == 5
    assert options({"test_retries": "2"})["retries"] == 2
    assert options({"test_retries": "2"}, retries=3)["retries"] == 3
    assert options({"other": 1})["retries"] == 5


def test_the_environment_counts_as_long_as_it_is_there(options, monkeypatch):
    monkeypatch.setenv("TEST_RETRIES", "4")
    assert options()["retries"] == 4
    assert options({"test_retries": 2})["retries"] == 2
    monkeypatch.delenv("TEST_RETRIES")
    assert options()["retries"] == 5


def test_a_template_in_a_variable_is_resolved(options):
    assert options({"test_token": "{{ secret }}"})["api_token"] == "resolved"
    assert options({"test_token": "{{ secret }}"}, api_token=None)["api_token"] == "resolved"
    assert options(api_token="{{ secret }}")["api_token"] == "{{ secret }}"


def test_a_token_of_the_environment_is_left_to_the_settings(options, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", "glpat-of-the-environment")
    assert options()["api_token"] is None


@pytest.mark.parametrize("wrong", [{"retries": "many"}, {"project": None}])
def test_what_is_wrong_is_said_each_time(options, wrong):
    for _call in range(2):
        with pytest.raises(AnsibleError):
            options(**wrong)
        assert options()["retries"] == 5
