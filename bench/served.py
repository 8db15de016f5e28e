"""What the benches start: a throwaway PostgreSQL, a served ledger, load over HTTP."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
STELLA = ROOT / "build/release/src/stella"
CLIENT = ROOT / "build/release/bench/http_bench"
# Large enough that neither side waits for checkpoints; fsync stays on.
POSTGRES = "shared_buffers=2GB;max_wal_size=8GB;jit=off;checkpoint_timeout=30min"


def run(command, **more):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **more).stdout


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Postgres:
    """One cluster; a new database for every contestant and round."""

    def __init__(self, folder):
        self.folder = str(folder)
        env = dict(os.environ, STELLA_POSTGRES_OPTIONS=POSTGRES)
        self.url = run([ROOT / "tools/postgres", "start", self.folder], env=env).strip()
        self.count = 0

    def database(self):
        self.count += 1
        name = f"bench_{self.count}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url.rsplit("/", 1)[0] + "/" + name

    def drop(self, url):
        self.sql(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def sql(self, text):
        run(["psql", "-qAt", self.url, "-c", "CHECKPOINT", "-c", text])

    def remove(self):
        run([ROOT / "tools/postgres", "remove", self.folder])


class Server:
    """A served ledger in its default configuration. It can be stopped and started again."""

    def __init__(self, scratch, database=None):
        self.data = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        self.address = free_address()
        self.database = database
        run([STELLA, "orchestrator", "migrate", *self.where()])
        self.log = open(self.data / "server.log", "w", encoding="utf-8")
        self.process = None
        self.start()

    def where(self):
        return ["--data", self.data] + (["--database", self.database] if self.database else [])

    def start(self):
        """Starts it; gives the seconds until it was ready."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [STELLA, "orchestrator", "serve", *self.where(), "--listen", self.address,
             "--worker-token", self.data / "worker.token"], stdout=self.log, stderr=self.log)
        while time.monotonic() < began + 30:
            try:
                with urllib.request.urlopen(f"http://{self.address}/readyz", timeout=1):
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.002)
        raise SystemExit("bench: the server did not start:\n"
                         + (self.data / "server.log").read_text(encoding="utf-8")[-2000:])

    def load(self, **options):
        words = [f"{name}={value}" for name, value in options.items()]
        before, commits = cpu_seconds(self.process.pid), self.metric("stella_commit_groups_total")
        result = json.loads(run([CLIENT, self.address, self.data / "admin.token",
                                 self.data / "worker.token", *words]))
        result["cpu_s"] = cpu_seconds(self.process.pid) - before
        result["commits"] = self.metric("stella_commit_groups_total") - commits
        return result

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=5) as reply:
            match = re.search(rf"^{name} (\S+)$", reply.read().decode(), re.M)
        return float(match.group(1)) if match else float("nan")

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def halt(self):
        """Stops it and keeps the data."""
        self.process.terminate()
        self.process.wait(60)

    def stop(self):
        self.halt()
        self.log.close()
        shutil.rmtree(self.data, ignore_errors=True)
