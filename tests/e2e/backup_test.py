"""A backup while the ledger is served: whole, checked, and a ledger of its own."""
import hashlib
import json
import os
import subprocess
import unittest

from load import Load
from rig import PROGRAM, Node, clean_environment, until


def backup(*arguments):
    done = subprocess.run([PROGRAM, "orchestrator", "backup", *arguments], capture_output=True, text=True, timeout=120,
                          env=clean_environment(), check=False)
    return done.returncode, done.stdout, done.stderr


class Backup(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.node.tenant("acme")
        self.node.job_type("demo")
        self.home = os.path.join(self.node.folder, "copy")
        os.mkdir(self.home)
        self.folder = os.path.join(self.home, "data")

    def upload(self):
        content = os.urandom(300000)
        digest = hashlib.sha256(content).hexdigest()
        self.assertEqual(201, self.node.call("PUT", "/artifacts/" + digest, content, tenant="acme").status)
        job, = self.node.submit("acme", {"type": "demo"})
        lease = self.node.claim("demo", number=1)[0]
        self.assertEqual("ok", self.node.work("complete", {"worker": "w/1", "reports": [
            {"lease": lease["lease"], "grant": 1, "artifacts": [{"name": "out", "sha256": digest, "size": len(content)}]}]}
        ).json["results"][0]["code"])
        return job, digest, content

    def test_what_was_acknowledged_before_is_in_the_copy(self):
        job, digest, content = self.upload()
        loads = [Load(self.node) for _ in range(4)]
        for load in loads:
            load.start()
        until(lambda: all(len(load.acknowledged) > 20 for load in loads), "every client was answered")
        before = [item for load in loads for item in list(load.acknowledged)]
        self.assertEqual((0, self.folder + "/\n"), backup(self.folder + "/", "--data", self.node.data)[:2])
        for load in loads:
            load.end = True
        for load in loads:
            load.join()
        with open(os.path.join(self.folder, "manifest.json"), encoding="ascii") as file:
            manifest = json.load(file)
        with open(os.path.join(self.folder, "ledger.db"), "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), manifest["ledger_sha256"])
        self.assertEqual((1, len(content)), (manifest["blobs"], manifest["blob_bytes"]))
        self.assertEqual({"ledger.db", "ledger.db.blobs", "manifest.json"}, set(os.listdir(self.folder)))
        copy = self.serve_copy()
        there = {item.get("key"): item["id"] for item in copy.pages("/jobs?limit=1000", tenant="acme")}
        self.assertEqual([], [item for item in before if there.get(item[0]) != item[1]])
        self.assertEqual(content, copy.call("GET", "/artifacts/" + digest, tenant="acme").body)
        self.assertEqual("succeeded", copy.job("acme", job)["state"])
        copy.submit("acme", {"type": "demo"})
        self.assertEqual(0, copy.close())

    def serve_copy(self):
        """A node on the copy; its tokens are those of the ledger that was copied."""
        for name in ("admin.token", "worker.token"):
            with open(os.path.join(self.node.data, name), "rb") as file, \
                    open(os.open(os.path.join(self.folder, name), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as copied:
                copied.write(file.read())
        return Node(folder=self.home)

    def test_a_folder_that_is_there_is_not_touched(self):
        os.mkdir(self.folder)
        status, _, told = backup(self.folder, "--data", self.node.data)
        self.assertEqual((2, []), (status, os.listdir(self.folder)))
        self.assertIn("is there already", told)

    def test_a_ledger_that_is_not_there_is_said(self):
        status, _, told = backup(self.folder, "--data", os.path.join(self.node.folder, "nothing"))
        self.assertEqual(1, status)
        self.assertIn("There is no ledger", told)
        self.assertEqual([], os.listdir(self.home))

    def test_postgresql_has_its_own(self):
        status, _, told = backup(self.folder, "--database", "postgres://nobody@localhost/none")
        self.assertEqual(2, status)
        self.assertIn("pg_dump", told)


if __name__ == "__main__":
    unittest.main()
