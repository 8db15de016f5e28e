"""What a handler logs: kept once, fenced by its grant, bounded, read by its tenant alone."""
import json
import unittest

from rig import Node


def lines(*texts, first=0, level="info"):
    return {"first": first, "lines": [{"level": level, "text": text, "ago_ms": 5} for text in texts]}


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node("--log-attempt-bytes", "20000")
        cls.node.tenant("acme")
        cls.node.tenant("other")
        cls.node.job_type("demo", max_attempts=5, backoff_base_ms=0, backoff_max_ms=0, ttl_ms=60000)

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def lease(self):
        self.node.submit("acme", {"type": "demo"})
        return self.node.claim("demo", number=1)[0]

    def beat(self, lease, log, grant=None):
        answer = self.node.work("heartbeat", {"worker": "w/1", "leases": [
            {"lease": lease["lease"], "grant": grant or lease["grant"], "log": log}]})
        self.assertEqual(answer.status, 200, answer)
        return answer.json["results"][0]["code"]

    def report(self, lease, verb="complete", grant=None, **more):
        answer = self.node.work(verb, {"worker": "w/1", "reports": [
            {"lease": lease["lease"], "grant": grant or lease["grant"], **more}]})
        self.assertEqual(answer.status, 200, answer)
        return answer.json["results"][0]["code"]

    def logs(self, lease, query="", **more):
        answer = self.node.call("GET", f"/jobs/{lease['job']}/logs{query}", tenant="acme", **more)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def texts(self, lease, query=""):
        return [line["text"] for line in self.logs(lease, query)["items"]]

    def test_lines_come_with_heartbeats_and_the_report(self):
        lease = self.lease()
        self.assertEqual(self.beat(lease, lines("one", "two")), "ok")
        running = self.logs(lease)
        self.assertEqual((running["attempt"], running["complete"], running["state"]), (1, False, "running"))
        self.assertEqual([(line["n"], line["level"], line["text"]) for line in running["items"]],
                         [(1, "info", "one"), (2, "info", "two")])
        self.assertEqual(self.report(lease, log=lines("three", first=2, level="warning")), "ok")
        ended = self.logs(lease, "?after=2")
        self.assertEqual((ended["complete"], ended["state"], ended["next_after"]), (True, "succeeded", 3))
        self.assertEqual(self.texts(lease), ["one", "two", "three"])
        self.assertEqual(self.texts(lease, "?level=warning"), ["three"])
        self.assertEqual(self.texts(lease, "?limit=1&after=1"), ["two"])

    def test_a_batch_sent_again_is_kept_once(self):
        lease = self.lease()
        for batch in (lines("a", "b"), lines("a", "b"), lines("a", "b", "c"), lines("c", "d", first=2)):
            self.assertEqual(self.beat(lease, batch), "ok")
        self.assertEqual(self.texts(lease), ["a", "b", "c", "d"])

    def test_a_stale_grant_logs_nothing_and_harms_nothing(self):
        lease = self.lease()
        self.beat(lease, lines("first attempt"))
        self.report(lease, "fail", log=lines("it failed", first=1), **{"class": "x", "message": "m"})
        again = self.node.claim("demo", number=1, wait_ms=10000)[0]
        self.assertEqual((again["job"], again["grant"]), (lease["job"], 2))
        self.assertEqual(self.beat(lease, lines("from the dead", first=2)), "lease_lost")
        self.assertEqual(self.report(lease, log=lines("still dead", first=2)), "result_conflict")
        self.beat(again, lines("second attempt"))
        self.assertEqual(self.texts(lease), ["second attempt"])
        self.assertEqual(self.texts(lease, "?attempt=1"), ["first attempt", "it failed"])
        self.assertTrue(self.logs(lease, "?attempt=1")["complete"])
        self.report(again)

    def test_an_attempt_keeps_so_much_and_says_where_it_was_cut(self):
        lease = self.lease()
        for n in range(5):
            self.assertEqual(self.beat(lease, lines("x" * 8000, first=n)), "ok")
        got = self.logs(lease)["items"]
        self.assertEqual([line.get("cut", False) for line in got], [False, False, True])
        self.assertEqual(self.report(lease, log=lines("late", first=5)), "ok")
        self.assertEqual(len(self.logs(lease)["items"]), 3)
        self.assertEqual(self.logs(lease, f"?after={got[-1]['n']}")["items"], [])

    def test_forms(self):
        lease = self.lease()
        self.beat(lease, lines("plain\ttext", "é \u2028"))
        as_lines = self.node.call("GET", f"/jobs/{lease['job']}/logs", tenant="acme", Accept="application/x-ndjson")
        self.assertEqual(as_lines.headers["Content-Type"], "application/x-ndjson")
        self.assertEqual(as_lines.headers["X-Stella-Next-After"], "2")
        self.assertEqual([json.loads(line)["text"] for line in as_lines.body.decode().split("\n")[:-1]], ["plain\ttext", "é \u2028"])
        as_text = self.node.call("GET", f"/jobs/{lease['job']}/logs", tenant="acme", Accept="text/plain")
        self.assertRegex(as_text.body.decode(), r"^\d{4}-[^ ]*Z info    plain\ttext\n")
        self.report(lease)

    def test_a_follower_gets_the_next_line_and_the_end(self):
        lease = self.lease()
        self.beat(lease, lines("one"))
        self.assertEqual(self.logs(lease, "?after=1&wait_ms=50")["items"], [])
        preferred = self.node.call("GET", f"/jobs/{lease['job']}/logs?after=0", tenant="acme", Prefer="wait=1")
        self.assertEqual(preferred.headers["Preference-Applied"], "wait=1")
        self.report(lease, log=lines("two", first=1))
        self.assertEqual(self.texts(lease, "?after=1&wait_ms=20000"), ["two"])
        self.assertTrue(self.logs(lease, "?after=2&wait_ms=20000")["complete"], "nothing to wait for")

    def test_bad_batches_are_refused_whole(self):
        lease = self.lease()
        for log in ({}, {"first": -1, "lines": []}, {"first": 0, "lines": [{"level": "info"}]}, {"first": 0, "lines": [{"text": 1}]},
                    {"first": 0, "lines": [{"text": "x" * 8193}]}, {"first": 0, "lines": [{"text": "x", "level": "loud"}]},
                    {"first": 0, "lines": [{"text": "x", "ago_ms": -1}]}, {"first": 0, "lines": [{"text": "x"}] * 1001}, []):
            answer = self.node.work("heartbeat", {"worker": "w/1", "leases": [{"lease": lease["lease"], "grant": 1, "log": log}]})
            self.assertEqual((answer.status, answer.code), (422, "unprocessable"), log)
        self.assertEqual(self.logs(lease)["items"], [])
        self.report(lease)

    def test_only_its_tenant_and_a_reader_see_them(self):
        lease = self.lease()
        self.beat(lease, lines("private"))
        path = f"/jobs/{lease['job']}/logs"
        nobody = self.node.call("GET", "/jobs/job-99999/logs", tenant="acme", X_Request_Id="same")
        seen = self.node.call("GET", path, token=self.node.token("other", "orch:read"), X_Request_Id="same")
        self.assertEqual((seen.status, seen.body), (404, nobody.body), "another's and none are the same")
        worker = self.node.call("GET", path, token=self.node.token("acme", "orch:work"))
        self.assertEqual((worker.status, worker.code), (403, "forbidden"))
        self.assertEqual(self.node.call("GET", path, token=self.node.token("acme", "orch:read")).status, 200)
        self.report(lease)

    def test_what_another_tenant_logs_changes_nothing(self):
        """Two worlds: the same log is read byte for byte the same beside a loud neighbour."""
        def world(loud):
            node = Node("--log-tenant-bytes", "4000")
            try:
                node.tenant("acme")
                node.tenant("loud")
                node.job_type("demo", ttl_ms=60000)
                if loud:
                    node.submit("loud", {"type": "demo"}, {"type": "demo"})
                    for lease in node.claim("demo", number=2):
                        node.work("heartbeat", {"worker": "w/1", "leases": [
                            {"lease": lease["lease"], "grant": 1, "log": lines("theirs" * 300, "more" * 300)}]})
                node.submit("acme", {"type": "demo"})
                lease = node.claim("demo", number=1)[0]
                node.work("heartbeat", {"worker": "w/1", "leases": [
                    {"lease": lease["lease"], "grant": 1, "log": lines("a" * 1900, "b" * 1900)}]})
                got = node.call("GET", f"/jobs/{lease['job']}/logs", tenant="acme").json
                for line in got["items"]:
                    del line["at"]
                return got
            finally:
                self.assertEqual(node.close(), 0)
        self.assertEqual(world(False), world(True))

    def test_history_says_nothing_of_them(self):
        lease = self.lease()
        self.beat(lease, lines("UNIQUE-LINE"))
        self.report(lease)
        self.assertNotIn("UNIQUE-LINE", json.dumps(self.node.history("acme")))


if __name__ == "__main__":
    unittest.main()
