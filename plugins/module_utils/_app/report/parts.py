# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Parts of a report as HTML. Everything that comes from a server or a user is escaped here, and nowhere else."""

from __future__ import annotations

import html
import typing as t
from urllib.parse import urlsplit

from ..._api.decoding import Record
from ..._api.masking import one_line, printable
from ..actions.actions import ACTIONS
from ..fields import seconds_of
from ..jobs.statuses import STATUSES, Tone
from .scale import parse_time

# The class and the sign of each outcome. Statuses have theirs in their own table.
_OUTCOMES: t.Mapping[str, tuple[Tone, str]] = {
    "passed": ("good", "✓"),
    **{row.participle: ("good", "✓") for row in ACTIONS.values() if row.gate},
    "started": ("good", "✓"),
    "already done": ("good", "="),
    "refused": ("bad", "✗"),
    "timed out": ("bad", "✗"),
    "not reached": ("none", "·"),
}
# For predictions of check mode, such as "would be played" and "would pass".
_PREDICTED: tuple[Tone, str] = ("still", "?")
_MAX_NAMES = 3
# For a status of GitLab that this collection does not know yet. The report shows it unchanged.
_UNKNOWN: tuple[Tone, str] = ("none", "?")


def text(value: t.Any) -> str:
    """Return a value as escaped text in one line."""
    return html.escape(one_line("" if value is None else str(value)))


def block(lines: t.Sequence[str]) -> str:
    """Return lines as escaped text."""
    return html.escape("\n".join(printable(line) for line in lines))


def link(url: t.Any, label: t.Any) -> str:
    """Return a link, or only its label if the address is not a web address, because its source is not trusted."""
    shown = text(label)
    return f'<a href="{html.escape(url)}" rel="noreferrer">{shown}</a>' if is_web_address(url) else shown


def text_with_links(value: t.Any) -> str:
    """Return a value as escaped text in one line, with links for addresses of GitLab pages."""
    return " ".join(map(_word, one_line("" if value is None else str(value)).split(" ")))


def _word(word: str) -> str:
    """Return a word as escaped text, or as a link that excludes the punctuation around the address."""
    url = word.strip("(),.;:")
    if "/-/" not in url or not is_web_address(url):
        return html.escape(word)
    before, _url, after = word.partition(url)
    return f"{html.escape(before)}{link(url, url)}{html.escape(after)}"


def is_web_address(url: t.Any) -> bool:
    """Return whether a value is an address that a page can link to."""
    if not isinstance(url, str) or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def tone(status: t.Any) -> Tone:
    return _tone_and_sign(str(status))[0]


def has_failed(job: Record) -> bool:
    """Return whether the status of a job looks like a failure."""
    return tone(job.get("status")) == "bad"


def state(status: t.Any) -> str:
    shown, sign = _tone_and_sign(str(status))
    return f'<span class="state {shown}"><span aria-hidden="true">{sign}</span> {text(status)}</span>'


def mark(status: t.Any) -> str:
    """Return only the sign of a status, with its name for screen readers."""
    shown, sign = _tone_and_sign(str(status))
    return f'<span class="{shown}" aria-hidden="true">{sign}</span><span class="heard">{text(status)}</span>'


def sign_of(status: t.Any) -> str:
    return _tone_and_sign(str(status))[1]


def _tone_and_sign(status: str) -> tuple[Tone, str]:
    if status.startswith("would "):
        return _PREDICTED
    row = STATUSES.get(status)
    return (row.tone, row.sign) if row else _OUTCOMES.get(status, _UNKNOWN)


def seconds(value: t.Any) -> str:
    """Return a duration in words, empty if the value is not a duration."""
    value = seconds_of(value)
    if value is None:
        return ""
    if value < 9.95 and round(value, 1) % 1:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 120:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def moment(value: t.Any) -> str:
    """Return a time as a `time` element, empty if the value is not a time."""
    shown = moment_words(value)
    return f'<time datetime="{text(value)}">{text(shown)}</time>' if shown else ""


def moment_words(value: t.Any) -> str:
    """Return a time in words, empty if the value is not a time."""
    if parse_time(value) is None:
        return ""
    return f"{value[:10]} {value[11:19]} UTC" if value.endswith("Z") else str(value)


def release_name(record: Record) -> str:
    """Return the name of a release: its title, or the names of its first projects."""
    if record["title"]:
        return str(record["title"])
    names = [str(project["name"]) for project in record["projects"]]
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more


def compared(now: t.Any, before: t.Any) -> str:
    """Return a duration, with that of an earlier run if there is one."""
    shown, earlier = seconds(now), seconds(before)
    return f"{shown}, last time {earlier}" if shown and earlier else shown
