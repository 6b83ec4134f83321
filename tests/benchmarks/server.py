# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark server: `python -m tests.benchmarks.server [--jobs 10000] [--mebibytes 1024] [--self-test]`.

One process answers over http and https with prebuilt bodies. It prints one line of JSON with its addresses and files,
and serves until its standard input is closed. Benchmarks control it through /-/bench/, which is neither delayed nor
counted.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import mmap
import os
import pathlib
import random
import shutil
import ssl
import subprocess
import sys
import tempfile
import typing as t
from urllib.parse import parse_qsl
from urllib.request import ProxyHandler, build_opener

from tests.simulator.certificates import Authority

from .answers import json_answer
from .http_loop import Answer, HttpLoop, HttpRequest
from .world import World

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_ADMIN = "/-/bench/"
_MEBIBYTE = 1024 * 1024


class Server:
    """A server in a separate process.

    :param jobs: number of jobs in the long list.
    :param mebibytes: size of the large log and archive.
    """

    def __init__(self, *, jobs: int = 10_000, mebibytes: int = 1024) -> None:
        self._arguments = ["--jobs", str(jobs), "--mebibytes", str(mebibytes)]
        self._opener = build_opener(ProxyHandler({}))
        self._process: subprocess.Popen[str] | None = None
        self.jobs = jobs
        self.mebibytes = mebibytes
        self.http = self.https = self.ca_file = self.ca_folder = self.large_file = ""

    def __enter__(self) -> Server:
        command = [sys.executable, "-m", "tests.benchmarks.server", *self._arguments]
        self._process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        state = json.loads(self._process.stdout.readline() or "{}")
        if not state:
            raise RuntimeError("the server of the benchmarks has not started")
        self.http, self.https = state["http"], state["https"]
        self.ca_file, self.ca_folder, self.large_file = state["ca_file"], state["ca_folder"], state["large_file"]
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process:
            self._process.communicate()  # closes its standard input, which ends it
            self._process = None

    def ask(self, what: str, **values: t.Any) -> dict[str, t.Any]:
        """Return the server's response to a control request."""
        query = "&".join(f"{name}={value}" for name, value in values.items())
        with self._opener.open(f"{self.http}{_ADMIN}{what}?{query}", timeout=60) as answer:
            return t.cast(dict[str, t.Any], json.load(answer))

    def counts(self) -> dict[str, int]:
        """Return the number of requests of each kind since the last `forget`."""
        return self.ask("counts")

    def forget(self, *, latency_ms: float = 0, **switches: bool) -> None:
        """Reset the counters and set the latency."""
        self.ask("forget", latency_ms=latency_ms, **{name: int(value) for name, value in switches.items()})


@dataclasses.dataclass
class _Admin:
    """Answers control requests, and passes all others to the world."""

    world: World
    loop: HttpLoop | None = None

    def answer(self, request: HttpRequest) -> Answer:
        if not request.target.startswith(_ADMIN):
            return self.world.answer(request)
        what, _mark, rest = request.target[len(_ADMIN) :].partition("?")
        state = self._control(what, {name: float(value) for name, value in parse_qsl(rest)})
        return json_answer(json.dumps(state).encode(), 200 if state is not None else 404)

    def _control(self, what: str, values: dict[str, float]) -> dict[str, t.Any] | None:
        world = self.world
        if what == "counts":
            return dict(world.counts)
        if what == "forget" and self.loop:
            world.forget()
            self.loop.latency_seconds = values.get("latency_ms", 0.0) / 1000
            world.has_trigger_jobs = bool(values.get("has_trigger_jobs", 1))
            world.has_bridges = bool(values.get("has_bridges", 1))
            return {}
        if what == "make":
            live = world.make_pipeline(int(values["jobs"]), last_end_seconds=values.get("last_end_seconds", 0.0))
            return live.state()
        if what == "pipeline":
            return world.live_pipeline(int(values["id"])).state()
        return None


def main() -> int:
    """Serve, or measure the speed of the server."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.server", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--self-test", action="store_true", help="measure its requests per second, and end")
    options = parser.parse_args()
    if options.self_test:
        from .server_load import self_test  # only needed here, and it starts this program again

        return self_test()
    with tempfile.TemporaryDirectory(prefix="bench-server-", dir=_memory_folder()) as name:
        _serve(pathlib.Path(name), options.jobs, options.mebibytes)
    return 0


def _serve(folder: pathlib.Path, jobs: int, mebibytes: int) -> None:
    authority = Authority()
    try:
        large = _make_file(folder / "large", mebibytes)
        world = World(jobs=jobs, large=large, small=_make_file(folder / "small", 1))
        admin = _Admin(world)
        admin.loop = loop = HttpLoop(admin.answer)
        http, https = loop.listen(), loop.listen(authority.context("valid"))
        for base in (http, https):
            world.warm_up(base)
        files = _trust(folder, authority.ca_path)
        print(json.dumps({"http": http, "https": https, "large_file": str(folder / "large"), **files}), flush=True)
        # these objects are permanent; collecting garbage among them would delay responses
        gc.collect()
        gc.freeze()
        loop.run(until_closed=sys.stdin.fileno())
    finally:
        authority.stop()


def _memory_folder() -> str | None:
    """Return a folder in memory, or None if there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _make_file(path: pathlib.Path, mebibytes: int) -> memoryview:
    """Create a file of lines that compress poorly, and return its content."""
    line = random.Random(1).randbytes(_MEBIBYTE // 2).hex().encode()
    piece = b"\n".join(line[start : start + 127] for start in range(0, len(line), 128)) + b"\n"
    with open(path, "wb") as file:
        for number in range(mebibytes):
            # each piece starts with its number, so that pieces in the wrong order change the file
            file.write(b"%-127d\n" % number + piece[128:])
    with open(path, "rb") as file:
        # sending from mapped memory is faster than sendfile, which sends pieces of 64 KiB
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        return memoryview(mmap.mmap(file.fileno(), 0, flags=flags, prot=mmap.PROT_READ))


def _trust(folder: pathlib.Path, own: pathlib.Path) -> dict[str, str]:
    """Return a file with the machine's CA certificates and ours, and the same as a hashed folder if openssl exists.

    :param own: the CA certificate of this server.
    """
    candidates = (ssl.get_default_verify_paths().cafile or "", "/etc/ssl/certs/ca-certificates.crt")
    known = next((path for path in candidates if os.path.isfile(path)), "")
    if not known:
        import certifi

        known = certifi.where()
    roots = pathlib.Path(known).read_text(encoding="utf-8", errors="replace").split("-----BEGIN CERTIFICATE-----")[1:]
    texts = ["-----BEGIN CERTIFICATE-----" + text.partition("-----END")[0] for text in roots]
    texts = [f"{text}-----END CERTIFICATE-----\n" for text in texts] + [own.read_text(encoding="ascii")]
    bundle = folder / "ca.pem"
    bundle.write_text("".join(texts), encoding="utf-8")
    if not shutil.which("openssl"):
        return {"ca_file": str(bundle), "ca_folder": ""}
    hashed = folder / "authorities"
    hashed.mkdir()
    for number, text in enumerate(texts):
        (hashed / f"authority-{number}.pem").write_text(text, encoding="utf-8")
    subprocess.run(["openssl", "rehash", str(hashed)], check=True, capture_output=True)
    return {"ca_file": str(bundle), "ca_folder": str(hashed)}


if __name__ == "__main__":
    sys.exit(main())
