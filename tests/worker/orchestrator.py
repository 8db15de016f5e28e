"""A tiny scripted orchestrator: the worker calls on real sockets, with faults on demand.

It keeps what it is told in lists that a test waits on with wait_for(); nothing here sleeps as an
assertion. It is deliberately simple and shares no code with the product.
"""

import hashlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "stl_test"
DEADLINE_S = 20


class Orchestrator:
    """Jobs in, calls out. All state is guarded by `changed`."""

    def __init__(self, ttl_ms=3000):
        self.changed = threading.Condition()
        self.ttl_ms = ttl_ms
        self.token = TOKEN
        self.queue = []        # Leases that wait for a claim.
        self.claims = {}       # claim_id -> its answer.
        self.calls = []        # (path, body), in order of arrival.
        self.reports = []      # (kind, report).
        self.answers = {}      # path -> list of (status, headers, body) to give instead, in order.
        self.silent = set()    # Paths whose effect happens but whose answer is cut, once each.
        self.beat = {}         # lease -> members of its heartbeat result.
        self.down = False      # Cut every connection.
        self.blobs = {}
        self.artifacts = []    # Items of the listing.
        self.serial = 0
        self.closing = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = "http://127.0.0.1:%d" % self.server.server_port

    def close(self):
        with self.changed:
            self.closing = True
            self.changed.notify_all()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def submit(self, payload, **more):
        with self.changed:
            self.serial += 1
            lease = {"lease": "1.%d" % self.serial, "grant": 1, "job": "job-%d" % self.serial,
                     "type": "probe", "tenant": "acme", "attempt": 1, "max_attempts": 5,
                     "ttl_ms": self.ttl_ms, "on_lost_contact": "continue", "host": None,
                     "requests_allowed": None, "run": "run-1", "payload": payload,
                     "idempotency_key": "acme/job-%d/1" % self.serial}
            lease.update(more)
            self.queue.append(lease)
            self.changed.notify_all()
            return lease["job"]

    def wait_for(self, what, condition):
        """Blocks until condition() holds, under the lock; fails after a deadline."""
        deadline = time.monotonic() + DEADLINE_S
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError("never: %s\ncalls: %s" % (what, self.calls[-10:]))
                self.changed.wait(left)

    def count(self, path):
        return sum(1 for called, _ in self.calls if called == path)

    # ---- the calls ----

    def claim(self, body):
        deadline = time.monotonic() + body["wait_ms"] / 1000
        with self.changed:
            if body["claim_id"] in self.claims:
                return self.claims[body["claim_id"]]
            while not self.queue and not self.down and not self.closing:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(left)
            taken = self.queue[:body["max"]]
            del self.queue[:len(taken)]
            self.claims[body["claim_id"]] = {"leases": taken}
            return {"leases": taken}

    def heartbeat(self, body):
        results = []
        for beat in body["leases"]:
            result = {"lease": beat["lease"], "code": "ok", "cancel": False, "drain": False,
                      "ttl_ms": self.ttl_ms}
            result.update(self.beat.get(beat["lease"], {}))
            results.append(result)
        return {"results": results}

    def report(self, kind, body):
        with self.changed:
            self.reports += [(kind, report) for report in body["reports"]]
            self.changed.notify_all()
        return {"results": [{"lease": report["lease"], "code": "ok", "state": "done"}
                            for report in body["reports"]]}

    def act(self, path, body):
        name = path.rsplit("/", 1)[1]
        if name == "register":
            return {"heartbeat_ms": 10000, "poll_ms": 2000, "worker": body["worker"]}
        if name == "claim":
            return self.claim(body)
        if name == "heartbeat":
            return self.heartbeat(body)
        return self.report(name, body)

    def listing(self, query):
        """Two items a page."""
        start = int(query.get("cursor", "0"))
        page = self.artifacts[start:start + 2]
        more = start + 2 < len(self.artifacts)
        return {"items": page, "next_cursor": str(start + 2) if more else None}

    def _handler(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def give(self, status, body, headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # The worker went away meanwhile.

            def give_json(self, status, value, headers=()):
                self.give(status, json.dumps(value).encode(), headers)

            def cut(self):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            def refused(self, path):
                """A fault that was ordered for this path, before anything happens."""
                if outer.down:
                    self.cut()
                    return True
                if self.headers["Authorization"] != "Bearer " + outer.token:
                    self.give_json(401, {"code": "unauthenticated", "detail": "who?"})
                    return True
                with outer.changed:
                    planned = outer.answers.get(path)
                    answer = planned.pop(0) if planned else None
                if answer is not None:
                    self.give_json(answer[0], answer[2], answer[1])
                return answer is not None

            def do_POST(self):
                path = self.path[len("/api/v1"):]
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.changed:
                    outer.calls.append((path, body))
                    outer.changed.notify_all()
                if self.refused(path):
                    return
                answer = outer.act(path, body)
                with outer.changed:
                    lost = path in outer.silent
                    outer.silent.discard(path)
                if lost or outer.down or outer.closing:
                    self.cut()
                    return
                self.give_json(200, answer)

            def do_PUT(self):
                path = self.path[len("/api/v1"):]
                bytes_ = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.changed:
                    outer.calls.append((path, dict(self.headers)))
                if self.refused("PUT"):
                    return
                digest = path.rsplit("/", 1)[1]
                if hashlib.sha256(bytes_).hexdigest() != digest:
                    self.give_json(422, {"code": "digest_mismatch", "detail": "other bytes"})
                    return
                outer.blobs[digest] = bytes_
                self.give_json(201, {})

            def do_GET(self):
                path, _, query = self.path[len("/api/v1"):].partition("?")
                with outer.changed:
                    outer.calls.append((path, query))
                if self.refused("GET"):
                    return
                if path == "/artifacts":
                    pairs = dict(part.split("=") for part in query.split("&"))
                    self.give_json(200, outer.listing(pairs))
                    return
                bytes_ = outer.blobs.get(path.rsplit("/", 1)[1])
                if bytes_ is None:
                    self.give_json(404, {"code": "not_found", "detail": "no such artifact"})
                else:
                    self.give(200, bytes_)

        return Handler
