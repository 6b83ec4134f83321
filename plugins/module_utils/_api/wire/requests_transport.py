# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The built-in transport, which uses one `requests.Session` and reads bodies piece by piece."""

from __future__ import annotations

import contextlib
import http.cookiejar
import io
import os
import re
import typing as t
import zlib

from ..connection import USER_AGENT, ConnectionSettings, ca_source
from ..errors import BadAnswerError, LostAnswerError, RequestError, UsageError
from ..http import (
    CHUNK_BYTES,
    HOST,
    LONGEST_ERROR_BYTES,
    Address,
    ByteStream,
    Origin,
    Request,
    Response,
    number_in,
    parse_address,
)
from ..libraries import requests_library
from .adapter import Adapter
from .exchange import Exchange, conflicting_length, error_of_opening, error_of_reading, proxy_error

# urllib3 rejects a time-out of 0.
_SHORTEST_SECONDS = 0.001
_NO_BODY = (204, 304)
# For `Accept-Encoding`. Unlike decoders for Brotli and others, zlib can limit the length of its output.
_ENCODINGS = "gzip, deflate"


class RequestsTransport:
    """A transport with one `requests.Session`, which threads share.

    The environment sets proxies as users of requests expect (`HTTPS_PROXY`, `NO_PROXY`), but nothing else: `~/.netrc`
    would replace the credential. Cookies, which would be a second credential, are disabled.
    """

    def __init__(self, settings: ConnectionSettings, prepare_session: t.Callable[[t.Any], None]) -> None:
        self._settings = settings
        self._proxies: dict[Origin, tuple[dict[str, str], str]] = {}
        self._requests = requests_library()
        self._session = self._new_session()
        prepare_session(self._session)
        self._session.trust_env = False

    def _new_session(self) -> t.Any:
        settings = self._settings
        session = self._requests.Session()
        adapter = Adapter(settings)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        # requests would read the whole body of a redirect; `send_following` handles redirects instead
        session.get_redirect_target = lambda response: None
        session.headers["User-Agent"] = USER_AGENT
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        # for adapters of extensions; ours uses its context
        session.verify = settings.validate_certs and (ca_source(settings.ca_path)[0] or True)
        return session

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        with contextlib.closing(self._open(request, timeout_seconds, _ENCODINGS)) as answer:
            return Response(answer.status, answer.headers, _whole_body(request, answer), request.url)

    def stream(self, request: Request, *, timeout_seconds: float) -> ByteStream:
        # archives are already compressed
        return self._open(request, timeout_seconds, "identity")

    def _open(self, request: Request, timeout_seconds: float, encoding: str) -> RequestsStream:
        exchange = Exchange(request, timeout_seconds)
        with exchange.errors(error_of_opening), exchange.as_current():
            address = parse_address(request.url)
            exchange.is_own = address.origin == self._settings.origin
            proxies, exchange.proxy_name = self._proxies_for(address)
            headers = {"Accept-Encoding": encoding, **request.headers}
            if exchange.is_own:
                headers = {**self._settings.http_headers, **headers, **self._settings.credential}
            # adapters of extensions do not report whether a write was sent
            is_ours = isinstance(self._session.get_adapter(address.url), Adapter)
            exchange.has_sent = request.method != "GET" and not is_ours
            timeout = min(timeout_seconds, max(exchange.left(), _SHORTEST_SECONDS))
            answer = self._session.request(
                request.method,
                address.url,
                headers=headers,
                data=request.body,
                timeout=(timeout, timeout),
                proxies=proxies,
                allow_redirects=False,
                stream=True,
            )
        try:
            return RequestsStream(answer, exchange)
        except RequestError:
            answer.close()
            raise

    def _proxies_for(self, address: Address) -> tuple[dict[str, str], str]:
        """Return the proxies for an address, and the variable that sets the one in use; cached for each origin.

        :raises UsageError: if its value is not the address of a proxy.
        """
        if address.origin not in self._proxies:
            proxies = {**self._requests.utils.get_environ_proxies(address.url), **self._session.proxies}
            self._proxies[address.origin] = proxies, _proxy_name(address, proxies)
        return self._proxies[address.origin]


