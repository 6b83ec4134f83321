# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What a user can do about an error status, and about an exchange that brought no answer: the first fitting row wins.

A refusal that has its reasons in what was to be done has no row here: who sends the request knows them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import re
import typing as t

from .connection import TOKEN_VARIABLES, TimeLimit, TokenKind
from .errors import ConnectError, LostAnswerError, RequestError, TrustError, UsageError
from .http import Request, parse_address
from .libraries import requests_library

_CLIENT_ADVICE = "Give a client certificate that this server accepts with client_cert and client_key"


@dataclasses.dataclass(frozen=True)
class _Row:
    """A row fits when everything that it names fits; the first fitting one wins.

    :param status: 0 for any.
    :param words: of GitLab's own text, or of the title of a web page, in small letters.
    :param is_mere: whether it fits only when GitLab gives no reason of its own.
    """

    status: int
    advice: str
    words: str = ""
    writes: bool | None = None
    token: TokenKind | None = None
    missing_endpoint: bool | None = None
    is_mere: bool = False


_UNSET = [name for names in TOKEN_VARIABLES.values() for name in names]
_ANONYMOUS = (
    f"No token was sent, because no option gives one and {', '.join(_UNSET[:-1])} and {_UNSET[-1]} are not set: give "
    "api_token, or set one of them"
)
_NARROW = "The token is fine-grained: give it this permission, or use a token with the scope"

_ROWS: tuple[_Row, ...] = (
    # what GitLab says of the server, whatever the status
    _Row(0, "This server is a read-only copy (Geo): set api_url to the primary site to act", words="read-only"),
    _Row(503, "The server is in maintenance mode: reading works, acting on jobs does not", words="maintenance"),
    # what it says of the user
    _Row(0, "An administrator of GitLab has to approve the user of the token", words="pending approval"),
    _Row(0, "An administrator of GitLab has to unblock the user of the token", words="has been blocked"),
    _Row(0, "The user of the token has to sign in to GitLab once", words="deactivated"),
    _Row(0, "The user of the token has to sign in to GitLab and accept the terms", words="terms of service"),
    _Row(0, "The user of the token has to sign in to GitLab and set a new password", words="password expired"),
    _Row(0, "The user of the token has to confirm the email address", words="email address is not confirmed"),
    # of the token
    _Row(0, "Use a token that is not fine-grained, with the scope api", words="support fine-grained"),
    _Row(0, "Use a token that is not fine-grained, with the scope api", words="tokens are not yet supported"),
    _Row(0, f"{_NARROW} api", words="fine-grained", writes=True),
    _Row(0, f"{_NARROW} read_api", words="fine-grained"),
    _Row(0, f"{_NARROW} api", words="lacks the required permissions", writes=True),
    _Row(0, f"{_NARROW} read_api", words="lacks the required permissions"),
    _Row(401, "The token has expired: make a new one", words="expired"),
    _Row(401, "The token was revoked: make a new one", words="revoked"),
    _Row(403, "The token may only read: it needs the scope api to act on jobs", words="higher privileges", writes=True),
    _Row(403, "The token lacks a scope: it needs read_api or api", words="higher privileges"),
    _Row(
        403,
        "Add this permission to the entry for the project of the job token in the job token allow-list",
        words="token permission is required",
    ),
    _Row(
        403,
        "Add the project of the CI job to the job token allow-list of the other project; without an entry there, a job "
        "token gets no more than artifacts, deployments and environments of public and internal projects",
        words="job token",
    ),
    # of the project
    _Row(0, "Unarchive the project: an archived project can only be read", words="project is archived"),
    _Row(0, "Unarchive the project: an archived project can only be read", words="archived project"),
    # and where it says nothing
    _Row(
        404,
        "This server has no such address: check that api_url is the address of GitLab, and that no proxy before it "
        "decodes %2F",
        missing_endpoint=True,
    ),
    _Row(401, _ANONYMOUS, token=""),
    _Row(403, _ANONYMOUS, token=""),
    _Row(404, _ANONYMOUS, token=""),
    _Row(
        401,
        "The job token is not valid here: it works only while its job is running, and not for every endpoint; a job "
        "token can never play, retry or cancel",
        token="api_job_token",
        is_mere=True,
    ),
    _Row(401, "Check the token, and that api_url is the server it belongs to", is_mere=True),
    _Row(
        403,
        "The user of the token needs at least the role Reporter in the project, and CI/CD must be enabled there",
        writes=False,
        is_mere=True,
    ),
    _Row(
        404,
        "The project does not exist, or the token may not see it: before GitLab 18 no job token can list jobs, and "
        "before GitLab 19.2 none can read pipelines and trigger jobs",
        words="project not found",
        token="api_job_token",
    ),
    _Row(
        404,
        "The project does not exist, or the token may not see it: check project and the token",
        words="project not found",
    ),
    _Row(400, _CLIENT_ADVICE, words="ssl certificate"),
    _Row(405, "Give the project's new path, or its numeric id", words="moved"),
    _Row(405, "Too many records for pages by number: choose a pipeline, or give a limit", words="offset"),
    _Row(409, "GitLab is busy with this job or its project: try again in a moment", words="resource lock"),
    _Row(409, "GitLab is busy with this job or its project: try again in a moment", words="stats refresh"),
    _Row(409, "GitLab is busy with this job or its project: try again in a moment", is_mere=True),
    _Row(429, "Too many requests: wait a minute, and lower api_concurrency"),
    _Row(500, "The server failed: its administrator can look up the request id"),
    _Row(502, "The server behind the proxy does not answer; it may be starting or being upgraded"),
    _Row(503, "The server is overloaded or being upgraded"),
    _Row(504, "The server took too long"),
)

