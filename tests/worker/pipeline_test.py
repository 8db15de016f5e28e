"""The four producers and the pipeline program, against a scripted orchestrator.

Usage: pipeline_test.py FOLDER_OF_PROGRAMS FEEDS
"""

import filecmp
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

from orchestrator import TOKEN, Orchestrator

PROGRAMS, FEEDS = sys.argv[1], os.path.realpath(sys.argv[2])
PRODUCERS = ("advisory", "vex", "sbom", "policy")


def program(name):
    return os.path.join(PROGRAMS, "stella-" + name)


class PipelineTest(unittest.TestCase):
    def setUp(self):
        self.server = Orchestrator()
        self.folder = tempfile.TemporaryDirectory()
        self.token = os.path.join(self.folder.name, "token")
        with open(self.token, "w") as file:
            file.write(TOKEN + "\n")
        self.workers = []

    def tearDown(self):
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(30) for worker in self.workers]
        self.server.close()
        self.folder.cleanup()
        self.assertEqual(codes, [0] * len(codes))

    def start_workers(self, *flags):
        for name in PRODUCERS:
            self.workers.append(subprocess.Popen(
                [program(name), "--url", self.server.url, "--slots", "3", "--token-file", self.token,
                 *flags]))

    def pipeline(self, out, *flags, feeds=FEEDS):
        return subprocess.run(
            [program("pipeline"), "--url", self.server.url, "--feeds", feeds, "--out", out,
             "--token-file", self.token, *flags], capture_output=True, text=True, timeout=120)

    def out(self, name="out"):
        return os.path.join(self.folder.name, name)

    def test_the_example_feed_gives_its_findings_and_keeps_every_document(self):
        self.start_workers("--allow-root", FEEDS)
        done = self.pipeline(self.out(), "--batch", "3", "--sbom-batch", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(self.out(), "summary.json")) as file:
            summary = json.load(file)
        with open(os.path.join(self.out(), "findings.jsonl")) as file:
            findings = file.readlines()
        self.assertEqual(summary["findings"]["total"], len(findings))
        self.assertGreater(len(findings), 0)
        self.assertEqual(findings, sorted(findings))
        documents = 0
        for root, _, names in os.walk(FEEDS):
            folder = os.path.relpath(root, FEEDS).split(os.sep)[0]
            for name in names:
                if folder in ("advisories-osv", "advisories-csaf", "vex", "sbom"):
                    documents += 1
                    path = os.path.relpath(os.path.join(root, name), FEEDS)
                    kept = os.path.join(self.out(), "raw", path)
                    self.assertTrue(filecmp.cmp(os.path.join(FEEDS, path), kept, False), path)
        self.assertEqual(summary["documents"]["read"], documents)
        self.assertIn("read %d" % documents, done.stdout)

    def test_two_runs_give_the_same_bytes_however_they_are_cut(self):
        self.start_workers("--allow-root", FEEDS)
        self.assertEqual(self.pipeline(self.out("one"), "--batch", "4").returncode, 0)
        with self.server.changed:
            self.server.jobs, self.server.artifacts = {}, []
        again = self.pipeline(self.out("two"), "--batch", "7", "--sbom-batch", "1")
        self.assertEqual(again.returncode, 0, again.stderr)
        for name in ("findings.jsonl", "outcomes.jsonl", "summary.json"):
            self.assertTrue(filecmp.cmp(os.path.join(self.out("one"), name),
                                        os.path.join(self.out("two"), name), False), name)

    def test_a_feed_that_may_not_be_read_fails_the_run_and_says_why(self):
        self.start_workers("--allow-root", self.folder.name)
        done = self.pipeline(self.out())
        self.assertEqual(done.returncode, 1)
        failed = [report for kind, report in self.server.reports if kind == "fail"]
        self.assertEqual({report["class"] for report in failed}, {"refused_root"})

    def test_the_same_bytes_twice_and_odd_names_are_kept(self):
        feed = os.path.join(self.folder.name, "feed")
        os.makedirs(os.path.join(feed, "vex", "sub"))
        for name in ("a.json", "sub/b c.json", "not-json"):
            with open(os.path.join(feed, "vex", name), "w") as file:
                file.write("{}" if name != "not-json" else "\x00\x01")
        self.start_workers("--allow-root", feed)
        done = self.pipeline(self.out(), feeds=feed)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(self.out(), "outcomes.jsonl")) as file:
            outcomes = [json.loads(line) for line in file]
        self.assertEqual([outcome["path"] for outcome in outcomes],
                         ["vex/a.json", "vex/not-json", "vex/sub/b c.json"])
        self.assertEqual({outcome["outcome"] for outcome in outcomes}, {"quarantined"})
        self.assertEqual(outcomes[0]["sha256"], hashlib.sha256(b"{}").hexdigest())
        odd = hashlib.sha256(b"vex/sub/b c.json").hexdigest()[:16]
        self.assertTrue(os.path.exists(
            os.path.join(self.out(), "raw/_/%s-vex_sub_b_c.json" % odd)))

    def test_a_token_can_be_exchanged_while_the_worker_runs(self):
        self.start_workers("--allow-root", FEEDS)
        self.server.wait_for("claims", lambda: self.server.count("/leases/claim") >= len(PRODUCERS))
        with open(self.token, "w") as file:
            file.write("stl_next")
        with self.server.changed:
            self.server.token = "stl_next"
        done = self.pipeline(self.out())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_wrong_command_lines_are_refused(self):
        for arguments in (["--nonsense"], ["--slots", "0"], ["--allow-root", "relative"], ["extra"]):
            done = subprocess.run([program("vex"), "--token-file", self.token, *arguments],
                                  capture_output=True)
            self.assertEqual(done.returncode, 2, arguments)
        for arguments in ([], ["--feeds", "/nowhere"], ["--feeds", FEEDS, "--batch", "0"]):
            done = subprocess.run([program("pipeline"), "--token-file", self.token, *arguments],
                                  capture_output=True)
            self.assertEqual(done.returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
