#!/usr/bin/env python3
"""An upstream that throttles, fails and dawdles by a script, and keeps its own log.

    upstream.py serve --folder DIR [--port 0] [--plan PLAN] [--retry-after S] [--fields N/S] [--log FILE]
    upstream.py check LOG --rate R --burst B

PLAN is a list of COUNT:KIND, followed again and again; each request takes the next turn:

    ok            the document
    429           Too Many Requests with Retry-After in seconds
    429-date      … as a date
    429-bare      … without one
    503           Service Unavailable without a time: an overload
    503-later     … with Retry-After
    slow          the document, byte by byte, within a second
    reset         half the document, then the connection is reset

--fields 10/2 adds "RateLimit" to every document: ten requests in two seconds, counted.

The log has a line for each request: when it came (seconds of a clock that only goes forward), what it asked and what it
got. `check` looks at every window of the log and says by how much the worst one stays below burst + rate x window.
"""
import argparse
import email.utils
import json
import os
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = {"ok": 200, "429": 429, "429-date": 429, "429-bare": 429, "503": 503, "503-later": 503, "slow": 200, "reset": 200}


def read_plan(text):
    plan = []
    for part in text.split(","):
        count, _, kind = part.strip().partition(":")
        if kind not in KINDS or not count.isdigit():
            raise argparse.ArgumentTypeError(f"{part!r} is not COUNT:KIND; kinds are {', '.join(KINDS)}")
        plan += [kind] * int(count)
    return plan


class Upstream(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, folder, plan, retry_after_s=2, fields=None, log=None):
        super().__init__(address, Handler)
        self.folder, self.plan, self.retry_after_s, self.fields = os.path.realpath(folder), plan, retry_after_s, fields
        self.lock = threading.Lock()
        self.turn = 0
        self.window = None  # Of the fields: when it ends, and what is left.
        self.log = log
        self.requests = []  # What the log holds.

    def handle_error(self, request, client_address):
        pass  # Clients that go away are part of it.

    def next_turn(self, path):
        """The kind of this answer, and the RateLimit field that goes with it."""
        at = time.monotonic()
        with self.lock:
            kind = self.plan[self.turn % len(self.plan)]
            self.turn += 1
            self.requests.append({"at": at, "path": path, "kind": kind, "status": KINDS[kind]})
            if self.log is not None:
                self.log.write(json.dumps(self.requests[-1]) + "\n")
                self.log.flush()
            return kind, self.count_field(at)

    def count_field(self, at):
        if self.fields is None:
            return None
        allowed, seconds = self.fields
        if self.window is None or at >= self.window[0]:
            self.window = [at + seconds, allowed]
        self.window[1] = max(0, self.window[1] - 1)
        return f'"requests";r={self.window[1]};t={max(1, round(self.window[0] - at + 0.5))}'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def log_message(self, *arguments):
        pass

    def refuse(self, status, retry_after=None):
        self.send_response(status)
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def document(self):
        path = os.path.realpath(os.path.join(self.server.folder, self.path.lstrip("/")))
        if not path.startswith(self.server.folder + os.sep) or not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read()

    def do_GET(self):
        kind, field = self.server.next_turn(self.path)
        seconds = self.server.retry_after_s
        if kind in ("429", "503-later"):
            return self.refuse(KINDS[kind], str(seconds))
        if kind == "429-date":
            return self.refuse(429, email.utils.formatdate(time.time() + seconds + 1, usegmt=True))
        if kind in ("429-bare", "503"):
            return self.refuse(KINDS[kind])
        body = self.document()
        if body is None:
            return self.refuse(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if field is not None:
            self.send_header("RateLimit", field)
        self.end_headers()
        self.give(kind, body)

    def give(self, kind, body):
        if kind == "ok":
            self.wfile.write(body)
            return
        self.wfile.write(body[:len(body) // 2])
        self.wfile.flush()
        if kind == "slow":
            for part in range(10):
                time.sleep(0.1)  # What a slow upstream does.
            self.wfile.write(body[len(body) // 2:])
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def worst_window(times, rate, burst):
    """How much the worst window has left of burst + rate x window, and where it begins and ends.

    A window that begins at request i and ends at request j holds j - i + 1 requests. With
    level(j) = j - rate x at(j) its rest is burst - 1 - (level(j) - least level before it)."""
    least, begins = None, 0
    worst = (float(burst), 0, 0)
    for j, at in enumerate(times):
        level = j - rate * at
        if least is None or level < least:
            least, begins = level, j
        rest = burst - 1 - (level - least)
        if rest < worst[0]:
            worst = (rest, begins, j)
    return worst


def check(path, rate, burst):
    with open(path, encoding="utf-8") as file:
        times = [json.loads(line)["at"] for line in file]
    rest, begins, ends = worst_window(times, rate, burst)
    span = times[ends] - times[begins] if times else 0
    print(f"{len(times)} requests; the fullest window has {ends - begins + 1 if times else 0} in {span:.3f} s, "
          f"{abs(rest):.2f} {'below' if rest >= 0 else 'ABOVE'} {burst:g} + {rate:g} a second")
    return 0 if rest >= 0 else 1


def read_fields(text):
    allowed, _, seconds = text.partition("/")
    return int(allowed), int(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser("serve")
    serve.add_argument("--folder", required=True)
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--plan", type=read_plan, default=["ok"])
    serve.add_argument("--retry-after", type=int, default=2)
    serve.add_argument("--fields", type=read_fields)
    serve.add_argument("--log")
    look = verbs.add_parser("check")
    look.add_argument("log")
    look.add_argument("--rate", type=float, required=True)
    look.add_argument("--burst", type=float, required=True)
    given = parser.parse_args()
    if given.verb == "check":
        return check(given.log, given.rate, given.burst)
    with open(given.log or os.devnull, "a", encoding="utf-8") as log:
        upstream = Upstream(("127.0.0.1", given.port), given.folder, given.plan, given.retry_after, given.fields, log)
        print(f"ready: http://127.0.0.1:{upstream.server_port}", flush=True)
        try:
            upstream.serve_forever()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
