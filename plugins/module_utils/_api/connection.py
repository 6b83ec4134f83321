# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What one connection to a GitLab server is made of."""

from __future__ import annotations

import types
import typing as t

from .http import origin_of

# pluggy's name for the project, and the group of entry points of extensions.
PROJECT_NAME = "jobgate.gitlab"
USER_AGENT = "jobgate.gitlab/0.1.0 (Ansible collection)"

TokenKind = t.Literal["api_token", "api_oauth_token", "api_job_token", "extension", ""]


class ConnectionSettings(t.NamedTuple):
    """Where the server is and how to talk to it; what hooks that build a transport or a credential are given.

    :param api_url: base address of the REST API, ending in `/api/v4`.
    :param token_kind: which option the token came from, or that it came from an extension; empty for anonymous access.
    :param credential: header names and values to send to this origin, and to no other; filled by `gitlab_authenticate`.
    :param ca_path: file or folder of CA certificates, None for the library's own choice.
    :param timeout_seconds: for connecting, and for each read.
    :param retries: how often a request that is safe to repeat is repeated.
    :param concurrency: most simultaneous requests of one task.
    """

    api_url: str
    token_kind: TokenKind = ""
    token: str = ""
    credential: t.Mapping[str, str] = types.MappingProxyType({})
    ca_path: str | None = None
    validate_certs: bool = True
    timeout_seconds: float = 30.0
    retries: int = 5
    concurrency: int = 8
    extensions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # what extensions print or log must not hold a token
        return f"<ConnectionSettings of {self.api_url}>"

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Return scheme, host and port that the credential belongs to."""
        return origin_of(self.api_url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must appear nowhere."""
        bare = (value.rpartition(" ")[2] for value in self.credential.values())
        return tuple(dict.fromkeys(secret for secret in (self.token, *self.credential.values(), *bare) if secret))
