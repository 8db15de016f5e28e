"""Clients that write down what they ask and what they are told.

A log is lines of JSON, one writer each, written before the next step is taken (a killed client loses no
more than the line it was writing):
  {"n","t","op",…}                          asked; t in microseconds of the wall clock
  {"n","t","status","body","sends"}         answered, after so many sends of the same request
A request without an answer line may or may not have been done. Answers that are asked for again, with the
same Idempotency-Key, claim_id or grant, make further lines with the same n.
"""
import http.client
import json
import time


def now_us():
    return time.time_ns() // 1000


class Recorder:
    def __init__(self, path, name):
        self.file = open(path, "ab", buffering=0)
        self.name = name
        self.count = 0

    def write(self, record):
        self.file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")

    def ask(self, op, **what):
        self.count += 1
        n = f"{self.name}-{self.count}"
        self.write({"n": n, "t": now_us(), "op": op, **what})
        return n

    def answer(self, n, status, body, sends):
        self.write({"n": n, "t": now_us(), "status": status, "body": body, "sends": sends})


class Unanswered(Exception):
    """No answer before the deadline."""


class Caller:
    """One connection; sends the same bytes again until there is an answer that is not "try again"."""

    @staticmethod
    def is_answer(status, text):
        """Not one: refused for load, or an earlier send of the same request is still being handled."""
        return status not in (429, 503) and not (status == 409 and b'"idempotency_in_flight"' in text)

    def __init__(self, port, token, rng, timeout=5.0):
        self.port, self.token, self.rng, self.timeout = port, token, rng, timeout
        self.connection = None

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def send_once(self, method, path, body, headers):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            self.connection.request(method, "/api/v1" + path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def call(self, method, path, body=None, patience=30.0, **headers):
        """(status, parsed body, sends)"""
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        sent_headers = {"Authorization": f"Bearer {self.token}"}
        if data is not None:
            sent_headers["Content-Type"] = "application/json"
        sent_headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        deadline = time.monotonic() + patience
        sends = 0
        while True:
            sends += 1
            try:
                status, text = self.send_once(method, path, data, sent_headers)
                if self.is_answer(status, text):
                    return status, json.loads(text) if text else None, sends
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > deadline:
                raise Unanswered(f"{method} {path}")
            time.sleep(self.rng.uniform(0.01, 0.1))
