# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the event source, checked before it listens. No message repeats a value that may be a secret."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import math
import os.path
import re
import ssl
import typing as t

from .hooks import KIND_NAMES, STATUSES, Record
from .signatures import Secrets, key_of


class OptionError(ValueError):
    """An invalid option; the message contains its name and what to do."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The options, with the documented defaults."""

    port: int
    host: str = "127.0.0.1"
    path: str = "/"
    token: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    signing_token: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    insecure: bool = False
    tolerance: float = 300
    events: tuple[str, ...] = KIND_NAMES
    projects: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    certfile: str | None = None
    keyfile: str | None = None
    nudges: str | None = None
    max_body: int = 5 * 1024 * 1024
    remember: int = 10000

    @property
    def secrets(self) -> Secrets:
        """Secrets that deliveries are checked with."""
        return Secrets(self.token, self.signing_token, self.tolerance)

    def wants(self, gitlab: Record) -> bool:
        """Return whether the options select an event."""
        # GitLab ignores case in the paths of projects
        projects = [str(one).lower() for one in (gitlab["project"], gitlab["project_id"]) if one is not None]
        return (
            gitlab["kind"] in self.events
            and (not self.statuses or gitlab["status"] in self.statuses)
            and (not self.projects or any(_fits(one, self.projects) for one in projects))
            # only jobs have useful names
            and (not self.names or gitlab["kind"] != "job" or _fits(gitlab["name"] or "", self.names))
        )

    def tls(self) -> ssl.SSLContext | None:
        """Return the TLS context for https; None for plain http.

        :raises OptionError: if the files cannot be read or do not belong together.
        """
        if self.certfile is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # without this, OpenSSL would ask for a password on the terminal
            context.load_cert_chain(self.certfile, self.keyfile, password="")
        except (OSError, ValueError) as error:
            raise OptionError(
                f"certfile {self.certfile!r} and keyfile {self.keyfile!r} cannot be used ({error}): "
                "set a certificate in PEM format, and its key without a password"
            ) from None
        return context


def _fits(value: str, patterns: t.Sequence[str]) -> bool:
    """Return whether a value matches one of these names; * and ? are wildcards, [ is an ordinary character."""
    return any(
        value == one or re.fullmatch(fnmatch.translate(one.replace("[", "[[]")), value) is not None for one in patterns
    )


def _wrong(name: str, wanted: str) -> OptionError:
    return OptionError(f"{name} must be {wanted}")


def _string(name: str, value: t.Any) -> str:
    if value is None or value == "":
        raise OptionError(f"{name} is empty: set a value, or omit it")
    if not isinstance(value, str):
        raise _wrong(name, "a string: put quotes around it")
    return value


def _clean(name: str, value: t.Any) -> str:
    text = _string(name, value)
    if text != text.strip() or not text.isprintable():
        raise OptionError(f"{name} has blanks around it, or contains line breaks or control characters: remove them")
    return text


def _entries(name: str, value: t.Any) -> list[t.Any]:
    """Return the entries of an option that accepts one value or a list."""
    entries = value if isinstance(value, list) else [value]
    if not entries:
        raise OptionError(f"{name} is an empty list, which matches nothing: add an entry, or omit it")
    return entries


def _texts(name: str, value: t.Any) -> tuple[str, ...]:
    return tuple(_clean(name, entry) for entry in _entries(name, value))


def _file(name: str, value: t.Any) -> str:
    return os.path.expanduser(os.path.expandvars(_string(name, value)))


def _projects(name: str, value: t.Any) -> tuple[str, ...]:
    entries = [str(one) if _is_integer(one) else _clean(name, one) for one in _entries(name, value)]
    for entry in entries:
        if not re.fullmatch("[A-Za-z0-9_./*?-]+", entry.strip("/")):
            raise OptionError(
                f"{name} contains {entry!r}, which is not a project: set a path such as group/app, or an id"
            )
    return tuple(entry.strip("/").lower() for entry in entries)


def _is_integer(value: t.Any) -> bool:
    # in Python, true and false are integers
    return isinstance(value, int) and not isinstance(value, bool)


def _choices(allowed: t.Sequence[str]) -> t.Callable[[str, t.Any], tuple[str, ...]]:
    """Return a reader for an option with these choices."""

    def read(name: str, value: t.Any) -> tuple[str, ...]:
        entries = _texts(name, value)
        for entry in entries:
            if entry not in allowed:
                raise OptionError(f"{name} contains {entry!r}, which is not one of {', '.join(allowed)}")
        return entries

    return read


def _keys(name: str, value: t.Any) -> tuple[bytes, ...]:
    try:
        return tuple(key_of(one) for one in _texts(name, value))
    except OptionError:
        raise
    except ValueError as error:
        raise OptionError(f"{name} is not a signing token of GitLab: {error}") from None


def _path(name: str, value: t.Any) -> str:
    text = _clean(name, value)
    if not text.startswith("/") or re.search(r"[\s?#%]", text):
        raise _wrong(name, f"the path of the hook's URL, such as /gitlab, not {text!r}")
    return text


def _boolean(name: str, value: t.Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false")
    return value


def _integer(minimum: int, maximum: int) -> t.Callable[[str, t.Any], int]:
    """Return a reader for an integer option, which can also be a string of digits."""

    def read(name: str, value: t.Any) -> int:
        if isinstance(value, str) and re.fullmatch("[0-9]{1,12}", value):
            value = int(value)
        if not _is_integer(value) or not minimum <= value <= maximum:
            raise _wrong(name, f"an integer from {minimum} to {maximum}")
        return int(value)

    return read


def _seconds(name: str, value: t.Any) -> float:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value):
        value = float(value)
    if not (_is_integer(value) or isinstance(value, float)) or not math.isfinite(value) or value <= 0:
        raise _wrong(name, "a number of seconds greater than 0")
    return float(value)


# The reader of each option. Other options do not exist.
READERS: dict[str, t.Callable[[str, t.Any], t.Any]] = {
    "host": _clean,
    "port": _integer(0, 65535),
    "path": _path,
    "token": _texts,
    "signing_token": _keys,
    "insecure": _boolean,
    "tolerance": _seconds,
    "events": _choices(KIND_NAMES),
    "projects": _projects,
    "names": _texts,
    "statuses": _choices(STATUSES),
    "certfile": _file,
    "keyfile": _file,
    "nudges": _file,
    "max_body": _integer(1024, 25 * 1024 * 1024),
    "remember": _integer(1, 10_000_000),
}


def read_options(args: t.Mapping[str, t.Any]) -> Options:
    """Return the options from a rulebook.

    :raises OptionError: if an option is unknown or invalid, or if options contradict each other.
    """
    for name in args:
        if name not in READERS:
            close = difflib.get_close_matches(str(name), READERS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the options are {', '.join(READERS)}"
            raise OptionError(f"job_events has no option {name!r}: {hint}")
    if "port" not in args:
        raise OptionError("port is missing: set the port on which GitLab's hooks arrive")
    options = Options(**{name: READERS[name](name, value) for name, value in args.items()})
    has_secret = bool(options.token or options.signing_token)
    if options.insecure and has_secret:
        raise OptionError("insecure accepts deliveries without a secret, but a secret is set: remove one of them")
    if not options.insecure and not has_secret:
        raise OptionError("token and signing_token are missing: set at least one of them, as it is set in the hook")
    if options.keyfile and not options.certfile:
        raise OptionError("keyfile needs the certificate of the key: set certfile as well")
    return options
