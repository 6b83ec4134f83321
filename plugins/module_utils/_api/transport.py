# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The one seam to the network: send one request, return one answer.

A transport follows no redirect and repeats nothing; that is decided above it. It alone holds the credential, and adds
it only to requests to the origin it was made for.
"""

from __future__ import annotations

import http.cookiejar
import typing as t

from .connection import USER_AGENT, ConnectionSettings
from .errors import ConnectError, LostAnswerError, RequestError, TrustError, UsageError
from .http import Request, Response, origin_of
from .optional_imports import requests, require_libraries


class Transport(t.Protocol):
    """What the client needs of the network."""

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request, redirects and error statuses included.

        :param timeout_seconds: for connecting, and for each read.
        :raises ConnectError: when the request was certainly not executed.
        :raises LostAnswerError: when it may have been.
        """


def create_transport(settings: ConnectionSettings) -> Transport:
    """Return the built-in transport.

    :raises MissingLibraryError: when requests is not installed.
    """
    require_libraries()
    return RequestsTransport(settings)


def _auth(headers: t.Mapping[str, str]) -> t.Any:
    """Return an authentication object for requests: with any such object, `~/.netrc` is not looked at."""

    class HeaderAuth(requests.auth.AuthBase):
        def __call__(self, prepared: t.Any) -> t.Any:
            prepared.headers.update(headers)
            return prepared

    return HeaderAuth()


class RequestsTransport:
    """Sends through one pooled `requests.Session`.

    Proxies and CA bundles come from the environment as users of requests expect (`HTTPS_PROXY`, `NO_PROXY`,
    `REQUESTS_CA_BUNDLE`), unless `ca_path` is given.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._origin = settings.origin
        self._own_auth = _auth(settings.credential)
        self._no_auth = _auth({})
        self._session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=max(1, settings.concurrency))
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers["User-Agent"] = USER_AGENT
        # a session cookie would be a second credential, which nobody asked for
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._verify: bool | str = settings.validate_certs and (settings.ca_path or True)

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request."""
        is_own = origin_of(request.url) == self._origin
        try:
            with self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body,
                auth=self._own_auth if is_own else self._no_auth,
                timeout=(timeout_seconds, timeout_seconds),
                verify=self._verify,
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = answer.content
                headers = {name.lower(): value for name, value in answer.headers.items()}
                _check_length(answer, headers)
                return Response(status=answer.status_code, headers=headers, body=body, url=request.url)
        except RequestError as exc:
            raise _located(exc, request) from None
        except (requests.exceptions.RequestException, OSError, ValueError) as exc:
            # `from None`: what requests puts into its texts may hold the query, and nobody needs its traceback
            raise _located(_translate(exc, timeout_seconds, self._origin), request) from None


def _check_length(answer: t.Any, headers: t.Mapping[str, str]) -> None:
    """Compare what came with what was announced; older urllib3 does not."""
    declared = headers.get("content-length", "")
    received = answer.raw.tell()
    if declared.isdecimal() and answer.request.method != "HEAD" and answer.status_code not in (204, 304):
        if received != int(declared):
            raise LostAnswerError(f"the answer was cut after {received} of {declared} bytes")


def _located(error: RequestError | UsageError, request: Request) -> Exception:
    """Return the error with method and address filled in."""
    if isinstance(error, RequestError):
        error.method, error.url = request.method, request.display_url
    return error


def _translate(
    exc: Exception, timeout_seconds: float, origin: tuple[str, str, int | None]
) -> RequestError | UsageError:
    """Return our error for one of requests' errors, by whether the request can have been executed."""
    errors = requests.exceptions
    where = f"{origin[1]}:{origin[2]}"
    causes = "".join(f"{type(cause).__name__}: {cause} " for cause in _causes(exc))
    if isinstance(exc, errors.SSLError) or "certificate verify failed" in causes:
        return TrustError(
            f"TLS failed: {_tls_reason(causes)}",
            advice="Give the CA certificate of this server with ca_path; or check that api_url has the right scheme, "
            "host name and port",
        )
    if isinstance(exc, errors.ProxyError):
        return ConnectError("the proxy could not be reached", advice="Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY")
    if isinstance(exc, errors.ConnectTimeout):
        return ConnectError(
            f"no connection to {where} within {timeout_seconds:g} s", advice="Check api_url and the network"
        )
    if isinstance(exc, (errors.ReadTimeout, errors.Timeout)):
        return LostAnswerError(f"no answer within {timeout_seconds:g} s", advice="Raise api_timeout if this is normal")
    if "NameResolutionError" in causes or "gaierror" in causes or "getaddrinfo" in causes:
        error = ConnectError(f"the host name {origin[1]} is unknown", advice="Check api_url")
        # EAI_AGAIN is a name server that is away for the moment; any other says that there is no such name
        error.is_permanent = "Temporary failure" not in causes
        return error
    if isinstance(exc, errors.ConnectionError) and "NewConnectionError" in causes:
        return ConnectError(f"{where} refuses the connection or cannot be reached", advice="Check api_url")
    if _is_unsendable(exc):
        return UsageError(f"the connection options cannot be used: {type(exc).__name__}; check api_url and the token")
    if isinstance(exc, FileNotFoundError) or "CA certificate" in str(exc) or "CA bundle" in str(exc):
        return UsageError("ca_path (or REQUESTS_CA_BUNDLE) does not name a readable file or folder of CA certificates")
    return LostAnswerError("the connection broke before the whole answer was there")


def _is_unsendable(exc: Exception) -> bool:
    """Return whether a request could not even be written down: nothing was sent."""
    errors = requests.exceptions
    if isinstance(exc, errors.InvalidHeader):
        # urllib3 has an error of this name for headers that it received
        return not any(type(cause).__module__.startswith("urllib3") for cause in _causes(exc))
    if isinstance(exc, errors.RequestException):
        return isinstance(exc, (errors.InvalidURL, errors.InvalidSchema, errors.MissingSchema))
    return isinstance(exc, ValueError)  # of http.client, for a header or an address


def _causes(exc: BaseException) -> t.Iterator[BaseException]:
    """Yield an error and what is wrapped in it: urllib3's errors, and those of the socket."""
    seen: set[int] = set()
    queue: list[t.Any] = [exc]
    while queue:
        current = queue.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        queue.extend((*current.args, getattr(current, "reason", None), current.__cause__, current.__context__))


def _tls_reason(causes: str) -> str:
    """Return the part of OpenSSL's text that says what is wrong."""
    if "certificate verify failed" in causes:
        rest = causes.split("certificate verify failed", 1)[1]
        return "certificate verify failed" + rest.split("(_ssl")[0].rstrip(" (")
    if "WRONG_VERSION_NUMBER" in causes or "record layer" in causes:
        return "the server does not speak TLS on this port"
    return "no secure connection could be made"
