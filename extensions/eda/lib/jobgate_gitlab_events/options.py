# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the event source, checked before it listens. No message repeats a value that may be a secret."""

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
    """An option is wrong; the text says which, and what to do."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The options; their defaults are those of the documentation."""

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
        """What deliveries are checked with."""
        return Secrets(self.token, self.signing_token, self.tolerance)

    def wants(self, gitlab: Record) -> bool:
        """Say whether an event is one of those that were asked for."""
        # GitLab finds a project by its path in small and capital letters alike
        projects = [str(one).lower() for one in (gitlab["project"], gitlab["project_id"]) if one is not None]
        return (
            gitlab["kind"] in self.events
            and (not self.statuses or gitlab["status"] in self.statuses)
            and (not self.projects or any(_fits(one, self.projects) for one in projects))
            # only jobs have names that are worth choosing by
            and (not self.names or gitlab["kind"] != "job" or _fits(gitlab["name"] or "", self.names))
        )

    def tls(self) -> ssl.SSLContext | None:
        """Return what is needed to answer over https; None for plain http.

        :raises OptionError: the files are not there or do not fit.
        """
        if self.certfile is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # without a password OpenSSL would ask for one on the terminal
            context.load_cert_chain(self.certfile, self.keyfile, password="")
        except (OSError, ValueError) as error:
            raise OptionError(
                f"certfile {self.certfile!r} and keyfile {self.keyfile!r} cannot be used ({error}): "
                "name a certificate in PEM form and its key, which must have no password"
            ) from None
        return context


def _fits(value: str, patterns: t.Sequence[str]) -> bool:
    """Say whether a value is one of these names; * and ? are wildcards, [ is an ordinary character."""
    return any(
        value == one or re.fullmatch(fnmatch.translate(one.replace("[", "[[]")), value) is not None for one in patterns
    )


def _wrong(name: str, wanted: str) -> OptionError:
    return OptionError(f"{name} has to be {wanted}")


def _string(name: str, value: t.Any) -> str:
    if value is None or value == "":
        raise OptionError(f"{name} is empty: give it a value, or leave it out")
    if not isinstance(value, str):
        raise _wrong(name, "text: put quotes around it")
    return value


def _clean(name: str, value: t.Any) -> str:
    text = _string(name, value)
    if text != text.strip() or not text.isprintable():
        raise OptionError(f"{name} has blanks, a line end or control codes around or in it: take them away")
    return text


def _entries(name: str, value: t.Any) -> list[t.Any]:
    """Return the entries of an option that takes one value or a list."""
    entries = value if isinstance(value, list) else [value]
    if not entries:
        raise OptionError(f"{name} is an empty list, which stands for nothing: fill it, or leave it out")
    return entries


def _texts(name: str, value: t.Any) -> tuple[str, ...]:
    return tuple(_clean(name, entry) for entry in _entries(name, value))


def _file(name: str, value: t.Any) -> str:
    return os.path.expanduser(os.path.expandvars(_string(name, value)))


def _projects(name: str, value: t.Any) -> tuple[str, ...]:
    entries = [str(one) if _is_integer(one) else _clean(name, one) for one in _entries(name, value)]
    for entry in entries:
        if not re.fullmatch("[A-Za-z0-9_./*?-]+", entry.strip("/")):
            raise OptionError(f"{name} has {entry!r}, which is no project: give a path such as group/app, or an id")
    return tuple(entry.strip("/").lower() for entry in entries)


def _is_integer(value: t.Any) -> bool:
    # true and false are numbers to Python
    return isinstance(value, int) and not isinstance(value, bool)


def _choices(allowed: t.Sequence[str]) -> t.Callable[[str, t.Any], tuple[str, ...]]:
    """Return the reader of an option that takes some of these words."""

    def read(name: str, value: t.Any) -> tuple[str, ...]:
        entries = _texts(name, value)
        for entry in entries:
            if entry not in allowed:
                raise OptionError(f"{name} has {entry!r}, which is none of {', '.join(allowed)}")
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
        raise _wrong(name, f"the path of the hook's URL, such as /gitlab, and not {text!r}")
    return text


def _boolean(name: str, value: t.Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false")
    return value


def _integer(least: int, most: int) -> t.Callable[[str, t.Any], int]:
    """Return the reader of an option that takes a whole number, also as digits in a text."""

    def read(name: str, value: t.Any) -> int:
        if isinstance(value, str) and re.fullmatch("[0-9]{1,12}", value):
            value = int(value)
        if not _is_integer(value) or not least <= value <= most:
            raise _wrong(name, f"a whole number from {least} to {most}")
        return int(value)

    return read


def _seconds(name: str, value: t.Any) -> float:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value):
        value = float(value)
    if not (_is_integer(value) or isinstance(value, float)) or not math.isfinite(value) or value <= 0:
        raise _wrong(name, "a number of seconds above 0")
    return float(value)


# How each option is read. An option that is not here does not exist.
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
    """Return the options that a rulebook gives.

    :raises OptionError: one is unknown or wrong, or what they say together is.
    """
    for name in args:
        if name not in READERS:
            close = difflib.get_close_matches(str(name), READERS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(READERS)}"
            raise OptionError(f"job_events has no option {name!r}: {hint}")
    if "port" not in args:
        raise OptionError("port is missing: name the port on which GitLab's hooks arrive")
    options = Options(**{name: READERS[name](name, value) for name, value in args.items()})
    has_secret = bool(options.token or options.signing_token)
    if options.insecure and has_secret:
        raise OptionError(
            "insecure takes deliveries from anybody, but there is a secret as well: leave one of them out"
        )
    if not options.insecure and not has_secret:
        raise OptionError("token and signing_token are missing: give one of them, as it is set in the hook")
    if options.keyfile and not options.certfile:
        raise OptionError("keyfile is the key of a certificate: name that in certfile")
    return options
