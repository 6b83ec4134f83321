# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup rejects options that are not booleans or not mappings, wherever they are set."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

SECRET = "s3cr3tvalue-0123456789"


def refused(variables, **options):
    """Return the error of the lookup."""
    lookup = lookup_loader.get("jobgate.gitlab.gitlab_job")
    given = {"project": "group/app", "ref": "main", "api_url": "http://127.0.0.1:9", "api_retries": 0, **options}
    with pytest.raises(AnsibleError) as caught:
        lookup.run(["build"], variables, **given)
    return str(caught.value)


@pytest.mark.parametrize("value", ["ture", "maybe", "", 2, [], {}])
@pytest.mark.parametrize("name", ["validate_certs", "include_downstream", "latest_success", "log"])
def test_what_is_neither_true_nor_false(name, value):
    assert f"{name} is" in refused({}, **{name: value}) and "use true or false" in refused({}, **{name: value})


@pytest.mark.parametrize("value", ["ture", ""])
def test_in_a_variable(value):
    assert "validate_certs is" in refused({"jobgate_gitlab_validate_certs": value})


@pytest.mark.parametrize("value", ["yes", "off", True, 0, "1"])
def test_what_is_true_or_false_is_taken(value):
    assert "use true or false" not in refused({}, validate_certs=value)


@pytest.mark.parametrize("value", [SECRET, [SECRET], 5])
def test_headers_that_are_no_mapping_are_not_shown(value):
    for said in (refused({}, http_headers=value), refused({"jobgate_gitlab_http_headers": value})):
        assert "; use a mapping, such as {NAME: value}" in said and SECRET not in said


class Encrypted:
    """A vault value as ansible-core 2.18 passes it within a variable: not a string, but convertible to one."""

    def __str__(self) -> str:
        return SECRET


def test_a_header_from_a_vault_is_one_like_any_other():
    said = refused({"jobgate_gitlab_http_headers": {"X-Pass": Encrypted()}})
    assert "http_headers" not in said and "127.0.0.1:9" in said


def test_what_was_given_is_read_by_get_option():
    lookup = lookup_loader.get("jobgate.gitlab.gitlab_job")
    given = {"project": "group/app", "ref": "main", "api_url": "http://127.0.0.1:9", "api_retries": 0}
    with pytest.raises(AnsibleError):
        lookup.run(["build"], {"jobgate_gitlab_api_timeout": "0.5"}, cache_seconds="7", **given)
    names = ("project", "api_timeout", "cache_seconds", "api_concurrency")
    assert [lookup.get_option(name) for name in names] == ["group/app", 0.5, 7.0, 8]