class RequestsStream(ByteStream):
    """An answer of requests whose body is read piece by piece.

    :raises RequestError: if the body cannot be read, or if the answer comes from the proxy.
    """

    def __init__(self, answer: t.Any, exchange: Exchange) -> None:
        self.status = answer.status_code
        self.headers = {name.lower(): value for name, value in answer.headers.items()}
        self.url = exchange.request.url
        self._answer = answer
        self._exchange = exchange
        self._received = 0
        with exchange.errors(error_of_reading):
            if self.status == 407 and exchange.proxy_name:
                raise proxy_error(exchange.proxy_name, 407)
            if self.header("transfer-encoding").lower() not in ("", "chunked"):
                raise _unusable(exchange.request, "the answer has a Transfer-Encoding that was not requested")
            self._declared = self._declared_length()
            encoding = self.header("content-encoding").strip().lower()
            if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
                raise _unusable(exchange.request, "the answer has a Content-Encoding that was not requested")
            is_encoded = encoding not in ("", "identity")
            self._read = BodyDecoder(encoding, self._receive).read if is_encoded else self._receive

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; decode them if the server has encoded them, even if it was not asked to."""
        self._exchange.begin_piece()
        with self._exchange.errors(error_of_reading):
            return self._read(size)

    def _receive(self, size: int) -> bytes:
        content: bytes = self._answer.raw.read(size, decode_content=False)
        self._received += len(content)
        if not content and self._declared is not None and self._received != self._declared:
            raise LostAnswerError(f"the answer was cut off after {self._received} of {self._declared} bytes")
        return content

    def _declared_length(self) -> int | None:
        """Return the declared length of the body, None if the answer does not declare it."""
        if self.status in _NO_BODY or self.header("transfer-encoding"):
            return None
        text = self.header("content-length")
        length = number_in(text)
        if text and length is None:
            raise conflicting_length()
        return length

    def close(self) -> None:
        """Release the connection, which is closed unless the whole body was read."""
        self._answer.close()


class BodyDecoder:
    """A decoder for a body that arrives in pieces, whose output never exceeds the requested size.

    The decoder of urllib3 does not notice if a body was cut off.

    :param encoding: gzip, x-gzip or deflate.
    :param receive: returns up to the given number of encoded bytes, none at the end.
    """

    def __init__(self, encoding: str, receive: t.Callable[[int], bytes]) -> None:
        self._is_gzip = encoding != "deflate"
        self._receive = receive
        # the decoder of the current member; gzip allows several members in a row
        self._member: t.Any = None
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of the body, none at its end.

        :raises LostAnswerError: if the body is damaged or was cut off.
        """
        while not (decoded := self._decoded(size)):
            received = self._receive(size)
            if not received:
                if self._member:
                    raise LostAnswerError("the compressed answer was cut off")
                return b""
            self._rest += received
        return decoded

    def _decoded(self, size: int) -> bytes:
        """Return up to `size` decoded bytes of the received data; none if more data is needed."""
        decoded = b""
        while not decoded and (self._rest or self._member):
            sent, self._rest = self._rest, b""
            self._member = self._member or zlib.decompressobj(self._window_bits(sent))
            try:
                decoded = self._member.decompress(sent, size)
            except zlib.error:
                raise LostAnswerError("the compressed answer is damaged") from None
            self._rest = self._member.unused_data or self._member.unconsumed_tail
            if self._member.eof:
                self._member = None
            elif not sent:
                break
        return decoded

    def _window_bits(self, sent: bytes) -> int:
        """Return zlib's `wbits` for a member, depending on its first byte."""
        if self._is_gzip:
            return 16 + zlib.MAX_WBITS
        # some servers omit the wrapper that the standard requires, which starts with this byte
        is_wrapped = sent[0] & 0x0F == zlib.DEFLATED
        return zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS


def _whole_body(request: Request, answer: RequestsStream) -> bytes:
    """Return the body of an answer; for an error status, only its beginning.

    :raises RequestError: if the body is longer than the request allows.
    """
    limit = LONGEST_ERROR_BYTES if answer.status >= 400 else request.max_bytes
    body = io.BytesIO()
    while piece := answer.read(CHUNK_BYTES):
        body.write(piece)
        if limit is not None and body.tell() > limit:
            if answer.status >= 400:
                return body.getvalue()[:limit]
            error = _unusable(request, f"the answer is longer than {limit:,} bytes")
            error.is_permanent = True
            raise error
    return body.getvalue()


def _unusable(request: Request, problem: str) -> RequestError:
    """Return the error for an answer that cannot be used; a write may have been executed anyway."""
    kind = BadAnswerError if request.method in ("GET", "HEAD") else LostAnswerError
    return kind(problem, method=request.method, url=request.display_url)


# ----- proxies -----

# Without a scheme, requests mistakes a user name with a password for one, and some characters for the end of the host.
_PROXY = re.compile(
    rf"((https?|socks4a?|socks5h?)://([^/?#\\\s]*@)?|[^:/?#\\\s]*@)?{HOST}(:(?P<port>[0-9]{{1,5}}))?/?", re.IGNORECASE
)


def _proxy_name(address: Address, proxies: t.Mapping[str, str]) -> str:
    """Return the variable that sets the proxy for an address, empty if there is no proxy.

    :raises UsageError: if its value is not the address of a proxy.
    """
    proxy = requests_library().utils.select_proxy(address.url, proxies)
    if not proxy:
        return ""
    variables = (f"{address.scheme}_proxy", "all_proxy")
    names = (name for variable in variables for name in (variable, variable.upper()))
    proxy_name = next((name for name in names if os.environ.get(name) == proxy), "the proxy setting")
    found = _PROXY.fullmatch(proxy)
    if not found or int(found["port"] or 1) not in range(1, 65536):
        raise UsageError(
            f"{proxy_name} is not the address of a proxy; write it like http://proxy.example.com:3128, or with the "
            "scheme https, socks5 or socks5h, and with its password URL-encoded"
        )
    return proxy_name
