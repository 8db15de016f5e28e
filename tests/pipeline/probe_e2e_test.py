"""The worker library against the real orchestrator: what only the two together can show.

The worker is tests/worker/probe.c; its jobs do what their payload says.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from installation import BUILD, ENVIRONMENT, PATIENCE_S, Installation

PROBE = os.path.join(BUILD, "tests", "worker", "worker_probe")


class Probe:
    """One worker process; its lines are collected as they come."""

    def __init__(self, installation, slots=2, grace_ms=300):
        with open(installation.worker_token) as file:
            token = file.read().strip()
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [PROBE, installation.url, token, str(slots), str(grace_ms)], env=ENVIRONMENT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def said(self, line):
        with self.changed:
            if not self.changed.wait_for(lambda: line in self.lines, PATIENCE_S):
                raise AssertionError("never said %r: %s" % (line, self.lines))

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.thread.join()
        self.process.stdout.close()
        return code


class ProbeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.server = Installation(self.folder.name, [], workers=())
        self.server.call("PUT", "/job-types/probe",
                         {"ttl_ms": 2000, "backoff_base_ms": 10, "backoff_max_ms": 100})
        self.probes = []

    def tearDown(self):
        codes = [probe.end() for probe in self.probes]
        self.server.close()
        self.folder.cleanup()
        self.assertEqual(codes, [0] * len(codes))

    def probe(self, **more):
        self.probes.append(Probe(self.server, **more))
        return self.probes[-1]

    def submit(self, payload, **more):
        job = dict(more, type="probe", payload=payload)
        return self.server.call("POST", "/jobs", {"jobs": [job]})["jobs"][0]["id"]

    def until(self, path, is_so, tenant="acme"):
        """What GET of the path answers, once is_so(it)."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = self.server.call("GET", path, tenant=tenant)
            if is_so(found):
                return found
            if time.monotonic() > deadline:
                raise AssertionError("never so: %s" % found)
            time.sleep(0.02)  # Between two looks; the deadline above decides.

    def job(self, job, state):
        """The job, once it is in that state."""
        return self.until("/jobs/" + job, lambda found: found["state"] == state)

    def worker(self, is_so=lambda worker: True):
        """The worker as operators see it, once is_so(it)."""
        path = "/workers/probe%2F1"
        self.until("/workers", lambda found: found["items"], tenant=None)
        return self.until(path, is_so, tenant=None)

    def test_results_and_failures_arrive(self):
        self.probe()
        self.assertEqual(self.job(self.submit({"do": "done"}), "succeeded")["result"],
                         {"did": "it"})
        self.job(self.submit({"do": "fail"}), "dead")

    def test_a_long_job_is_kept_over_many_ttls(self):
        self.probe()
        job = self.job(self.submit({"do": "burn", "ms": 5000}), "succeeded")
        self.assertEqual(job["attempts"], 1)

    def test_a_cancel_reaches_the_handler(self):
        probe = self.probe()
        job = self.submit({"do": "hang"})
        probe.said("hanging %s -" % job)
        self.server.call("POST", "/jobs/%s/cancel" % job, reason="enough")
        probe.said("stopped %s canceled" % job)
        self.job(job, "canceled")

    def test_a_drained_worker_gives_its_job_back_unharmed(self):
        first = self.probe()
        job = self.submit({"do": "hang"})
        first.said("hanging %s -" % job)
        self.assertEqual(first.end(), 0)
        first.said("stopped %s draining" % job)
        second = self.probe()
        second.said("hanging %s -" % job)
        self.assertEqual(self.server.call("GET", "/jobs/" + job)["attempts"], 0)
        self.server.call("POST", "/jobs/%s/cancel" % job, reason="end of the test")
        second.said("stopped %s canceled" % job)

    def test_the_operator_s_drain_lets_it_finish_and_stay_until_resumed(self):
        probe = self.probe(slots=1)
        verb = lambda it: self.server.call("POST", "/workers/probe%2F1/" + it, tenant=None, reason="test")
        running = self.submit({"do": "burn", "ms": 1500})
        self.worker(lambda worker: worker["leases"] == 1)
        verb("drain")
        waits = self.submit({"do": "done"})
        self.assertEqual(self.job(running, "succeeded")["attempts"], 1, "longer than its grace time")
        before = self.worker()["seen_at"]
        self.worker(lambda worker: worker["seen_at"] > before)
        self.assertEqual((self.server.call("GET", "/jobs/" + waits)["state"], probe.process.poll()), ("pending", None))
        verb("resume")
        self.job(waits, "succeeded")

    def test_it_tells_its_clock(self):
        self.probe()
        self.assertLess(abs(self.worker()["clock_offset_ms"]), 5000, "one machine has one clock")

    def test_a_worker_that_was_away_too_long_learns_that_its_job_is_another_s(self):
        first = self.probe(slots=1)
        job = self.submit({"do": "hang"})
        first.said("hanging %s -" % job)
        first.process.send_signal(signal.SIGSTOP)
        try:
            second = self.probe()
            second.said("hanging %s -" % job)
        finally:
            first.process.send_signal(signal.SIGCONT)
        first.said("stopped %s lease_lost" % job)
        self.server.call("POST", "/jobs/%s/cancel" % job, reason="end of the test")
        second.said("stopped %s canceled" % job)
        self.job(job, "canceled")

    def test_requests_to_a_paced_host_wait_for_their_tokens(self):
        self.server.call("PUT", "/sources/paced",
                         {"kind": "other", "url": None, "host": "api.example.org", "rate_per_s": 20,
                          "burst": 5})
        self.probe()
        started = time.monotonic()
        self.job(self.submit({"do": "take", "n": 30}, source="paced"), "succeeded")
        self.assertGreaterEqual(time.monotonic() - started, 1.0)

    def test_artifacts_are_stored_and_listed(self):
        probe = self.probe()
        run = self.server.call("POST", "/runs", {"jobs": [
            {"name": "make", "type": "probe", "payload": {"do": "upload", "bytes": 70000}},
            {"name": "look", "type": "probe", "payload": {"do": "list"}, "needs": [{"job": "make"}]}]})
        look = run["jobs"][1]["id"]
        probe.said("list %s ok" % look)
        probe.said("listed %s out.bin" % look)


if __name__ == "__main__":
    unittest.main()
