"""Whole feeds through the real orchestrator and the real workers, on both backends.

The small feed lies in examples/feeds with its findings in tests/producers; the real one in
../shared/data with expected-matches.json, where that folder exists.
"""

import hashlib
import json
import os
import tempfile
import threading
import unittest
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from installation import ROOT, Installation, new_database

EXAMPLES = os.path.join(ROOT, "examples", "feeds")
EXAMPLE_FINDINGS = os.path.join(ROOT, "tests", "producers", "examples-findings.jsonl")
SHARED = os.path.realpath(os.path.join(ROOT, "..", "shared", "data"))
ROWS = os.path.join(SHARED, "expected-matches.json")


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def expected_rows():
    with open(ROWS) as file:
        rows = json.load(file)["rows"]
    return {(row["sbom"], row["component"], row["advisory"]):
            {"affected": row["affected"], "fixed": row.get("fixed"), "cve": row.get("cve"),
             "vex": (row.get("vex") or {}).get("status"), "verdict": verdict(row)} for row in rows}


def verdict(row):
    """The shipped policy, stated once more, independently."""
    if row["affected"] == "no":
        return "pass"
    if (row.get("vex") or {}).get("status") in ("not_affected", "fixed"):
        return "suppressed"
    if row["affected"] == "unknown" or row.get("informational"):
        return "warn"
    return "fail"


def found_rows(findings):
    rows = {}
    for line in findings.splitlines():
        row = json.loads(line)
        rows[row["sbom"], row["component"], row["advisory"]] = {
            "affected": row["affected"], "fixed": row["fixed"], "cve": row["cve"],
            "vex": (row["vex"] or {}).get("status"), "verdict": row["verdict"]}
    return rows


class Upstream(SimpleHTTPRequestHandler):
    """The example feed over HTTP: with ETags; every fifth request is refused for load, every
    seventh is cut in the middle."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    lock = threading.Lock()
    requests = unchanged = 0

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        with Upstream.lock:
            Upstream.requests += 1
            turn = Upstream.requests
        if turn % 5 == 0:
            self.send_response(429)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with open(self.translate_path(self.path), "rb") as file:
            body = file.read()
        tag = '"%s"' % hashlib.sha256(body).hexdigest()
        unchanged = self.headers["If-None-Match"] == tag
        with Upstream.lock:
            Upstream.unchanged += unchanged
        self.send_response(304 if unchanged else 200)
        self.send_header("ETag", tag)
        if not unchanged:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if unchanged:
            return
        if turn % 7 == 0:
            body = body[:len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)


class FeedTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.installations = []

    def tearDown(self):
        try:
            for installation in self.installations:
                installation.close()
        finally:
            self.folder.cleanup()

    def install(self, name, roots, **more):
        folder = os.path.join(self.folder.name, name)
        os.makedirs(folder)
        self.installations.append(Installation(folder, roots, **more))
        return self.installations[-1]

    def out(self, name):
        return os.path.join(self.folder.name, "out-" + name)

    def test_the_example_feed_gives_its_findings_on_both_backends(self):
        for name, database in (("sqlite", None), ("postgres", new_database("pipeline_examples"))):
            installation = self.install(name, [EXAMPLES], database=database)
            said = installation.pipeline(EXAMPLES, self.out(name), "--batch", "4")
            self.assertIn("documents    read ", said)
            self.assertEqual(read(self.out(name), "findings.jsonl"), read(EXAMPLE_FINDINGS), name)

    def test_a_run_survives_workers_and_a_server_that_die(self):
        installation = self.install("sqlite", [EXAMPLES])
        for job_type in ("advisory.ingest", "vex.ingest", "sbom.ingest", "policy.evaluate",
                         "policy.merge"):
            installation.call("PUT", "/job-types/" + job_type,
                              {"ttl_ms": 1000, "max_attempts": 100, "backoff_base_ms": 10,
                               "backoff_max_ms": 100})
        pipeline = installation.start_pipeline(EXAMPLES, self.out("deaths"), "--batch", "1")
        for round_ in range(3):
            for name in list(installation.workers):
                installation.kill_worker(name)
            installation.kill_server()
        installation.restart_server()
        said, complained = pipeline.communicate(timeout=300)
        self.assertEqual(pipeline.returncode, 0, complained)
        self.assertEqual(read(self.out("deaths"), "findings.jsonl"), read(EXAMPLE_FINDINGS))

    def set_patience(self, installation):
        for job_type in ("advisory.ingest", "vex.ingest", "sbom.ingest"):
            installation.call("PUT", "/job-types/" + job_type,
                              {"max_attempts": 100, "backoff_base_ms": 10, "backoff_max_ms": 100})

    def test_a_feed_over_http_survives_throttles_and_cut_answers(self):
        handler = lambda *arguments: Upstream(*arguments, directory=EXAMPLES)
        upstream = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        upstream.handle_error = lambda *arguments: None  # Clients that go away are part of it.
        thread = threading.Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            cache = os.path.join(self.folder.name, "cache")
            os.makedirs(cache)
            installation = self.install("sqlite", [], flags=("--allow-private", "--cache", cache))
            self.set_patience(installation)
            flags = ("--batch", "3", "--source-url",
                     "http://127.0.0.1:%d" % upstream.server_port)
            for name in ("first", "second"):
                installation.pipeline(EXAMPLES, self.out(name), *flags)
                self.assertEqual(read(self.out(name), "findings.jsonl"), read(EXAMPLE_FINDINGS))
            self.assertGreater(Upstream.unchanged, 20)
        finally:
            upstream.shutdown()
            thread.join()
            upstream.server_close()

    if os.path.exists(ROWS):  # Where the large feed does not lie beside this clone there is no such test.
        def test_the_real_feed_gives_the_expected_rows_on_both_backends(self):
            findings = {}
            for name, database in (("sqlite", None), ("postgres", new_database("pipeline_real"))):
                installation = self.install(name, [SHARED], database=database)
                installation.pipeline(SHARED, self.out(name))
                findings[name] = read(self.out(name), "findings.jsonl")
            again = self.out("again")
            self.installations[0].pipeline(SHARED, again, "--batch", "40", "--sbom-batch", "1")
            self.maxDiff = None
            self.assertEqual(found_rows(findings["sqlite"]), expected_rows())
            self.assertEqual(len(findings["sqlite"].splitlines()), len(expected_rows()))
            self.assertEqual(findings["sqlite"], findings["postgres"])
            self.assertEqual(findings["sqlite"], read(again, "findings.jsonl"))
            for name in ("summary.json", "outcomes.jsonl"):
                self.assertEqual(read(self.out("sqlite"), name), read(self.out("postgres"), name))


if __name__ == "__main__":
    unittest.main()
