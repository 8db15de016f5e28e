"""Canaries: secrets pushed through every free text that a worker or a user can send, looked for wherever it may end up."""
import glob
import json
import os
import subprocess
import unittest

from rig import BACKEND, PROGRAM, Node, clean_environment

# Shapes that redaction knows; the middle tells each input apart.
SHAPES = ("ghp_CANARY{0}abcdef0123456789", "password=CANARY{0}hunter2", "Authorization: Bearer CANARY{0}abc123",
          "https://user:CANARY{0}@feeds.example/x", "eyJCANARY{0}aGVhZGVy.eyJzdWIiOiIxIn0.c2ln",
          "https://b.example/o?X-Amz-Signature=CANARY{0}0123")
PASSWORD = "CANARYdatabase7password"


class Secrets:
    def __init__(self):
        self.made = []

    def text(self, where):
        """A text for one input, with a secret of every shape."""
        parts = []
        for n, shape in enumerate(SHAPES):
            mark = f"{len(self.made)}x{n}x"
            self.made.append((where, "CANARY" + mark))
            parts.append(shape.format(mark))
        return "before " + " , ".join(parts)

    def name(self, where):
        """The same where only a name may stand."""
        mark = f"{len(self.made)}xnx"
        self.made.append((where, "CANARY" + mark))
        return SHAPES[0].format(mark)


