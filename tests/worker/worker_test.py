"""The worker library on real sockets, against a scripted orchestrator.

Usage: worker_test.py PROBE GREET   (the two programs built beside it)
"""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

from orchestrator import DEADLINE_S, TOKEN, Orchestrator

PROBE, GREET = sys.argv[1:3]


class Worker:
    """The probe as a process; its lines are collected as they come."""

    def __init__(self, orchestrator, slots=2, grace_ms=300, token=TOKEN):
        self.orchestrator = orchestrator
        self.lines = []
        self.process = subprocess.Popen(
            [PROBE, orchestrator.url, token, str(slots), str(grace_ms)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            with self.orchestrator.changed:
                self.lines.append(line.rstrip("\n"))
                self.orchestrator.changed.notify_all()

    def said(self, line):
        self.orchestrator.wait_for(line, lambda: line in self.lines)

    def end(self, expected=0):
        code = self.process.wait(DEADLINE_S)
        self.thread.join()
        if code != expected:
            raise AssertionError("ended with %d: %s" % (code, self.lines))

    def drain(self):
        self.process.send_signal(signal.SIGTERM)


class WorkerTest(unittest.TestCase):
    def setUp(self):
        self.server = Orchestrator()
        self.workers = []

    def tearDown(self):
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
            worker.thread.join()
            worker.process.stdout.close()
        self.server.close()

    def start(self, **more):
        worker = Worker(self.server, **more)
        self.workers.append(worker)
        return worker

    def finish(self, worker):
        worker.drain()
        worker.end()

    def reported(self, job, kind):
        lease = "1." + job.split("-")[1]
        found = lambda: [r for k, r in self.server.reports if k == kind and r["lease"] == lease]
        self.server.wait_for("%s of %s" % (kind, job), found)
        return found()[0]

    def test_each_outcome_is_reported_with_its_grant(self):
        worker = self.start()
        done = self.server.submit({"do": "done"}, grant=7)
        self.assertEqual(self.reported(done, "complete"),
                         {"lease": "1.1", "grant": 7, "result": {"did": "it"}})
        failed = self.reported(self.server.submit({"do": "fail"}), "fail")
        self.assertEqual("failed: parse_error: line 3", failed.pop("log")["lines"][-1]["text"])
        self.assertEqual(failed, {"lease": "1.2", "grant": 1, "class": "parse_error",
                                  "message": "line 3", "permanent": True, "retry_after_ms": 2500})
        throttled = self.reported(self.server.submit({"do": "throttle"}), "throttled")
        self.assertEqual(throttled, {"lease": "1.3", "grant": 1, "host": "api.example.org",
                                     "retry_after_ms": 4000})
        wrong = self.reported(self.server.submit({"do": "nonsense"}), "fail")
        self.assertEqual(wrong["class"], "bad_outcome")
        self.finish(worker)

    def test_a_handler_that_never_yields_cannot_starve_the_heartbeats(self):
        self.server.ttl_ms = 600
        worker = self.start(slots=2)
        jobs = [self.server.submit({"do": "burn", "ms": 1500}) for _ in range(2)]
        for job in jobs:
            self.reported(job, "complete")
        self.assertGreaterEqual(self.server.count("/leases/heartbeat"), 3)
        self.finish(worker)

    def test_a_lost_lease_stops_the_handler_and_is_not_reported(self):
        self.server.ttl_ms = 600
        self.server.beat["1.1"] = {"code": "lease_lost"}
        worker = self.start()
        self.server.submit({"do": "hang"})
        worker.said("stopped job-1 lease_lost")
        self.reported(self.server.submit({"do": "done"}), "complete")
        self.finish(worker)
        self.assertEqual([r for _, r in self.server.reports if r["lease"] == "1.1"], [])

    def test_a_cancel_reaches_the_handler(self):
        self.server.ttl_ms = 600
        self.server.beat["1.1"] = {"cancel": True}
        worker = self.start()
        job = self.server.submit({"do": "hang"})
        worker.said("stopped job-1 canceled")
        self.reported(job, "release")
        self.finish(worker)

    def test_lost_contact_is_told_and_survived(self):
        self.server.ttl_ms = 900
        worker = self.start()
        job = self.server.submit({"do": "hang"})
        worker.said("hanging job-1 -")
        self.server.down = True
        worker.said("contact job-1 lost")
        self.server.down = False
        worker.said("contact job-1 back")
        worker.drain()
        self.reported(job, "release")
        worker.end()

    def test_lost_contact_stops_a_job_type_that_asks_for_it(self):
        self.server.ttl_ms = 900
        worker = self.start()
        self.server.submit({"do": "hang"}, on_lost_contact="stop")
        worker.said("hanging job-1 -")
        self.server.down = True
        worker.said("stopped job-1 lost_contact")
        self.server.down = False
        self.finish(worker)

    def test_a_claim_whose_answer_was_lost_is_resent_and_loses_nothing(self):
        self.server.silent.add("/leases/claim")
        job = self.server.submit({"do": "done"})
        worker = self.start()
        self.reported(job, "complete")
        ids = [body["claim_id"] for path, body in self.server.calls if path == "/leases/claim"]
        self.assertEqual(ids[0], ids[1])
        self.finish(worker)

    def test_a_report_whose_answer_was_lost_is_sent_again_unchanged(self):
        self.server.silent.add("/leases/complete")
        job = self.server.submit({"do": "done"})
        worker = self.start()
        sent = lambda: [b for p, b in self.server.calls if p == "/leases/complete"]
        self.server.wait_for("the second report", lambda: len(sent()) == 2)
        self.assertEqual(sent()[0], sent()[1])
        self.reported(job, "complete")
        self.finish(worker)

    def test_retry_after_is_respected(self):
        busy = (503, [("Retry-After", "1")], {"code": "overloaded"})
        self.server.answers["/workers/register"] = [busy]
        started = time.monotonic()
        worker = self.start()
        self.server.wait_for("a claim", lambda: self.server.count("/leases/claim") > 0)
        self.assertGreaterEqual(time.monotonic() - started, 0.99)
        self.finish(worker)

    def test_a_refused_worker_ends_with_a_reason(self):
        worker = self.start(token="stl_wrong")
        worker.end(expected=1)
        self.assertIn("unauthenticated", worker.lines[-1])

    def test_an_idle_worker_drains_at_once(self):
        worker = self.start()
        self.server.wait_for("a claim", lambda: self.server.count("/leases/claim") > 0)
        self.finish(worker)
        claims = [body for path, body in self.server.calls if path == "/leases/claim"]
        self.assertEqual(claims[-1]["wait_ms"], 0)
        self.assertEqual(claims[-1]["claim_id"], claims[-2]["claim_id"])

    def test_a_drain_waits_for_jobs_and_stops_them_after_the_grace_time(self):
        worker = self.start(grace_ms=400)
        job = self.server.submit({"do": "hang"})
        quick = self.server.submit({"do": "burn", "ms": 100})
        worker.said("hanging job-1 -")
        worker.drain()
        worker.said("stopped job-1 draining")
        worker.end()
        self.reported(job, "release")
        self.reported(quick, "complete")

    def test_artifacts_are_uploaded_by_their_digest_and_reported(self):
        worker = self.start()
        self.server.answers["PUT"] = [(503, [], {"code": "overloaded"})]
        for size in (0, 10, 3000000):
            job = self.server.submit({"do": "upload", "bytes": size})
            digest = hashlib.sha256(b"x" * size).hexdigest()
            report = self.reported(job, "complete")
            self.assertEqual(report["artifacts"],
                             [{"name": "out.bin", "role": "output", "sha256": digest, "size": size,
                               "media_type": "text/plain"}])
            self.assertEqual(self.server.blobs[digest], b"x" * size)
        headers = [h for p, h in self.server.calls if p.startswith("/artifacts/")][-1]
        self.assertEqual(headers["X-Stella-Lease"], "1.3/1")
        self.finish(worker)

    def test_a_refused_upload_is_the_handlers_to_report(self):
        worker = self.start()
        self.server.answers["PUT"] = [(409, [], {"code": "lease_lost", "detail": "gone"})]
        job = self.server.submit({"do": "upload", "bytes": 5})
        worker.said("uploaded job-1 lease_lost")
        self.assertEqual(self.reported(job, "fail")["class"], "upload")
        self.finish(worker)

    def test_a_download_is_verified(self):
        good = hashlib.sha256(b"good").hexdigest()
        bad = hashlib.sha256(b"wanted").hexdigest()
        self.server.blobs = {good: b"good", bad: b"tampered"}
        worker = self.start()
        job = self.server.submit({"do": "download", "sha256": good})
        worker.said("downloaded job-1 ok/4")
        self.assertEqual(self.reported(job, "complete")["artifacts"],
                         [{"name": "in.bin", "role": "input", "sha256": good, "size": 4}])
        self.server.submit({"do": "download", "sha256": bad})
        worker.said("downloaded job-2 digest/8")
        self.server.submit({"do": "download", "sha256": "0" * 64})
        worker.said("downloaded job-3 refused/0")
        self.finish(worker)

    def test_the_artifacts_of_the_run_are_listed_page_by_page(self):
        self.server.artifacts = [
            {"job": "job-9", "name": "part-%d" % i, "role": "output", "sha256": "0" * 64,
             "size": 1, "media_type": "text/plain", "attempt": 1} for i in range(5)]
        worker = self.start()
        self.server.submit({"do": "list"})
        worker.said("list job-1 ok")
        self.assertEqual([line for line in worker.lines if line.startswith("listed")],
                         ["listed job-1 part-%d" % i for i in range(5)])
        self.finish(worker)

    def test_requests_beyond_the_allowance_wait_for_more(self):
        worker = self.start()
        self.server.beat["1.1"] = {"requests_allowed": 3}
        job = self.server.submit({"do": "take", "n": 5}, requests_allowed=3)
        asked = lambda: [lease["requests_wanted"] for path, body in self.server.calls
                         if path == "/leases/heartbeat" for lease in body["leases"]
                         if "requests_wanted" in lease]
        self.server.wait_for("more to be asked for", asked)
        self.server.beat["1.1"] = {"requests_allowed": 8}
        self.assertEqual(self.reported(job, "complete")["requests_used"], 5)
        self.finish(worker)

    def test_the_example_works(self):
        job = self.server.submit({"name": "Ada"}, type="example.greet")
        process = subprocess.Popen([GREET, self.server.url],
                                   env=dict(os.environ, STELLA_TOKEN=TOKEN))
        self.assertEqual(self.reported(job, "complete")["result"], {"greeting": "Hello, Ada"})
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE_S), 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
