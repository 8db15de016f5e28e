"""A server of its own on a fresh SQLite ledger, and the command line as users run it."""
import http.client
import json
import os
import pty
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "chaos"))
from stage import Server  # noqa: E402  (found through the path above)

PROGRAM = os.path.join(os.environ.get("STELLA_BUILD", os.path.join(ROOT, "build", "dev")), "src", "stella")


def clean_environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STELLA_") and name != "NO_COLOR"}
    kept.update({"TERM": "xterm", "LC_ALL": "C.UTF-8"})
    kept.update(more)
    return kept


def stella(*words, stdin="", cwd=None, **environment):
    """(exit status, stdout, stderr)"""
    done = subprocess.run([PROGRAM, *words], input=stdin, capture_output=True, text=True, timeout=60, cwd=cwd, check=False,
                          env=clean_environment(**environment))
    return done.returncode, done.stdout, done.stderr


def stella_on_terminal(*words, typed="", **environment):
    """(exit status, what a terminal shows)"""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(PROGRAM, [PROGRAM, *words], clean_environment(**environment))
    os.write(terminal, typed.encode())
    shown = b""
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
    except OSError:
        pass  # The other end closed: it ended.
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode()


class Rig:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="stella-cli-")
        self.server = Server(PROGRAM, self.folder.name, None)
        self.server.migrate()
        self.server.process.start()
        self.server.wait_ready()
        self.environment = {"STELLA_SERVER": f"http://127.0.0.1:{self.server.port}",
                            "STELLA_TOKEN_FILE": self.server.token_file}

    def close(self):
        self.server.process.stop()
        self.folder.cleanup()

    def path(self, name, content=None):
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        return path

    def token(self):
        with open(self.server.token_file, encoding="ascii") as file:
            return file.read()

    def run(self, *words, stdin=""):
        return stella(*words, stdin=stdin, **self.environment)

    def json(self, *words, stdin=""):
        status, out, err = self.run(*words, "-o", "json", stdin=stdin)
        if status != 0:
            raise AssertionError(f"{words}: {status}\n{err}")
        return json.loads(out)

    def work(self, path, body, token_file=None):
        """A call that workers make."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        with open(token_file or self.server.worker_token_file, encoding="ascii") as file:
            token = file.read().strip()
        connection.request("POST", "/api/v1" + path, json.dumps(body),
                           {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {text}")
        return json.loads(text)

    def claim(self, type_, most=100):
        answer = self.work("/leases/claim", {"claim_id": os.urandom(8).hex(), "worker": "w", "job_types": [type_],
                                             "max": most, "wait_ms": 5000})
        return answer["leases"]

    def complete(self, leases, result=None):
        return self.work("/leases/complete", {"worker": "w", "reports": [
            {"lease": lease["lease"], "grant": lease["grant"], "result": result} for lease in leases]})["results"]

    def fail(self, leases):
        return self.work("/leases/fail", {"worker": "w", "reports": [
            {"lease": lease["lease"], "grant": lease["grant"], "class": "parse_error", "message": "no", "permanent": True}
            for lease in leases]})["results"]
