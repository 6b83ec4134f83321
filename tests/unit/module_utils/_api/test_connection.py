# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS contexts: created once for the same settings, with the authorities that users of requests and OpenSSL expect."""

from __future__ import annotations

import os
import shutil
import ssl
from unittest import mock

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import connection
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import CA_VARIABLES, ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.libraries import requests_library

from tests.simulator.certificates import Authority


def context(ca_path=None, *, validate_certs=True, environ=None, extensions=(), **how):
    settings = ConnectionSettings("https://x", ca_path=ca_path, validate_certs=validate_certs, extensions=extensions)
    with variables(environ or {}):
        return connection.tls_context(settings, **how)


def variables(environ):
    """Set these variables for certificates and clear the others."""
    return mock.patch.dict(os.environ, {**dict.fromkeys(CA_VARIABLES, ""), **environ})


def source(ca_path, environ):
    with variables(environ):
        return connection.ca_source(ca_path)


@pytest.fixture(name="bundle")
def bundle_fixture(tmp_path):
    path = tmp_path / "ca.pem"
    shutil.copy(requests_library().certs.where(), path)
    return str(path)


def test_equal_settings_share_a_context(bundle):
    assert context(bundle) is context(bundle)
    assert context() is context()
    assert context(bundle) is not context()


def test_context_with_extensions_is_not_shared(bundle):
    assert context(bundle, extensions=("some",)) is not context(bundle)
    assert context(bundle, extensions=("some",)) is not context(bundle, extensions=("some",))


def test_changed_certificate_file_is_read_again(bundle):
    before = context(bundle)
    os.utime(bundle, (1, 1))
    assert context(bundle) is not before


def test_certificate_sources_have_the_documented_order(bundle):
    assert source("/ca.pem", {name: "/other" for name in CA_VARIABLES}) == ("/ca.pem", "ca_path")
    for number, name in enumerate(CA_VARIABLES):
        assert source(None, {later: f"/{later}" for later in CA_VARIABLES[number:]}) == (f"/{name}", name)
    assert source(None, {})[0] == requests_library().certs.where()
    assert context(environ={"SSL_CERT_FILE": bundle}).cert_store_stats() == context(bundle).cert_store_stats()


def test_system_authorities_are_used_without_the_requests_bundle(monkeypatch, tmp_path):
    monkeypatch.setattr(requests_library().certs, "where", lambda: str(tmp_path / "none.pem"))
    assert source(None, {}) == ("", "")
    assert context().verify_mode == ssl.CERT_REQUIRED


def test_certificate_folders_are_accepted(tmp_path):
    authority = Authority()
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    for path in (str(folders[0]), os.pathsep.join([*map(str, folders), "/none"])):
        made = context(environ={"SSL_CERT_DIR": path})
        # OpenSSL reads the folder only when it is needed
        assert (made.verify_mode, made.cert_store_stats()["x509"]) == (ssl.CERT_REQUIRED, 0)
    authority.stop()


def test_certificates_are_verified_unless_disabled(bundle):
    for made in (context(is_for_proxy=True), context(bundle, is_for_proxy=True)):
        assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    careless = context(bundle, validate_certs=False)
    assert (careless.verify_mode, careless.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize(("version", "is_left_to_openssl"), [("1.26.5", False), ("2.8.0", True)])
def test_host_name_check_is_left_to_old_urllib3(monkeypatch, bundle, version, is_left_to_openssl):
    monkeypatch.setattr(connection.requests_library().packages.urllib3, "__version__", version)
    assert context(bundle).check_hostname is is_left_to_openssl
    assert context(bundle, is_for_proxy=True).check_hostname is True
    assert context(bundle).verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("content", [None, "no certificate"])
@pytest.mark.parametrize("named_by", ["ca_path", *CA_VARIABLES])
def test_unreadable_certificate_file_is_a_usage_error(tmp_path, content, named_by):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    given = {"ca_path": str(path)} if named_by == "ca_path" else {"environ": {named_by: str(path)}}
    with pytest.raises(UsageError, match=f"{named_by} does not name a readable file"):
        context(**given)
