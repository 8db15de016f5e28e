"""The advisory worker against an upstream that throttles, fails and dawdles: everything is fetched in the end, and the
upstream's own log never shows more than it allows, over any window."""
import os
import sys
import tempfile
import threading
import time
import unittest

from installation import ROOT, Installation, new_database

sys.path.insert(0, os.path.join(ROOT, "examples", "upstream"))
from upstream import Upstream, read_plan, worst_window  # noqa: E402

FEED = os.path.join(ROOT, "examples", "feeds")
ADVISORIES = "advisories-osv"
RATE = 20
BURST = 5
FRESH_S = 1  # How long a granted request may wait: SESSION_FRESH_US.
PLAN = "25:ok,1:429,30:ok,1:503,20:ok,1:429-date,15:ok,1:429-bare,10:ok,1:slow,1:reset,5:ok,1:503-later"


class UpstreamTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def serve(self, plan, **more):
        upstream = Upstream(("127.0.0.1", 0), FEED, read_plan(plan), **more)
        thread = threading.Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()

        def stop():
            upstream.shutdown()
            thread.join()
            upstream.server_close()
        self.addCleanup(stop)
        return upstream

    def install(self, upstream, database=None, **source):
        installation = Installation(self.folder.name, [], database=database, slots=6, flags=("--allow-private",), workers=("advisory",))
        self.addCleanup(installation.close)
        installation.call("PUT", "/job-types/advisory.ingest", {"max_attempts": 50, "backoff_base_ms": 20, "backoff_max_ms": 200, "requests_per_job": 2})
        self.host = "127.0.0.1:%d" % upstream.server_port
        installation.call("PUT", "/sources/feed", {"kind": "advisory-osv", "url": "http://" + self.host, "rate_per_s": RATE, "burst": BURST, **source})
        return installation

    def fetch_all(self, installation, jobs, paths_each=3):
        """Submits, and waits until all have succeeded."""
        names = sorted(os.path.relpath(os.path.join(folder, name), FEED) for folder, _, files in os.walk(os.path.join(FEED, ADVISORIES)) for name in files)
        paths = [names[n % len(names)] for n in range(jobs * paths_each)]
        body = {"jobs": [{"type": "advisory.ingest", "source": "feed",
                          "payload": {"source": "feed", "paths": paths[n * paths_each:(n + 1) * paths_each]}} for n in range(jobs)]}
        installation.call("POST", "/jobs", body)
        deadline = time.monotonic() + 200
        while True:
            states = [item["state"] for item in installation.call("GET", "/jobs?limit=1000")["items"]]
            if states.count("succeeded") == jobs:
                return
            self.assertNotIn("dead", states, installation.last_words("advisory"))
            self.assertLess(time.monotonic(), deadline, (states, installation.last_words("advisory")))
            time.sleep(0.05)  # Between two looks; the deadline above decides.

    def check_windows(self, upstream):
        """It allows what the source is set to, and a second's worth for requests on their way."""
        times = sorted(request["at"] for request in upstream.requests)
        rest, begins, ends = worst_window(times, RATE, BURST + RATE * FRESH_S)
        self.assertGreaterEqual(rest, 0, (times[begins:ends + 1]))

    def drive(self, database):
        upstream = self.serve(PLAN, retry_after_s=3)
        installation = self.install(upstream, database, rate_min_per_s=10, block_ms=1000)
        self.fetch_all(installation, 40)
        self.check_windows(upstream)
        requests = upstream.requests
        self.assertEqual({200, 429, 503}, {request["status"] for request in requests})
        for refused in requests:
            if refused["kind"] == "429":
                early = [request for request in requests if FRESH_S + 0.5 < request["at"] - refused["at"] < 3]
                self.assertEqual([], early, "asked before Retry-After was over")
        seen = installation.call("GET", "/throttles/" + self.host)
        self.assertGreaterEqual(seen["incidents"], 3)
        lines = [line for line in installation.call("GET", "/history?limit=1000")["items"] if line["type"] == "throttle.blocked"]
        self.assertEqual({1, 2}, {line["facts"]["origin"] for line in lines} - {0})

    def test_everything_arrives_and_no_window_is_too_full(self):
        self.drive(None)

    def test_the_same_on_postgresql(self):
        self.drive(new_database("upstream_e2e"))

    def test_fields_slow_the_fleet_before_it_is_refused(self):
        upstream = self.serve("1:ok", fields=(8, 2))
        installation = self.install(upstream, rate_per_s=1000, burst=10)
        self.fetch_all(installation, 20, paths_each=1)
        lines = [line["type"] for line in installation.call("GET", "/history?limit=1000")["items"]]
        self.assertIn("throttle.blocked", lines)
        # Six slots may have been on their way when the first answer said how little is left.
        spans = sorted(request["at"] for request in upstream.requests)
        self.assertGreater(spans[-1] - spans[0], 2)


if __name__ == "__main__":
    unittest.main()