# Words in the title of a web page that comes instead of GitLab's answer, and what to do.
_CHALLENGE = (
    "Cloudflare answers instead of GitLab and asks for a browser: let requests to the API pass there, or set api_url "
    "to an address behind it"
)
_LOGIN = "A login page answers instead of GitLab: requests with a token have to pass it, at least those to /api/v4"
_PAGES: tuple[tuple[str, str], ...] = (
    ("just a moment", _CHALLENGE),
    ("attention required", _CHALLENGE),
    ("cloudflare", _CHALLENGE),
    ("maintenance", "The server is in maintenance: try again later"),
    ("deploy in progress", "The server is being upgraded: try again later"),
    ("sign in", _LOGIN),
    ("sign-in", _LOGIN),
    ("signin", _LOGIN),
    ("log in", _LOGIN),
    ("login", _LOGIN),
    ("single sign-on", _LOGIN),
    ("saml", _LOGIN),
)

# How GitLab begins its tokens unless its administrator has chosen otherwise, and what they are.
_TOKEN_PREFIXES: t.Mapping[str, str] = {
    "gldt-": "a deploy token, which GitLab's API does not take: give a personal, project or group access token",
    "glrt-": "the token of a runner, which GitLab's API does not take: give a personal, project or group access token",
    "glptt-": "a trigger token, which can only start pipelines: give a personal, project or group access token",
    "glft-": "a feed token, which GitLab's API does not take: give a personal, project or group access token",
}
_JOB_TOKEN, _PERSONAL_TOKEN = "glcbt-", "glpat-"


def advice_for(
    *,
    status: int,
    server_text: str,
    is_write: bool,
    token_kind: TokenKind,
    token: str = "",
    is_missing_endpoint: bool = False,
    has_reason: bool = True,
    title: str = "",
) -> str:
    """Return what to do about an error status, empty when there is nothing better than GitLab's own words.

    :param server_text: GitLab's own words.
    :param has_reason: whether they say more than the status.
    :param title: of the web page that came instead of an answer of the API.
    """
    text = (server_text or title).lower()
    found = page_advice(title) if title else ""
    if not found and status == 401 and not has_reason:
        found = _misplaced_token(token_kind, token)
    for row in () if found else _ROWS:
        if (
            row.status in (0, status)
            and row.words in text
            and row.writes in (None, is_write)
            and row.token in (None, token_kind)
            and row.missing_endpoint in (None, is_missing_endpoint)
            and not (row.is_mere and has_reason)
        ):
            return row.advice
    return found


def page_advice(title: str) -> str:
    """Return what to do about a web page that came instead of an answer, empty when its title does not tell."""
    words = title.lower()
    return next((advice for known, advice in _PAGES if known in words), "")


