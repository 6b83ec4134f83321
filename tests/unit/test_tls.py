# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS contexts: made once for the same options, with the authorities that users of requests expect."""

from __future__ import annotations

import os
import shutil
import ssl

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import tls
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.libraries import certifi_file


def context(ca_path=None, *, validate_certs=True, **environ):
    return tls.context_for(validate_certs=validate_certs, ca_path=ca_path, environ=environ)


@pytest.fixture(name="bundle")
def bundle_fixture(tmp_path):
    path = tmp_path / "ca.pem"
    shutil.copy(certifi_file(), path)
    return str(path)


def test_the_same_options_get_the_same_context(bundle):
    assert context(bundle) is context(bundle)
    assert context() is context()
    assert context(bundle) is not context()


def test_a_changed_file_is_read_again(bundle):
    before = context(bundle)
    os.utime(bundle, (1, 1))
    assert context(bundle) is not before


def test_the_option_beats_the_variables_of_requests(bundle, tmp_path):
    other = shutil.copy(bundle, tmp_path / "other.pem")
    assert context(REQUESTS_CA_BUNDLE=bundle) is context(bundle)
    assert context(CURL_CA_BUNDLE=bundle) is context(bundle)
    assert context(REQUESTS_CA_BUNDLE=bundle, CURL_CA_BUNDLE=other) is context(bundle)
    assert context(other, REQUESTS_CA_BUNDLE=bundle) is context(other)


def test_certificates_are_verified_unless_told_otherwise(bundle):
    for made in (context(), context(bundle), context(os.path.dirname(bundle))):
        assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    careless = context(bundle, validate_certs=False)
    assert (careless.verify_mode, careless.check_hostname) == (ssl.CERT_NONE, False)


def test_without_requests_the_authorities_of_the_system_count(monkeypatch):
    monkeypatch.setattr(tls, "certifi_file", lambda: "")
    assert context().verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_what_is_no_file_of_certificates(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="ca_path .* does not name a readable file"):
        context(str(path))