class Canaries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        if BACKEND == "postgres":
            # The cluster trusts whoever comes: a password in the URL is one that serve has to keep to itself.
            where = cls.node.database.arguments[-1]
            cls.node.stop()
            cls.node.database.arguments[-1] = where.replace("postgres@", f"postgres:{PASSWORD}@")
            cls.node.start()
        cls.node.tenant("acme")
        cls.node.job_type("demo", max_attempts=2, backoff_base_ms=0, backoff_max_ms=0, ttl_ms=60000)
        cls.secrets = Secrets()
        cls.answers = []
        cls.push()

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    @classmethod
    def call(cls, *arguments, **more):
        answer = cls.node.call(*arguments, **more)
        cls.answers.append(answer.body + json.dumps(answer.headers).encode())
        return answer

    @classmethod
    def push(cls):
        node, text = cls.node, cls.secrets.text
        jobs = node.submit("acme", *[{"type": "demo"}] * 6)
        leases = node.claim("demo", number=6)
        for lease in leases[:2]:
            cls.call("POST", "/leases/heartbeat", {"worker": "w/1", "leases": [
                {"lease": lease["lease"], "grant": 1, "progress": {"done": 1, "total": 2, "text": text("progress")[:500]},
                 "log": {"first": 0, "lines": [{"text": text("log")}, {"text": "-----BEGIN RSA PRIVATE KEY-----"},
                                               {"text": "CANARYinakeyblock"}, {"text": "-----END RSA PRIVATE KEY-----"},
                                               {"text": PASSWORD if BACKEND == "postgres" else "-"}]}}]}, token=node.worker)
        for lease, verb in zip(leases, ("fail", "complete", "release", "throttled", "fail")):
            more = {"class": cls.secrets.name("class") if lease is leases[4] else "x", "message": text("message"),
                    "permanent": lease is leases[4]} if verb == "fail" else {}
            cls.call("POST", "/leases/" + verb, {"worker": "w/1", "reports": [
                {"lease": lease["lease"], "grant": 1, "log": {"first": 9, "lines": [{"text": text("report's log")}]}, **more}]},
                token=node.worker)
        for verb in ("cancel", "retry", "replay"):
            cls.call("POST", f"/jobs/{jobs[4]}/{verb}", tenant="acme", reason=text("reason"), X_Stella_Ticket=cls.secrets.name("ticket"))
        # What is refused may be quoted in a problem document, and is not written anywhere.
        cls.call("POST", "/jobs", {"jobs": [{"type": "demo", "unknown " + text("member"): 1}]}, tenant="acme")
        cls.call("POST", "/jobs", b'{"jobs": [ ' + text("broken JSON").encode(), tenant="acme")
        cls.call("POST", "/jobs", {"jobs": [{"type": text("type")}]}, tenant="acme")
        cls.call("GET", "/jobs?state=" + cls.secrets.name("filter"), tenant="acme")
        cls.call("GET", "/jobs?cursor=" + cls.secrets.name("cursor"), tenant="acme")
        cls.call("GET", "/jobs?token=" + cls.secrets.name("parameter"), tenant="acme")
        cls.call("GET", "/jobs/" + cls.secrets.name("path"), tenant="acme")
        cls.call("GET", "/jobs", token=cls.secrets.name("token"))
        cls.call("GET", "/jobs", tenant=cls.secrets.name("tenant"))
        cls.call("GET", "/jobs", tenant="acme", User_Agent=text("agent"), Cookie=text("cookie"))

    def assert_clean(self, sink, content):
        for where, secret in (*self.secrets.made, ("key block", "CANARYinakeyblock"), ("database", PASSWORD)):
            self.assertNotIn(secret.encode(), content, f"the secret of {where} is in {sink}")
        self.assertNotIn(b"CANARY", content, sink)

    def test_answers(self):
        self.assert_clean("an answer", b"\n".join(self.answers))
        for path in ("/jobs", "/runs", "/history?limit=1000", "/jobs?state=dead", *(
                f"/jobs/job-{n}{more}" for n in range(1, 8) for more in ("", "/history", "/logs", "/logs?attempt=1", "/attempts"))):
            self.assert_clean(path, self.node.call("GET", path, tenant="acme").body)
        self.assert_clean("system history", self.node.call("GET", "/history?limit=1000", tenant="system").body)

    def test_something_was_logged_at_all(self):
        texts = [line["text"] for line in self.node.call("GET", "/jobs/job-1/logs?attempt=1", tenant="acme").json["items"]]
        self.assertIn("[redacted:token]", texts[0])
        self.assertTrue(texts[0].startswith("before "))
        self.assertEqual(texts[2], "[redacted:privatekey]")
        if BACKEND == "postgres":
            self.assertEqual(texts[4], "[redacted:known]")

    def test_metrics_and_server_log(self):
        metrics = self.node.call("GET", "//metrics")
        self.assertEqual(metrics.status, 200)
        self.assert_clean("/metrics", metrics.body)
        self.assert_clean("the server's log", self.node.log().encode())

    def test_command_line(self):
        environment = {**clean_environment(), "STELLA_SERVER": f"http://127.0.0.1:{self.node.port}", "STELLA_TENANT": "acme",
                       "STELLA_TOKEN_FILE": os.path.join(self.node.data, "admin.token")}
        for words in (("jobs", "list"), ("jobs", "get", "job-5"), ("jobs", "logs", "job-1", "--attempt", "1"),
                      ("jobs", "history", "job-5", "--all"), ("jobs", "attempts", "job-1"), ("history", "list")):
            done = subprocess.run([PROGRAM, "orchestrator", *words, "-o", "json"], env=environment, capture_output=True, check=False)
            self.assert_clean(" ".join(words), done.stdout + done.stderr)

    def test_ledger(self):
        if BACKEND == "postgres":
            url = self.node.database.arguments[-1]
            dump = subprocess.run(["pg_dump", "--data-only", "--inserts", url], capture_output=True, check=True,
                                  env=clean_environment()).stdout
            # Bytes are dumped as hexadecimal.
            for _, secret in self.secrets.made:
                self.assertNotIn(secret.encode().hex().encode(), dump)
            self.assertNotIn(b"CANARY".hex().encode(), dump)
            self.assert_clean("the database", dump)
        else:
            for path in glob.glob(os.path.join(self.node.data, "**"), recursive=True):
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        self.assert_clean(os.path.basename(path), file.read())


if __name__ == "__main__":
    unittest.main()
