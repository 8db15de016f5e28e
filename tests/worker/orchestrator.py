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
        self.named = {}        # "/sources/x" -> body, for PUT and GET.
        self.jobs = {}         # Job id -> job of a run.
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

    def submit_run(self, body):
        """One run at a time: its jobs are submitted as those they need have succeeded."""
        with self.changed:
            for job in body["jobs"]:
                job_id = "job-%d" % (len(self.jobs) + 1)
                self.jobs[job_id] = dict(job, id=job_id, state="blocked")
            self.release()
        return {"id": "run-1", "jobs": []}

    def release(self):
        done = {job["name"] for job in self.jobs.values() if job["state"] == "succeeded"}
        for job in self.jobs.values():
            if job["state"] == "blocked" and all(n["job"] in done for n in job.get("needs", [])):
                job["state"] = "pending"
                source = self.named.get("/sources/" + job.get("source", ""))
                self.queue.append({
                    "lease": "1." + job["id"][4:], "grant": 1, "job": job["id"], "run": "run-1",
                    "name": job["name"], "type": job["type"], "tenant": "acme", "attempt": 1,
                    "max_attempts": 5, "ttl_ms": self.ttl_ms, "host": None,
                    "requests_allowed": None, "payload": job["payload"], "source_config": source,
                    "source": job.get("source")})
        self.changed.notify_all()

    def run(self):
        states = [job["state"] for job in self.jobs.values()]
        bad = states.count("dead") > 0
        active = not bad and states.count("succeeded") < len(states)
        return {"id": "run-1", "state": "active" if active else "failed" if bad else "succeeded",
                "total": len(states), "counts": {state: states.count(state) for state in states}}

    def ended(self, kind, report):
        job = self.jobs.get("job-" + report["lease"][2:])
        if job is None:
            return
        job["state"] = {"complete": "succeeded", "fail": "dead"}.get(kind, "pending")
        job["result"] = report.get("result", report.get("message"))
        self.artifacts += [dict(item, job=job["id"]) for item in report.get("artifacts", [])]
        self.release()

    def get(self, path, query):
        with self.changed:
            if path == "/runs/run-1":
                return self.run()
            if path == "/runs/run-1/jobs":
                return {"items": list(self.jobs.values()), "next_cursor": None}
            if path.endswith("/history"):
                return {"items": [], "next_cursor": None}
            if path == "/artifacts":
                return self.listing(dict(part.split("=") for part in query.split("&")))
            return self.named.get(path)

    def claim(self, body):
        deadline = time.monotonic() + body["wait_ms"] / 1000
        with self.changed:
            if body["claim_id"] in self.claims:
                return self.claims[body["claim_id"]]
            mine = lambda lease: lease["type"] in body["job_types"]
            while not any(map(mine, self.queue)) and not self.down and not self.closing:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(left)
            taken = list(filter(mine, self.queue))[:body["max"]]
            self.queue = [lease for lease in self.queue if lease not in taken]
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
            for report in filter(self.is_fine, body["reports"]):
                self.reports.append((kind, report))
                self.ended(kind, report)
            self.changed.notify_all()
        code = lambda report: "ok" if self.is_fine(report) else "unprocessable"
        return {"results": [{"lease": report["lease"], "code": code(report), "state": "done"}
                            for report in body["reports"]]}

    @staticmethod
    def is_fine(report):
        names = [(item["role"], item["name"]) for item in report.get("artifacts", [])]
        return len(names) == len(set(names))

    def act(self, path, body):
        if path == "/runs":
            return self.submit_run(body)
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
            wbufsize = 1 << 16  # Head and body in one segment: no waiting for an acknowledgement.

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
                if not path.startswith("/artifacts/"):
                    outer.named[path] = json.loads(bytes_)
                    self.give_json(201, outer.named[path], [("ETag", '"1"')])
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
                if not path.startswith("/artifacts/"):
                    answer = outer.get(path, query)
                    self.give_json(404 if answer is None else 200, answer or {}, [("ETag", '"1"')])
                    return
                bytes_ = outer.blobs.get(path.rsplit("/", 1)[1])
                if bytes_ is None:
                    self.give_json(404, {"code": "not_found", "detail": "no such artifact"})
                else:
                    self.give(200, bytes_)

        return Handler
