"""The processes of the kill loop: server, PostgreSQL cluster, proxy, workers, submitter."""
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def environment():
    """Without variables that would be settings of the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("STELLA_")}


class Process:
    """A child that can be killed and started again; its output goes to a file."""

    def __init__(self, name, command, folder):
        self.name, self.command = name, command
        self.output = os.path.join(folder, name + ".out")
        self.child = None

    def start(self):
        with open(self.output, "ab") as output:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT,
                                          env=environment())

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def kill(self):
        """At once and without warning."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self, patience=60):
        """SIGTERM, and its exit status."""
        if not self.alive():
            return self.child.returncode if self.child else 0
        self.child.terminate()
        try:
            return self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def last_words(self, count=15):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-count:])


class Postgres:
    """A throwaway cluster; tools/postgres does the work."""

    def __init__(self, folder):
        self.folder = folder
        self.url = None

    def tool(self, *words):
        return subprocess.run([os.path.join(ROOT, "tools", "postgres"), *words], check=True, capture_output=True,
                              text=True).stdout.strip()

    def start(self):
        self.url = self.tool("restart" if os.path.exists(os.path.join(self.folder, "port")) else "start", self.folder)

    def kill(self):
        self.tool("kill", self.folder)

    def remove(self):
        self.tool("remove", self.folder)


class Server:
    """`stella orchestrator serve` on one ledger, under a port that stays."""

    def __init__(self, program, folder, database):
        self.port = free_port()
        self.data = os.path.join(folder, "data")
        self.database = ["--database", database] if database else []
        self.program = program
        self.worker_token_file = os.path.join(self.data, "worker.token")
        self.token_file = os.path.join(self.data, "admin.token")
        os.makedirs(self.data, exist_ok=True)
        self.process = Process("server", [
            program, "orchestrator", "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.data, *self.database,
            "--worker-token", self.worker_token_file, "--lapse-share-per-mille", "1000", "--cancel-grace-ms", "1000",
            # Much is dropped and erased while things are killed. Keys outlive what clients repeat: submitter.REPEATED_S.
            "--retention-interval-ms", "300", "--payload-retention-ms", "2000", "--key-generation-ms", "3000",
            "--key-retention-ms", "15000"],
            folder)

    def migrate(self):
        subprocess.run([self.program, "orchestrator", "migrate", "--data", self.data, *self.database], check=True,
                       stdout=subprocess.DEVNULL, env=environment())

    def get(self, path, tenant=None, method="GET", body=None, headers=None):
        """(status, parsed body), or (0, None) when nobody answers. Past the proxy."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = dict(headers or {})
        if os.path.exists(self.token_file):
            with open(self.token_file, encoding="ascii") as file:
                sent["Authorization"] = "Bearer " + file.read().strip()
        if tenant:
            sent["X-Stella-Tenant"] = tenant
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text) if text else None
        except ValueError:
            return answer.status, text

    def wait_ready(self, patience=60):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not self.process.alive():
                raise SystemExit(f"the server ended by itself:\n{self.process.last_words()}")
            if self.get("/readyz")[0] == 200:
                return
            time.sleep(0.02)
        raise SystemExit(f"the server is not ready after {patience} s:\n{self.process.last_words()}")

    def must(self, method, path, body=None, tenant=None, **headers):
        """A call of the stage itself, repeated while the answer is "try again"."""
        deadline = time.monotonic() + 60
        while True:
            status, answer = self.get("/api/v1" + path, tenant, method, body, headers)
            if status in (200, 201):
                return answer
            if status not in (0, 429, 503) or time.monotonic() > deadline:
                raise SystemExit(f"{method} {path} was answered {status}: {answer}")
            time.sleep(0.1)

    def pages(self, path, tenant):
        """All items of a listing."""
        cursor = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = self.must("GET", f"{path}?limit=1000{more}", tenant=tenant)
            yield from page["items"]
            cursor = page["next_cursor"]

    def history(self, tenant):
        after = 0
        while True:
            page = self.must("GET", f"/history?after={after}&limit=1000", tenant=tenant)
            yield from page["items"]
            if not page["items"]:
                return
            after = page["next_after"]


class Cast:
    """The clients of one round."""

    WORKERS = 3

    def __init__(self, server, folder, tenants, rate, cut, seed):
        self.server, self.folder, self.seed = server, folder, seed
        self.rng = random.Random(seed)
        self.proxy_port = free_port()
        self.pause_file = os.path.join(folder, "pause")
        self.proxy = Process("proxy", [sys.executable, os.path.join(HERE, "proxy.py"), "--listen", str(self.proxy_port),
                                       "--to", str(server.port), "--cut", str(cut), "--seed", str(seed)], folder)
        self.submitters = [
            Process(f"submitter-{i}", [
                sys.executable, os.path.join(HERE, "submitter.py"), "--port", str(self.proxy_port), "--token-file",
                server.token_file, "--log", os.path.join(folder, f"submitter-{i}.log"), "--name", f"s{i}-{seed}", "--seed",
                str(seed + i), "--tenants", ",".join(tenants), "--rate", str(rate / 2), "--pause-file", self.pause_file],
                folder) for i in range(2)]
        self.workers = []
        self.started = 0

    def worker(self, calm=False):
        """A new worker process; each has a name and a log of its own."""
        self.started += 1
        name = f"w{self.started}"
        port = self.server.port if calm else self.proxy_port
        worker = Process(name, [
            sys.executable, os.path.join(HERE, "worker.py"), "--port", str(port), "--token-file",
            self.server.worker_token_file, "--log", os.path.join(self.folder, name + ".log"), "--name",
            f"{name}-{self.seed}", "--seed", str(self.seed + self.started)] + (["--calm"] if calm else []), self.folder)
        worker.start()
        return worker

    def begin(self):
        self.proxy.start()
        for submitter in self.submitters:
            submitter.start()
        self.workers = [self.worker() for _ in range(self.WORKERS)]

    def kill_worker(self):
        i = self.rng.randrange(len(self.workers))
        self.workers[i].kill()
        self.workers[i] = self.worker()

    def pause(self, paused):
        if paused:
            with open(self.pause_file, "w", encoding="ascii"):
                pass
        elif os.path.exists(self.pause_file):
            os.unlink(self.pause_file)

    def calm_down(self):
        """No more submits, kills, cuts or bad ends: workers that finish all there is."""
        for submitter in self.submitters:
            if submitter.stop() != 0:
                raise SystemExit(f"{submitter.name} failed:\n{submitter.last_words()}")
        for worker in self.workers:
            if not worker.alive():
                raise SystemExit(f"{worker.name} failed:\n{worker.last_words()}")
            worker.kill()
        self.proxy.kill()
        self.workers = [self.worker(calm=True) for _ in range(2)]

    def end(self):
        for process in [*self.submitters, *self.workers, self.proxy]:
            if process.alive():
                process.kill()

    def logs(self):
        return sorted(os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.endswith(".log"))
