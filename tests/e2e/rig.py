"""A node of its own on a fresh ledger (SQLite or PostgreSQL), and a plain HTTP client."""
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(os.environ.get("STELLA_BUILD", os.path.join(ROOT, "build", "dev")), "src", "stella")
BACKEND = os.environ.get("STELLA_TEST_BACKEND", "sqlite")


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("STELLA_")}


def until(holds, what, seconds=60):
    """Looks again and again until it holds; what it gave then."""
    deadline = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("never came true: " + what)
        time.sleep(0.01)  # Between two looks; the deadline above decides.


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of a problem document."""
        assert self.headers.get("Content-Type") == "application/problem+json", (self.status, self.body)
        assert self.json["type"] == "urn:stella:error:" + self.json["code"]
        assert self.json["status"] == self.status
        return self.json["code"]

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class Database:
    """Where a node keeps its ledger: a folder, or a database of its own in the test cluster."""
    count = 0

    def __init__(self, folder):
        self.folder = folder
        self.arguments = ["--data", os.path.join(folder, "data")]
        if BACKEND == "postgres":
            server = os.environ["STELLA_TEST_POSTGRES"]
            Database.count += 1
            name = f"e2e_{os.getpid()}_{Database.count}"
            subprocess.run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"], check=True)
            self.arguments += ["--database", server.rsplit("/", 1)[0] + "/" + name]


class Node:
    def __init__(self, *flags, database=None, folder=None):
        self.own = tempfile.TemporaryDirectory(prefix="stella-e2e-")
        self.folder = folder or self.own.name
        self.database = database or Database(self.folder)
        self.flags = list(flags)
        self.data = os.path.join(self.folder, "data")
        self.output = os.path.join(self.own.name, "server.out")
        self.child = None
        self.port = 0
        self.migrate()
        self.start()

    def migrate(self):
        subprocess.run([PROGRAM, "orchestrator", "migrate", *self.database.arguments], check=True,
                       stdout=subprocess.DEVNULL, env=clean_environment())

    def start(self):
        with open(self.output, "ab") as output:
            from_here = output.tell()
            self.child = subprocess.Popen(
                [PROGRAM, "orchestrator", "serve", *self.database.arguments, "--listen", f"127.0.0.1:{self.port}",
                 "--worker-token", os.path.join(self.data, "worker.token"), "--min-ttl-ms", "200",
                 "--lapse-share-per-mille", "1000", *self.flags],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=clean_environment())
        deadline = time.monotonic() + 60
        while True:
            with open(self.output, encoding="utf-8") as file:
                file.seek(from_here)
                text = file.read()
            ready = [line for line in text.splitlines() if line.startswith("ready: ")]
            if ready:
                self.port = int(ready[0].split("port ")[1].split(",")[0])
                break
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the server did not start:\n" + text)
            time.sleep(0.01)
        self.admin = self.token_of("admin")
        self.worker = self.token_of("worker")

    def token_of(self, name):
        with open(os.path.join(self.data, name + ".token"), encoding="ascii") as file:
            return file.read().strip()

    def stop(self):
        """SIGTERM; the exit status."""
        if self.child.poll() is None:
            self.child.terminate()
        return self.child.wait(60)

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def close(self):
        status = self.stop()
        self.own.cleanup()
        return status

    def log(self):
        with open(self.output, encoding="utf-8") as file:
            return file.read()

    # --- calls ---

    def send(self, method, path, body=None, headers=None, timeout=60):
        """One request on a connection of its own, `body` as bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def call(self, method, path, body=None, token=None, tenant=None, timeout=30, **headers):
        """An API call; a body that is not bytes is sent as JSON. reason="x" is X-Stella-Reason."""
        sent = {"Authorization": "Bearer " + (token or self.admin)}
        if tenant:
            sent["X-Stella-Tenant"] = tenant
        for name, value in headers.items():
            named = {"reason": "X-Stella-Reason", "key": "Idempotency-Key", "match": "If-Match", "lease": "X-Stella-Lease",
                     "content_type": "Content-Type"}.get(name, name.replace("_", "-"))
            sent[named] = value
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.send(method, "/api/v1" + path if not path.startswith("//") else path[1:], body, sent, timeout)

    def work(self, path, body, token=None):
        return self.call("POST", "/leases/" + path, body, token=token or self.worker)

    def claim(self, *types, worker="w/1", number=10, wait_ms=0, claim_id=None, token=None):
        Node.claims = getattr(Node, "claims", 0) + 1
        answer = self.work("claim", {"claim_id": claim_id or f"claim-{Node.claims}", "worker": worker, "job_types": list(types),
                                     "max": number, "wait_ms": wait_ms}, token)
        assert answer.status == 200, answer
        return answer.json["leases"]

    def tenant(self, name, **limits):
        answer = self.call("POST", "/tenants", {"name": name, **limits})
        assert answer.status == 201, answer
        return name

    def job_type(self, name, tenant=None, **settings):
        answer = self.call("PUT", "/job-types/" + name, settings, tenant=tenant)
        assert answer.status in (200, 201), answer
        return name

    def token(self, tenant, *scopes, **more):
        answer = self.call("POST", "/tokens", {"name": "test", "tenant": tenant, "scopes": list(scopes), **more})
        assert answer.status == 201, answer
        return answer.json["token"]

    def submit(self, tenant, *jobs, **headers):
        answer = self.call("POST", "/jobs", {"jobs": list(jobs)}, tenant=tenant, **headers)
        assert answer.status == 201, answer
        return [job["id"] for job in answer.json["jobs"]]

    def job(self, tenant, job):
        answer = self.call("GET", "/jobs/" + job, tenant=tenant)
        assert answer.status == 200, answer
        return answer.json

    def pages(self, path, **more):
        """All items of a listing."""
        cursor, joint = None, "&" if "?" in path else "?"
        while True:
            answer = self.call("GET", path + (f"{joint}cursor={cursor}" if cursor else ""), **more)
            assert answer.status == 200, answer
            yield from answer.json["items"]
            cursor = answer.json["next_cursor"]
            if cursor is None:
                return

    def history(self, tenant):
        """All lines of a tenant, as sent."""
        lines, after = [], 0
        while True:
            answer = self.call("GET", f"/history?after={after}&limit=1000", tenant=tenant)
            assert answer.status == 200, answer
            if not answer.json["items"]:
                return lines
            lines += answer.json["items"]
            after = answer.json["next_after"]

    def fingerprint(self, *tenants):
        """What a refused request must leave as it was: every tenant's history, and who and what there is."""
        return {"history": {name: self.history(name) for name in ("system", *tenants)},
                "tenants": list(self.pages("/tenants")), "tokens": list(self.pages("/tokens"))}

    def figure(self, name):
        """Of /metrics; the sum over its labels."""
        lines = self.call("GET", "//metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def raw(self):
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)


def read_answer(connection):
    """One answer off a bare connection: (status, headers, body)."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return Answer(answer.status, dict(answer.getheaders()), answer.read())
