# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup rejects options that are not booleans or not mappings, wherever they are set."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

SECRET = "s3cr3tvalue-0123456789"


def lookup_error(variables, **options):
    """Return the error of the lookup."""
    lookup = lookup_loader.get("jobgate.gitlab.gitlab_job")
    given = {"project": "group/app", "ref": "main", "api_url": "http://127.0.0.1:9", "api_retries": 0, **options}
    with pytest.raises(AnsibleError) as caught:
        lookup.run(["build"], variables, **given)
    return str(caught.value)


@pytest.mark.parametrize("value", ["ture", "maybe", "", 2, [], {}])
@pytest.mark.parametrize("name", ["validate_certs", "include_downstream", "latest_success", "log"])
def test_value_that_is_not_a_boolean_is_refused(name, value):
    assert f"{name} is" in lookup_error({}, **{name: value}) and "use true or false" in lookup_error(
        {}, **{name: value}
    )


@pytest.mark.parametrize("value", ["ture", ""])
def test_variable_that_is_not_a_boolean_is_refused(value):
    assert "validate_certs is" in lookup_error({"jobgate_gitlab_validate_certs": value})


@pytest.mark.parametrize("value", ["yes", "off", True, 0, "1"])
def test_boolean_values_are_accepted(value):
    assert "use true or false" not in lookup_error({}, validate_certs=value)


@pytest.mark.parametrize("value", [SECRET, [SECRET], 5])
def test_headers_that_are_not_a_mapping_are_refused_and_hidden(value):
    for error in (lookup_error({}, http_headers=value), lookup_error({"jobgate_gitlab_http_headers": value})):
        assert "; use a mapping, such as {NAME: value}" in error and SECRET not in error


class Encrypted:
    """A vault value as ansible-core 2.18 passes it within a variable: not a string, but convertible to one."""

    def __str__(self) -> str:
        return SECRET


def test_header_from_a_vault_is_accepted():
    error = lookup_error({"jobgate_gitlab_http_headers": {"X-Pass": Encrypted()}})
    assert "http_headers" not in error and "127.0.0.1:9" in error


def test_get_option_returns_given_values_and_defaults():
    lookup = lookup_loader.get("jobgate.gitlab.gitlab_job")
    given = {"project": "group/app", "ref": "main", "api_url": "http://127.0.0.1:9", "api_retries": 0}
    with pytest.raises(AnsibleError):
        lookup.run(["build"], {"jobgate_gitlab_api_timeout": "0.5"}, cache_seconds="7", **given)
    names = ("project", "api_timeout", "cache_seconds", "api_concurrency")
    assert [lookup.get_option(name) for name in names] == ["group/app", 0.5, 7.0, 8]
