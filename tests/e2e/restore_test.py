"""Back to a backup: nothing acknowledged before it is lost, nothing of the time after it is accepted, all jobs finish."""
import hashlib
import json
import os
import subprocess
import tempfile
import threading
import unittest

from load import Load
from rig import BACKEND, PROGRAM, Database, Node, clean_environment, until


def stella(*arguments):
    done = subprocess.run([PROGRAM, "orchestrator", *arguments], capture_output=True, text=True, timeout=120,
                          env=clean_environment(), check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


class Worker(threading.Thread):
    """Claims and completes until it is told to end; what was acknowledged, and what it holds at the end."""

    def __init__(self, node, name):
        super().__init__()
        self.node, self.name_, self.end = node, name, False
        self.done, self.held = [], []

    def report(self, lease):
        return {"lease": lease["lease"], "grant": lease["grant"], "result": {"by": self.name_}}

    def run(self):
        while not self.end:
            leases = self.node.claim("demo", worker=self.name_, number=4)
            self.held = leases
            if leases and not self.end:
                answer = self.node.work("complete", {"worker": self.name_, "reports": [self.report(one) for one in leases]})
                assert {one["code"] for one in answer.json["results"]} == {"ok"}, answer
                self.done += leases
                self.held = []


class Rig(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.node.tenant("acme")
        self.node.job_type("demo", ttl_ms=60000)
        self.home = tempfile.TemporaryDirectory(prefix="stella-restore-")
        self.addCleanup(self.home.cleanup)
        self.backup = os.path.join(self.home.name, "monday")

    def take(self):
        if BACKEND == "sqlite":
            self.assertEqual((0, self.backup + "\n"), stella("backup", self.backup, "--data", self.node.data)[:2])
            return
        # What pg_dump would give, without its time: a copy of the database while nobody is there.
        url = self.node.database.arguments[-1]
        self.node.stop()
        self.copied = url.rsplit("/", 1)[1] + "_monday"
        subprocess.run(["psql", "-q", os.environ["STELLA_TEST_POSTGRES"], "-c",
                        f"CREATE DATABASE {self.copied} TEMPLATE {url.rsplit('/', 1)[1]}"], check=True)
        self.node.start()

    def bring_back(self, name):
        """A node on the restored ledger, with the tokens that its users have."""
        folder = os.path.join(self.home.name, name)
        os.mkdir(folder)
        database = Database(folder)
        data = os.path.join(folder, "data")
        if BACKEND == "sqlite":
            status, told, steps = stella("restore", self.backup, "--data", data)
            self.assertEqual((0, data + "\n"), (status, told), steps)
            self.assertEqual(["ledger.db"], [one for one in os.listdir(data) if "lock" not in one and "blobs" not in one])
        else:
            os.mkdir(data, 0o700)
            url = os.environ["STELLA_TEST_POSTGRES"].rsplit("/", 1)[0] + f"/{self.copied}_{name}"
            subprocess.run(["psql", "-q", os.environ["STELLA_TEST_POSTGRES"], "-c",
                            f"CREATE DATABASE {self.copied}_{name} TEMPLATE {self.copied}"], check=True)
            database.arguments = ["--data", data, "--database", url]
            self.assertEqual(2, stella("restore", "--database", url)[0], "it asks before it ends every lease")
            status, _, steps = stella("restore", "--database", url, "--from", self.backup, "--yes")
            self.assertEqual(0, status, steps)
        for token in ("admin.token", "worker.token"):
            with open(os.path.join(self.node.data, token), "rb") as file, \
                    open(os.open(os.path.join(data, token), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as copied:
                copied.write(file.read())
        back = Node(folder=folder, database=database)
        self.addCleanup(back.close)
        return back


class Restore(Rig):
    def lost(self, node, leases, worker="old"):
        """The server takes nothing of these leases."""
        items = [{"lease": one["lease"], "grant": one["grant"]} for one in leases]
        beats = node.work("heartbeat", {"worker": worker, "leases": items}).json["results"]
        ends = node.work("complete", {"worker": worker, "reports": [{**one, "result": {"late": True}} for one in items]}).json["results"]
        self.assertEqual({"lease_lost"}, {one["code"] for one in beats + ends}, (beats, ends))

    def test_old_workers_come_to_the_restored_ledger(self):
        node = self.node
        node.submit("acme", *[{"type": "demo"}] * 60)
        live = node.claim("demo", worker="old", number=5)
        workers, loads = [Worker(node, f"w/{i}") for i in range(3)], [Load(node) for _ in range(2)]
        for one in workers + loads:
            one.start()
        until(lambda: all(len(load.acknowledged) > 20 for load in loads) and all(len(one.done) > 8 for one in workers), "load")
        if BACKEND == "postgres":
            self.end(workers + loads)
        submitted = [item for load in loads for item in list(load.acknowledged)]
        done = [(one, lease) for one in workers for lease in list(one.done)]
        self.take()
        if BACKEND == "sqlite":
            self.end(workers + loads)
        # The time that is lost: new jobs, leases of them, and of jobs that the backup knows.
        new = node.submit("acme", *[{"type": "demo"}] * 8)
        late = node.claim("demo", worker="old", number=1000)
        self.assertLessEqual(set(new), {lease["job"] for lease in late})
        finished = late.pop()
        node.work("complete", {"worker": "old", "reports": [{"lease": finished["lease"], "grant": finished["grant"]}]})
        node.kill()

        back = self.bring_back("anew")
        there = {item.get("key"): item["id"] for item in back.pages("/jobs?limit=1000", tenant="acme")}
        self.assertEqual([], [item for item in submitted if there.get(item[0]) != item[1]], "what was acknowledged")
        for worker, lease in done:
            self.assertEqual("succeeded", back.job("acme", lease["job"])["state"])
        worker, lease = done[-1]
        again = back.work("complete", {"worker": worker.name_, "reports": [worker.report(lease)]})
        self.assertEqual("ok", again.json["results"][0]["code"], "the same report gets the same answer")
        said = back.call("GET", "/installation").json
        self.assertEqual((True, self.backup, f"restored from {self.backup}", "restore"),
                         (said["paused"], said["restored"]["from"], said["pause"]["reason"], said["pause"]["by"]))
        self.assertEqual([], back.claim("demo", worker="old", number=1000))
        self.lost(back, live + late + [finished])
        self.assertEqual({"pending"}, {back.job("acme", lease["job"])["state"] for lease in live})
        last = max(int(job["id"][4:]) for job in back.pages("/jobs?limit=1000", tenant="acme"))
        remade = back.submit("acme", *[{"type": "demo"}] * (int(new[-1][4:]) - last))
        self.assertLessEqual(set(new), set(remade), "numbers of the lost time are given again")
        self.lost(back, late + [finished])

        self.assertEqual(200, back.call("POST", "/installation/resume", reason="looked around").status)
        left = back.claim("demo", worker="new/1", number=1000)
        self.assertLess(said["grant_floor"], min(lease["grant"] for lease in left))
        self.lost(back, live + late + [finished])
        self.lost(back, [{"lease": lease["lease"], "grant": 1} for lease in left])
        while left:
            ends = back.work("complete", {"worker": "new/1", "reports": [
                {"lease": one["lease"], "grant": one["grant"]} for one in left]}).json["results"]
            self.assertEqual({"ok"}, {one["code"] for one in ends})
            left = back.claim("demo", worker="new/1", number=1000)
        self.assertEqual({"succeeded"}, {job["state"] for job in back.pages("/jobs?limit=1000", tenant="acme")})
        self.assertEqual({1}, {back.job("acme", lease["job"])["attempts"] for lease in live}, "no attempt was spent")

        twice = self.bring_back("again").call("GET", "/installation").json
        self.assertLess(said["grant_floor"], twice["grant_floor"], "the same backup once more is another time again")

    def end(self, threads):
        for one in threads:
            one.end = True
        for one in threads:
            one.join()


class Folder(Rig):
    def setUp(self):
        super().setUp()
        content = os.urandom(100000)
        self.digest = hashlib.sha256(content).hexdigest()
        self.assertEqual(201, self.node.call("PUT", "/artifacts/" + self.digest, content, tenant="acme").status)
        self.take()
        self.data = os.path.join(self.home.name, "data")

    def restore(self, *more):
        status, told, steps = stella("restore", self.backup, "--data", self.data, *more)
        return status, told, steps

    def refused(self, status, words):
        got, _, steps = self.restore()
        self.assertEqual(status, got, steps)
        self.assertIn(words, steps)
        self.assertFalse(os.path.exists(os.path.join(self.data, "ledger.db")))

    def blob(self):
        return next(os.path.join(folder, files[0]) for folder, _, files in os.walk(os.path.join(self.backup, "ledger.db.blobs")) if files)

    def test_a_ledger_that_is_there_is_not_touched(self):
        before = os.stat(os.path.join(self.node.data, "ledger.db")).st_ino
        status, _, told = stella("restore", self.backup, "--data", self.node.data)
        self.assertEqual(5, status)
        self.assertIn("is there already: move the data folder away", told)
        self.assertEqual(before, os.stat(os.path.join(self.node.data, "ledger.db")).st_ino)

    def test_what_is_damaged_is_not_brought_back(self):
        with open(os.path.join(self.backup, "ledger.db"), "r+b") as file:
            file.seek(5000)
            file.write(b"?")
        self.refused(1, "is not what its manifest says")
        self.assertEqual(1, self.restore("--dry-run")[0])

    def test_an_artifact_that_is_missing_or_damaged_is_found(self):
        with open(self.blob(), "r+b") as file:
            file.write(b"?" * 10)
        self.refused(1, "")
        os.remove(self.blob())
        self.refused(1, "the backup is not whole")

    def test_what_is_no_backup_is_said(self):
        os.remove(os.path.join(self.backup, "manifest.json"))
        self.refused(1, "manifest.json")
        with open(os.path.join(self.backup, "manifest.json"), "w", encoding="ascii") as file:
            json.dump({"v": 2}, file)
        self.refused(1, "is not the manifest of a backup")
        self.assertEqual(2, stella("restore", "--data", self.data)[0])

    def test_one_that_was_cut_short_is_taken_over(self):
        os.makedirs(os.path.join(self.data, "restoring.partial"))
        os.mkdir(os.path.join(self.data, "ledger.db.blobs"))
        for name in ("ledger.db", "ledger.db-wal"):
            with open(os.path.join(self.data, "restoring.partial", name), "wb") as file:
                file.write(b"half")
        self.assertEqual(0, self.restore("--dry-run")[0])
        status, _, steps = self.restore()
        self.assertEqual(0, status, steps)
        self.assertEqual({"ledger.db", "ledger.db.blobs"}, {one for one in os.listdir(self.data) if "lock" not in one})

    def test_artifacts_come_along_and_the_backup_stays_as_it_was(self):
        before = sorted(os.listdir(self.backup))
        back = self.bring_back("anew")
        self.assertEqual(200, back.call("GET", "/artifacts/" + self.digest, tenant="acme").status)
        self.assertEqual(before, sorted(os.listdir(self.backup)))
        self.assertIn("paused: nothing new is leased", back.log())


if BACKEND != "sqlite":
    del Folder  # A database has its own tools.


if __name__ == "__main__":
    unittest.main()