def _misplaced_token(kind: TokenKind, token: str) -> str:
    """Return what is wrong with the kind of a token, as far as its beginning tells."""
    for prefix, what in _TOKEN_PREFIXES.items():
        if token.startswith(prefix):
            return f"{kind} holds {what}"
    if token.startswith(_JOB_TOKEN) and kind != "api_job_token":
        return f"{kind} holds the token of a CI job: give it as api_job_token"
    if token.startswith(_PERSONAL_TOKEN) and kind == "api_job_token":
        return f"{kind} holds an access token: give it as api_token"
    return ""


# ----- exchanges without an answer -----


class Exchange:
    """One request and its answer, as far as errors have to know of them."""

    def __init__(self, request: Request, timeout_seconds: float, limit: TimeLimit) -> None:
        self.request = request
        self.timeout_seconds = timeout_seconds
        self.limit = limit
        # the variable of the environment that names the proxy in use, empty without a proxy
        self.proxy_name = ""

    @contextlib.contextmanager
    def errors_of_opening(self) -> t.Iterator[None]:
        """Turn what requests raises before there is an answer into our errors."""
        try:
            yield
        except UsageError:
            raise
        # `from None`: what requests puts into its texts may hold the query, and nobody needs its traceback
        except ValueError as exc:  # most of what requests raises about addresses and headers, and http.client's own
            raise self.located(_usage_error(exc, self) or _error_of_opening(exc, self)) from None
        except Exception as exc:
            if not _is_of_libraries(exc):
                raise
            raise self.located(_error_of_opening(exc, self)) from None

    @contextlib.contextmanager
    def errors_of_reading(self) -> t.Iterator[None]:
        """Turn what requests and urllib3 raise while the body is read into our errors."""
        try:
            yield
        except RequestError as exc:
            raise self.located(exc) from None
        except Exception as exc:
            if not _is_of_libraries(exc):
                raise
            raise self.located(_error_of_reading(exc, self)) from None

    def located(self, error: Exception) -> Exception:
        """Return the error with method and address filled in."""
        if isinstance(error, RequestError):
            error.method, error.url = self.request.method, self.request.display_url
        return error


def conflicting_length() -> LostAnswerError:
    return LostAnswerError("the answer has invalid or conflicting Content-Length headers")


def _is_of_libraries(exc: Exception) -> bool:
    """Return whether requests, urllib3 or the standard library's network code raised it."""
    return isinstance(exc, (OSError, ValueError, http.client.HTTPException)) or any(
        type(exc).__module__.partition(".")[0] == name for name in ("urllib3", "requests", "socks")
    )


def _usage_error(exc: ValueError, exchange: Exchange) -> UsageError | None:
    """Return the error for a request that could not be written down: nothing was sent. None for any other."""
    errors = requests_library().exceptions
    if exchange.proxy_name and "SOCKS support" in str(exc):
        return UsageError(
            f"{exchange.proxy_name} names a SOCKS proxy, which needs the Python library PySocks; install it with pip"
        )
    if isinstance(exc, errors.InvalidHeader):
        # urllib3 has an error of this name for headers that it received
        is_unsendable = not any(type(cause).__module__.startswith("urllib3") for cause in _causes(exc))
    else:
        unsendable = (errors.InvalidURL, errors.InvalidSchema, errors.MissingSchema)
        is_unsendable = isinstance(exc, unsendable) or not isinstance(exc, errors.RequestException)
    if not is_unsendable:
        return None
    return UsageError(f"the connection options cannot be used: {type(exc).__name__}; check api_url and the token")


def _error_of_opening(exc: Exception, exchange: Exchange) -> RequestError:
    """Return the error for an exchange that brought no answer, by whether the request can have been executed."""
    errors = requests_library().exceptions
    text = " ".join(f"{type(cause).__name__}: {cause}" for cause in _causes(exc))
    is_connecting = exchange.limit.is_connecting or isinstance(exc, errors.ConnectTimeout)
    is_connecting = is_connecting or "NewConnectionError" in text or "Tunnel connection failed" in text
    distrust = tls_error(text, is_connecting=is_connecting)
    if distrust:
        return distrust
    address = parse_address(exchange.request.url)
    if not is_connecting:
        error = _error_of_reading(exc, exchange)
        if address.scheme == "https" and exchange.limit.is_fresh and not error.advice:
            # with TLS 1.3 a server says so afterwards, and its reset may be faster
            error.advice = f"If it happens every time, the server may demand a client certificate. {_CLIENT_ADVICE}"
        return error
    if exchange.proxy_name:
        status = re.search(r"Tunnel connection failed: (\d{3})", text)
        return proxy_error(exchange.proxy_name, int(status.group(1)) if status else 0)
    where = f"{address.host}:{address.port}"
    if "NameResolutionError" in text or "gaierror" in text:
        unknown = ConnectError(f"the host name {address.host} is unknown", advice="Check api_url")
        # EAI_AGAIN is a name server that is away for the moment; any other says that there is no such name
        unknown.is_permanent = "Temporary failure" not in text
        return unknown
    if isinstance(exc, errors.Timeout):
        return ConnectError(
            f"no connection to {where} within {exchange.timeout_seconds:g} s",
            advice="Check api_url and the network",
        )
    return ConnectError(f"{where} refuses the connection or cannot be reached", advice="Check api_url")


