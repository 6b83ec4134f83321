# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""TLS contexts: which certificate authorities are trusted, read once per process and inherited by its children."""

from __future__ import annotations

import functools
import os
import ssl
import typing as t

from .errors import UsageError
from .libraries import certifi_file

# Where users of requests name a file or folder of certificate authorities.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
NO_CA_FILE = "ca_path (or REQUESTS_CA_BUNDLE) does not name a readable file or folder of CA certificates"


def context_for(*, validate_certs: bool, ca_path: str | None, environ: t.Mapping[str, str]) -> ssl.SSLContext:
    """Return a context for these options; the same options get the same context.

    Without `ca_path` the variables that requests knows count, then the authorities that requests brings, then those of
    the system.

    :raises UsageError: when the file or folder is not there, or holds no certificates.
    """
    if not validate_certs:
        return _context(False, "", 0.0)
    named = [environ[name] for name in CA_VARIABLES if environ.get(name)]
    path = ca_path or (named[0] if named else certifi_file())
    if not path:
        return _context(True, "", 0.0)
    try:
        changed = os.stat(path).st_mtime
    except OSError:
        raise UsageError(NO_CA_FILE) from None
    return _context(True, path, changed)


@functools.lru_cache(maxsize=8)
def _context(validate_certs: bool, path: str, changed: float) -> ssl.SSLContext:
    """Return a context; reading a bundle of authorities takes as long as a task of Ansible.

    :param path: of a bundle, or of a folder whose files are named by hashes and read when they are needed.
    :param changed: when the file was changed: another one is read again.
    """
    if not path:
        context = ssl.create_default_context()
        if not validate_certs:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if os.path.isdir(path):
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except (OSError, ValueError):
        raise UsageError(NO_CA_FILE) from None
