"""Starts ./run as a user would, with folders and ports of its own."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
SHARED = os.path.join(ROOT, "../shared/data")
PATIENCE_S = 240


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def processes_of(folder):
    """Command lines of running processes that name the folder; this program's own not."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if int(pid) != os.getpid() and any(folder in word for word in words):
            found.append((int(pid), " ".join(words)))
    return found


class Folder:
    """A temporary folder that user postgres can reach into."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="stella-run-")
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class Postgres:
    """A cluster of its own, so that its database is empty."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "pg")

    def __enter__(self):
        done = subprocess.run([os.path.join(ROOT, "tools/postgres"), "start", self.folder],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def __exit__(self, *_):
        subprocess.run([os.path.join(ROOT, "tools/postgres"), "remove", self.folder], check=False)


def start(folder, *options, output=subprocess.PIPE):
    arguments = [os.path.join(ROOT, "run"), "--no-install", "--data", os.path.join(folder, "data"),
                 "--out", os.path.join(folder, "out"), *options]
    if "--port" not in options:
        arguments += ["--port", str(free_port())]
    return subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT, text=True, cwd=folder)


def once(folder, *options):
    """(exit status, what it printed) of ./run --once."""
    process = start(folder, "--once", *options)
    try:
        text, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=60)
        return None, text
    return process.returncode, text
