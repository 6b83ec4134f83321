# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test that secrets in additional headers and addresses are masked, and that ordinary words leave results intact."""

from __future__ import annotations

import base64
import dataclasses
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings

from tests.unit.faces import TASKS, as_module, in_process
from tests.unit.harness import TOKEN

from .server import HostileServer

SECRET = "s3cr3tvalue-0123456789"
READ: dict[str, t.Any] = {"project": "7", "pipeline_id": 6}


@pytest.mark.parametrize("face", [in_process, as_module])
@pytest.mark.parametrize("value", ["1", "deploy", "success", True, 7, "app"])
def test_short_header_values_are_not_masked_in_results(face: t.Any, value: t.Any) -> None:
    with HostileServer() as server:
        given = {"api_url": server.url, "api_token": TOKEN, **READ}
        plain = face(TASKS["gitlab_job_info"], given)
        result = face(TASKS["gitlab_job_info"], {**given, "http_headers": {"X-Flag": value}})
    assert result["jobs"] == plain["jobs"] and result["summary"] == plain["summary"] and plain["jobs"]


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"Bearer {SECRET}",
        f"Token token={SECRET}",
        f'id=7; key="{SECRET}"',
        f"Basic {base64.b64encode(f'user:{SECRET}'.encode()).decode()}",
    ],
)
def test_each_part_of_a_long_header_value_is_a_secret(value: str) -> None:
    plain = ConnectionSettings(api_url="https://gitlab.test")
    assert SECRET in dataclasses.replace(plain, http_headers={"X-Proxy": value}).secrets
    assert SECRET in dataclasses.replace(plain, credential={"Authorization": value}).secrets


@pytest.mark.parametrize("name", ["https_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("password", [SECRET, "s3cr3t%2Fvalue"])
def test_proxy_password_is_a_secret(monkeypatch: pytest.MonkeyPatch, name: str, password: str) -> None:
    monkeypatch.setenv(name, f"http://user:{password}@proxy.test:3128")
    secrets = ConnectionSettings(api_url="https://gitlab.test").secrets
    assert {password, password.replace("%2F", "/")} <= set(secrets)


@pytest.mark.parametrize("face", [in_process, as_module])
@pytest.mark.parametrize(
    "options",
    [
        {"api_url": f"http://user:{SECRET}@127.0.0.1:9"},
        {"api_url": f"http://127.0.0.1:9/?private_token={SECRET}"},
        {"api_url": "http://127.0.0.1:9", "project": f"http://user:{SECRET}@127.0.0.1:9/group/app"},
    ],
)
def test_credentials_in_addresses_are_not_in_results(face: t.Any, options: dict[str, t.Any]) -> None:
    result = face(TASKS["gitlab_job_info"], {"api_token": TOKEN, "api_retries": 0, **READ, **options})
    assert result["failed"] and SECRET not in str(result)


@pytest.mark.parametrize("face", [in_process, as_module])
@pytest.mark.parametrize("name", ["pipeline_id", "ref_type"])
def test_shortened_invalid_values_contain_no_part_of_a_token(face: t.Any, name: str) -> None:
    for offset in range(60):
        options = {**READ, name: f"{'x' * offset} {TOKEN}"}
        result = face(TASKS["gitlab_job_info"], {"api_url": "http://127.0.0.1:9", "api_token": TOKEN, **options})
        assert result["failed"] and name in result["msg"] and TOKEN[:4] not in result["msg"]
