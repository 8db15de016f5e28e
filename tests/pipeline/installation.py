"""One orchestrator with its four workers, as processes, for the tests of the pipeline.

The folder of the build is in STELLA_BUILD (else build/dev); PostgreSQL's URL in STELLA_TEST_POSTGRES.
"""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("STELLA_BUILD", os.path.join(ROOT, "build", "dev"))
WORKERS = ("advisory", "vex", "sbom", "policy")
PATIENCE_S = 60
# The server takes its settings from STELLA_…; those of the tests are none of its.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("STELLA_")}
TENANT = "acme"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_database(name):
    """An empty database of that name in the test cluster; its URL."""
    server = os.environ.get("STELLA_TEST_POSTGRES")
    if server is None:
        raise AssertionError("STELLA_TEST_POSTGRES must name a PostgreSQL; see tools/postgres")
    for statement in ("DROP DATABASE IF EXISTS %s" % name, "CREATE DATABASE %s" % name):
        subprocess.run(["psql", "--quiet", "-d", server, "-c", statement], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return server.rsplit("/", 1)[0] + "/" + name


class Installation:
    def __init__(self, folder, roots, database=None, slots=2, flags=(), workers=WORKERS):
        self.folder = folder
        self.roots = roots
        self.slots = slots
        self.flags = flags  # More options of the workers.
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.ledger = ["--data", os.path.join(folder, "data")]
        if database:
            self.ledger += ["--database", database]
        self.worker_token = os.path.join(folder, "worker.token")
        self.admin_token = os.path.join(folder, "data", "admin.token")
        self.server = None
        self.workers = {}
        self.stella("migrate", *self.ledger)
        self.start_server()
        self.call("POST", "/tenants", {"name": TENANT}, tenant=None)
        for name in workers:
            self.start_worker(name)

    def start(self, name, command):
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=ENVIRONMENT)

    def stella(self, *words):
        process = self.start(words[0], [os.path.join(BUILD, "src", "stella"), "orchestrator", *words])
        if process.wait(PATIENCE_S) != 0:
            raise AssertionError("%s: %s" % (words[0], self.last_words(words[0])))

    def start_server(self):
        self.server = self.start("server", [
            os.path.join(BUILD, "src", "stella"), "orchestrator", "serve", *self.ledger, "--listen",
            "127.0.0.1:%d" % self.port, "--worker-token", self.worker_token])
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=5).read()
                return
            except OSError:
                if time.monotonic() > deadline or self.server.poll() is not None:
                    raise AssertionError("the server is not ready: " + self.last_words("server"))
                time.sleep(0.02)  # Between two looks; the deadline above decides.

    def start_worker(self, name):
        roots = [word for root in self.roots for word in ("--allow-root", root)]
        self.workers[name] = self.start(name, [
            os.path.join(BUILD, "workers", "stella-" + name), "--url", self.url, "--token-file",
            self.worker_token, "--slots", str(self.slots), *roots,
            *self.flags])

    def kill_worker(self, name):
        """As a crash: nothing is said to the server. Another one takes its place."""
        self.workers[name].kill()
        self.workers[name].wait()
        self.start_worker(name)

    def kill_server(self):
        self.server.kill()
        self.server.wait()
        self.start_server()

    def restart_server(self):
        """As an upgrade: it ends in order, the workers go on."""
        self.server.send_signal(signal.SIGTERM)
        if self.server.wait(PATIENCE_S) != 0:
            raise AssertionError("the server ended badly: " + self.last_words("server"))
        self.start_server()

    def last_words(self, name):
        with open(os.path.join(self.folder, name + ".log"), errors="replace") as file:
            return "".join(file.readlines()[-15:])

    def call(self, method, path, body=None, tenant=TENANT, reason=None):
        with open(self.admin_token) as file:
            headers = {"Authorization": "Bearer " + file.read().strip(),
                       "Content-Type": "application/json"}
        if reason:
            headers["X-Stella-Reason"] = reason
        if tenant:
            headers["X-Stella-Tenant"] = tenant
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/api/v1" + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def start_pipeline(self, feeds, out, *flags):
        return subprocess.Popen(
            [os.path.join(BUILD, "workers", "stella-pipeline"), "--url", self.url, "--token-file",
             self.admin_token, "--tenant", TENANT, "--feeds", feeds, "--out", out, *flags],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=ENVIRONMENT)

    def pipeline(self, feeds, out, *flags):
        """Its output, once it ended well."""
        process = self.start_pipeline(feeds, out, *flags)
        said, complained = process.communicate(timeout=600)
        if process.returncode != 0:
            logs = [self.last_words(name) for name in ("server", *WORKERS)]
            raise AssertionError("\n".join(["exit %d" % process.returncode, complained, *logs]))
        return said

    def close(self):
        """Drains everything; each process must end in order."""
        codes = {}
        for name, process in [*self.workers.items(), ("server", self.server)]:
            process.send_signal(signal.SIGTERM)
            try:
                codes[name] = process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = "did not end: " + self.last_words(name)
        bad = {name: code for name, code in codes.items() if code != 0}
        if bad:
            raise AssertionError("ended badly: %s" % bad)