def _error_of_reading(exc: Exception, exchange: Exchange) -> RequestError:
    """Return the error for an answer that did not come to its end."""
    text = " ".join(type(cause).__name__ for cause in _causes(exc))
    limit = exchange.limit
    if not limit.left():
        return LostAnswerError(
            f"the answer was not complete within {limit.seconds:g} s",
            advice="The server sends too slowly; raise api_timeout, or wait_timeout of a task that waits",
        )
    if "timeout" in text.lower():
        return LostAnswerError(
            f"no answer within {exchange.timeout_seconds:g} s", advice="Raise api_timeout if this is normal"
        )
    if "InvalidHeader" in text:
        return conflicting_length()
    return LostAnswerError("the connection broke before the whole answer was there")


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


# What OpenSSL says: words of it, the reason for the user, and what to do. The first row that fits counts.
_TLS_ADVICE = (
    "Give the CA certificate of this server with ca_path; or check that api_url has the right scheme, host name and "
    "port"
)
_TLS_REASONS: tuple[tuple[str, str, str], ...] = (
    ("certificateerror", "certificate verify failed: host name mismatch", _TLS_ADVICE),
    ("wrong version number", "the server does not speak TLS on this port", _TLS_ADVICE),
    ("record layer failure", "the server does not speak TLS on this port", _TLS_ADVICE),
    ("alert certificate required", "the server demands a client certificate", _CLIENT_ADVICE),
    ("alert handshake failure", "the server refuses to speak TLS with us; it may demand a client certificate",
     _CLIENT_ADVICE),
    ("alert bad certificate", "the server does not accept the client certificate", _CLIENT_ADVICE),
    ("alert unknown ca", "the server does not accept the client certificate", _CLIENT_ADVICE),
    ("alert certificate", "the server does not accept the client certificate", _CLIENT_ADVICE),
)  # fmt: skip


def tls_error(text: str, *, is_connecting: bool) -> TrustError | None:
    """Return the error for what OpenSSL says, None when it is not about trust.

    :param is_connecting: whether anything that goes wrong does so before the request was sent.
    """
    if "certificate verify failed" in text:
        rest = text.split("certificate verify failed", 1)[1]
        reason = "certificate verify failed" + re.split(r"\(_ssl|['\")]", rest)[0].rstrip(" (")
        return TrustError(f"TLS failed: {reason}", advice=_TLS_ADVICE)
    words = re.sub(r"[\W_]+", " ", text).lower()
    for known, reason, advice in _TLS_REASONS:
        if known in words:
            return TrustError(f"TLS failed: {reason}", advice=advice)
    # a server that hangs up may be back in a moment
    if is_connecting and "ssl" in words and "eof" not in words and "timed out" not in words:
        return TrustError("TLS failed: no secure connection could be made", advice=_TLS_ADVICE)
    return None


def proxy_error(proxy_name: str, status: int) -> ConnectError:
    """Return the error for a proxy that does not do its work.

    :param status: what it answered, 0 when it did not.
    """
    if status == 407:
        problem, advice = "asks for a user name and password (status 407)", "Write them into the address of the proxy"
    elif status:
        problem, advice = f"refuses the connection to this server (status {status})", "Check the proxy, and NO_PROXY"
    else:
        problem, advice = "cannot be reached, or does not connect", "Check its address, and NO_PROXY"
    error = ConnectError(f"the proxy of {proxy_name} {problem}", advice=advice)
    error.is_permanent = status == 407
    return error
