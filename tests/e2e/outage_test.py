"""Disk full, database gone, and both back: 503 with Retry-After, nothing lost, no restart. And a stop under load."""
import ctypes
import os
import subprocess
import tempfile
import threading
import time
import unittest

from rig import BACKEND, ROOT, Node

MOUNT_SIZE = "24m"


class Load(threading.Thread):
    """Submits one job after another and keeps what was acknowledged."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.acknowledged, self.statuses, self.end = node, [], set(), False

    def run(self):
        number = 0
        while not self.end:
            number += 1
            try:
                answer = self.node.call("POST", "/jobs", {"jobs": [{"type": "demo", "key": f"{self.name}-{number}"}]}, tenant="acme",
                                        timeout=120)
            except OSError:
                continue
            self.statuses.add(answer.status)
            if answer.status == 201:
                self.acknowledged.append((f"{self.name}-{number}", answer.json["jobs"][0]["id"]))
            elif answer.status == 503:
                assert int(answer.headers["Retry-After"]) >= 1 and answer.code in ("ledger_unavailable", "shutting_down", "overloaded")


class Stop(unittest.TestCase):
    def test_a_stop_under_load_answers_what_it_took(self):
        node = Node()
        node.tenant("acme")
        node.job_type("demo")
        parked = []
        claim = threading.Thread(target=lambda: parked.append(node.claim("nothing", wait_ms=20000)))
        loads = [Load(node) for _ in range(8)]
        for thread in [claim, *loads]:
            thread.start()
        time.sleep(1)
        started = time.monotonic()
        self.assertEqual(node.stop(), 0)
        self.assertLess(time.monotonic() - started, 15)
        for load in loads:
            load.end = True
        for thread in [claim, *loads]:
            thread.join()
        self.assertEqual(parked, [[]], "a parked claim is answered empty")
        node.start()
        there = {job["key"]: job["id"] for job in node.pages("/jobs?limit=1000", tenant="acme")}
        acknowledged = [item for load in loads for item in load.acknowledged]
        self.assertGreater(len(acknowledged), 20)
        for key, job in acknowledged:
            self.assertEqual(there.get(key), job)
        self.assertEqual(node.close(), 0)

    def test_kill_loses_nothing_acknowledged(self):
        node = Node()
        node.tenant("acme")
        node.job_type("demo")
        loads = [Load(node) for _ in range(4)]
        for load in loads:
            load.start()
        for _ in range(3):
            time.sleep(0.4)
            node.kill()
            node.start()
        for load in loads:
            load.end = True
        for load in loads:
            load.join()
        there = {job["key"]: job["id"] for job in node.pages("/jobs?limit=1000", tenant="acme")}
        for load in loads:
            for key, job in load.acknowledged:
                self.assertEqual(there.get(key), job)
        node.close()


def mount(folder):
    """A small disk of our own, seen by this process and its children only."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_mounts, new_user, private = 0x00020000, 0x10000000, 1 << 18 | 1 << 14
    unshared = libc.unshare(new_mounts) == 0 or libc.unshare(new_user | new_mounts) == 0
    return (unshared and libc.mount(None, b"/", None, private, None) == 0
            and libc.mount(b"none", folder.encode(), b"tmpfs", 0, b"size=" + MOUNT_SIZE.encode()) == 0)


def unmount(folder):
    ctypes.CDLL(None).umount2(folder.encode(), 2)


@unittest.skipIf(BACKEND != "sqlite", "a full disk of PostgreSQL is PostgreSQL's")
class DiskFull(unittest.TestCase):
    def test_full_and_free_again(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(mount(folder), "no small disk could be mounted")
            try:
                self.fill(folder)
            finally:
                unmount(folder)

    def fill(self, folder):
        node = Node(folder=folder)
        node.tenant("acme")
        node.job_type("demo")
        before = node.submit("acme", {"type": "demo", "key": "before"})[0]
        with open(os.path.join(folder, "ballast"), "wb") as ballast:
            try:
                while True:
                    ballast.write(b"x" * 65536)
                    ballast.flush()
            except OSError:
                pass
        refused, acknowledged = 0, []
        for number in range(40):
            body = {"jobs": [{"type": "demo", "key": f"full-{number}", "payload": "x" * 50000}]}
            answer = node.call("POST", "/jobs", body, tenant="acme")
            if answer.status == 201:
                acknowledged.append(answer.json["jobs"][0]["id"])
            else:
                refused += 1
                self.assertEqual((answer.status, answer.code), (503, "ledger_unavailable"), answer)
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertGreater(refused, 0, "the disk was not full")
        self.assertEqual(node.call("GET", "/jobs/" + before, tenant="acme").status, 200, "reading goes on")
        os.unlink(os.path.join(folder, "ballast"))
        deadline = time.monotonic() + 30
        while node.call("POST", "/jobs", {"jobs": [{"type": "demo", "key": "after"}]}, tenant="acme").status != 201:
            self.assertLess(time.monotonic(), deadline, "it does not recover")
            time.sleep(0.1)
        self.assertIsNone(node.child.poll(), "the same process")
        for job in acknowledged:
            self.assertEqual(node.job("acme", job)["state"], "pending")
        self.assertEqual(node.close(), 0)


@unittest.skipIf(BACKEND != "postgres", "SQLite has no server that could go away")
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
        time.sleep(0.5)
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
        deadline = time.monotonic() + 60
        while node.call("POST", "/jobs", {"jobs": [{"type": "demo"}]}, tenant="acme").status != 201:
            self.assertLess(time.monotonic(), deadline, "it does not recover")
            time.sleep(0.1)
        load.end = True
        load.join()
        self.assertIsNone(node.child.poll(), "the same process")
        self.assertIn(503, load.statuses)
        there = {job.get("key"): job["id"] for job in node.pages("/jobs?limit=1000", tenant="acme")}
        for key, job in load.acknowledged:
            self.assertEqual(there.get(key), job)
        self.assertEqual(node.close(), 0)


if __name__ == "__main__":
    unittest.main()
