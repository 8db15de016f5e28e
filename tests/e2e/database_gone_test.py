"""PostgreSQL away and back: 503 with Retry-After meanwhile, nothing acknowledged is lost, no restart."""
import os
import subprocess
import tempfile
import time
import unittest

from load import Load
from rig import ROOT, Node, until


class DatabaseGone(unittest.TestCase):
    def tool(self, *words):
        return subprocess.run([os.path.join(ROOT, "tools", "postgres"), *words], check=True, capture_output=True, text=True).stdout.strip()

    def test_gone_and_back(self):
        with tempfile.TemporaryDirectory(prefix="stella-pg-") as folder:
            os.chmod(folder, 0o755)
            cluster = os.path.join(folder, "pg")
            shared = os.environ["STELLA_TEST_POSTGRES"]
            os.environ["STELLA_TEST_POSTGRES"] = self.tool("start", cluster)
            try:
                self.scenario(cluster)
            finally:
                os.environ["STELLA_TEST_POSTGRES"] = shared
                self.tool("remove", cluster)

    def scenario(self, cluster):
        node = Node()
        node.tenant("acme")
        node.job_type("demo")
        load = Load(node)
        load.start()
        until(lambda: len(load.acknowledged) > 5, "the client was answered")
        self.tool("kill", cluster)
        deadline = time.monotonic() + 30
        while True:
            answer = node.call("POST", "/jobs", {"jobs": [{"type": "demo"}]}, tenant="acme")
            if answer.status == 503:
                break
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(answer.code, "ledger_unavailable")
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(node.send("GET", "/livez").status, 200)
        while node.send("GET", "/readyz").status != 503:
            self.assertLess(time.monotonic(), deadline)
        report = node.work("complete", {"worker": "w", "reports": [{"lease": "2.1.1", "grant": 1}]})
        self.assertEqual(report.status, 503, "a report that could not be taken is not a lost lease")
        self.tool("restart", cluster)
        until(lambda: node.call("POST", "/jobs", {"jobs": [{"type": "demo"}]}, tenant="acme").status == 201, "it recovers")
        load.end = True
        load.join()
        self.assertIsNone(node.child.poll(), "the same process")
        there = {job.get("key"): job["id"] for job in node.pages("/jobs?limit=1000", tenant="acme")}
        for key, job in load.acknowledged:
            self.assertEqual(there.get(key), job)
        self.assertEqual(node.close(), 0)


if __name__ == "__main__":
    unittest.main()
