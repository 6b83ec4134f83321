# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The transport by requests, for whatever users configure there: proxies first of all."""

from __future__ import annotations

import contextlib
import http.cookiejar
import typing as t

from .connection import USER_AGENT, ConnectionSettings
from .direct_transport import tls_error
from .errors import ConnectError, LostAnswerError, RequestError, UsageError
from .http import Request, Response, lower_case, origin_of
from .libraries import requests_library
from .tls import NO_CA_FILE


def _auth(headers: t.Mapping[str, str]) -> t.Any:
    """Return an authentication object for requests: with any such object, `~/.netrc` is not looked at."""
    base: t.Any = requests_library().auth.AuthBase

    class HeaderAuth(base):  # type: ignore[misc]
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
        requests = requests_library()
        self._errors = requests.exceptions
        self._session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=max(1, settings.concurrency))
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers["User-Agent"] = USER_AGENT
        # a session cookie would be a second credential, which nobody asked for
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._verify: bool | str = settings.validate_certs and (settings.ca_path or True)

    @property
    def session(self) -> t.Any:
        """Return the `requests.Session`, for extensions to prepare."""
        return self._session

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request."""
        with self._translated(request, timeout_seconds), self._open(request, timeout_seconds) as answer:
            body = answer.content
            headers = lower_case(answer.headers.items())
            _check_length(answer, headers)
            return Response(status=answer.status_code, headers=headers, body=body, url=request.url)

    def stream(self, request: Request, *, timeout_seconds: float) -> RequestsStream:
        """Return the answer to one request, its body unread."""
        # compressed content that ends early looks whole when the length fits, and artifacts are compressed already
        plain = request._replace(headers={**request.headers, "Accept-Encoding": "identity"})
        with self._translated(request, timeout_seconds):
            answer = self._open(plain, timeout_seconds)
        return RequestsStream(answer, request.url, lambda: self._translated(request, timeout_seconds))

    def _open(self, request: Request, timeout_seconds: float) -> t.Any:
        is_own = origin_of(request.url) == self._origin
        return self._session.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            data=request.body,
            auth=self._own_auth if is_own else self._no_auth,
            timeout=(timeout_seconds, timeout_seconds),
            verify=self._verify,
            allow_redirects=False,
            stream=True,
        )

    @contextlib.contextmanager
    def _translated(self, request: Request, timeout_seconds: float) -> t.Iterator[None]:
        """Turn what requests raises into our errors."""
        try:
            yield
        except RequestError as exc:
            raise _located(exc, request) from None
        except (self._errors.RequestException, OSError, ValueError) as exc:
            # `from None`: what requests puts into its texts may hold the query, and nobody needs its traceback
            raise _located(_translate(exc, timeout_seconds, self._origin), request) from None
        except Exception as exc:
            if type(exc).__module__.partition(".")[0] != "urllib3":
                raise
            # what urllib3 raises while a body is read, which requests passes on as it is
            raise _located(_translate(exc, timeout_seconds, self._origin), request) from None


class RequestsStream:
    """A body as it comes through requests."""

    def __init__(self, answer: t.Any, url: str, translated: t.Callable[[], t.ContextManager[None]]) -> None:
        self.status: int = answer.status_code
        self.headers: t.Mapping[str, str] = lower_case(answer.headers.items())
        self.url = url
        self._answer = answer
        self._translated = translated
        # without an encoding the bytes pass through urllib3 as they are, which costs half as much
        self._is_encoded = self.headers.get("content-encoding", "identity").lower() not in ("", "identity")

    def header(self, name: str) -> str:
        """Return a header's value, empty when the header is absent."""
        return self.headers.get(name.lower(), "")

    def read(self, size: int) -> bytes:
        """Return up to so many bytes, decoded if the server has encoded them although it was not asked to."""
        with self._translated():
            content: bytes = self._answer.raw.read(size, decode_content=self._is_encoded)
            if not content:
                _check_length(self._answer, self.headers)
            return content

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer with the next bytes, at its beginning; return how many there are, 0 at the end."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Let go of the connection."""
        self._answer.close()


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
    errors = requests_library().exceptions
    where = f"{origin[1]}:{origin[2]}"
    causes = "".join(f"{type(cause).__name__}: {cause} " for cause in _causes(exc))
    if isinstance(exc, errors.SSLError) or "certificate verify failed" in causes:
        return tls_error(causes)
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
        return UsageError(NO_CA_FILE)
    return LostAnswerError("the connection broke before the whole answer was there")


def _is_unsendable(exc: Exception) -> bool:
    """Return whether a request could not even be written down: nothing was sent."""
    errors = requests_library().exceptions
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
