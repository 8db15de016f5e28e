"""Why a job waits: every gate through the real server; and what the lists say is the same."""
import unittest

from rig import Node, until


class Explain(unittest.TestCase):
    def setUp(self):
        self.node = Node("--worker-seen-ms", "3600000")
        self.node.tenant("acme")
        self.node.job_type("demo")
        self.addCleanup(lambda: self.assertEqual(0, self.node.close()))

    def submit(self, *jobs):
        return self.node.submit("acme", *[{"type": "demo", **job} for job in jobs])

    def call(self, method, path, body=None, **more):
        return self.node.call(method, path, body, tenant="acme", **more)

    def why(self, job):
        """The explanation; what job and list say of it must be the same."""
        answer = self.call("GET", f"/jobs/{job}/explain")
        self.assertEqual(200, answer.status, answer)
        told = answer.json
        seen = self.call("GET", f"/jobs/{job}").json
        listed = [item for item in self.call("GET", "/jobs").json["items"] if item["id"] == job]
        self.assertEqual([told["state"]] * 2, [seen["state"], listed[0]["state"]])
        for hold in (seen.get("hold"), listed[0].get("hold")):
            self.assertEqual(told.get("hold", {}).get("reason"), (hold or {}).get("reason"))
        refusing = [gate for gate in told["gates"] if gate["verdict"] == "refuse"]
        if refusing:
            self.assertEqual(told["hold"]["reason"], refusing[0]["hold"])
        self.assertEqual([gate["gate"] for gate in told["gates"] if gate["verdict"] != "pass"],
                         [free["gate"] for free in told["frees"]])
        return told

    def gate(self, told, name):
        return next(gate for gate in told["gates"] if gate["gate"] == name)

    def free(self, told, name):
        return next(free["to"] for free in told["frees"] if free["gate"] == name)

    def end(self, leases, how="complete", **more):
        return self.node.work(how, {"worker": "w/1", "reports": [
            {"lease": lease["lease"], "grant": lease["grant"], **more} for lease in leases]})

    def until_pending(self, job):
        """Settling goes on in following ticks."""
        until(lambda: self.call("GET", f"/jobs/{job}").json["state"] == "pending", f"{job} is pending")

    def test_a_job_that_nothing_holds_waits_for_a_worker(self):
        job, = self.submit({})
        told = self.why(job)
        self.assertEqual(("queue", "turn", 1), (told["hold"]["reason"], told["frees"][0]["gate"], told["frees"][0]["to"]))
        self.assertIsNone(told["not_before"])

    def test_position_and_the_tenants_limit(self):
        self.call("PATCH", "/tenants/acme", {"max_inflight": 2}, reason="test", match="*")
        jobs = self.submit({}, {}, {}, {"priority": 5})
        told = self.why(jobs[2])
        self.assertEqual((3, 3), (told["position"]["ahead"], told["position"]["ahead_in_lane"]))
        self.assertEqual("later", self.gate(told, "tenant")["verdict"])
        self.assertEqual(2, len(self.node.claim("demo")))
        told = self.why(jobs[2])
        self.assertEqual(("tenant_inflight", 1), (told["hold"]["reason"], told["position"]["ahead"]))
        self.assertEqual({"ahead": 1, "in_use": 2, "limit": 2}, self.gate(told, "tenant")["numbers"])
        self.assertEqual(4, self.free(told, "tenant"))
        self.call("PATCH", "/tenants/acme", {"max_inflight": 4}, reason="test", match="*")
        self.assertIn(jobs[2], [lease["job"] for lease in self.node.claim("demo")])

    def test_the_job_types_limit_and_who_holds_the_other(self):
        self.node.job_type("one", max_inflight=1)
        first, second = self.submit({"type": "one"}, {"type": "one"})
        lease, = self.node.claim("one")
        told = self.why(second)
        self.assertEqual(("type_inflight", "jobs"), (told["hold"]["reason"], self.gate(told, "type")["lifted_by"]))
        held = self.why(first)
        self.assertEqual((lease["grant"], []), (held["lease"]["grant"], held["frees"]))
        self.assertNotIn("hold", held)

    def test_a_source_switched_off_and_its_hosts_tokens(self):
        source = {"kind": "other", "url": "https://feed.example/x", "rate_per_s": 1, "burst": 1}
        self.call("PUT", "/sources/feed", source)
        first, second = self.submit({"source": "feed"}, {"source": "feed"})
        self.assertEqual([first], [lease["job"] for lease in self.node.claim("demo")])
        version = self.call("GET", "/sources/feed").headers["ETag"]
        self.call("PUT", "/sources/feed", {**source, "enabled": False, "rate_per_s": 0.001}, match=version)
        told = self.why(second)
        self.assertEqual("source_disabled", told["hold"]["reason"])
        self.assertIs(True, self.free(told, "source"))
        tokens = self.gate(told, "tokens")["numbers"]
        self.assertEqual((1, 1), (tokens["burst"], tokens["needed"]))

    def test_many_lanes_of_one_type(self):
        for n in range(40):
            self.call("PUT", f"/sources/s{n}", {"kind": "other", "url": f"https://h{n}.example/", "rate_per_s": 1, "burst": 1})
        jobs = self.submit(*[{"source": f"s{n % 40}"} for n in range(80)])
        told = self.why(jobs[45])
        self.assertEqual(("queue", 1, 40), (told["hold"]["reason"], told["position"]["ahead_in_lane"], told["position"]["open_lanes"]))
        # One of each other lane, then its host's tokens are used up.
        self.assertEqual(1 + 39, told["position"]["ahead"])
        started = {lease["job"] for lease in self.node.claim("demo", number=100)}
        self.assertEqual(set(jobs[:40]), started)

    def test_a_delay_tells_its_end(self):
        job, = self.submit({"delay_ms": 3600000})
        told = self.why(job)
        self.assertEqual(("delay", told["not_before"]), (told["hold"]["reason"], told["hold"]["until"]))
        self.assertGreater(told["not_before"], told["as_of"])

    def test_a_backoff_tells_its_end(self):
        self.node.job_type("slow", backoff_base_ms=3600000, backoff_max_ms=3600000)
        job, = self.submit({"type": "slow"})
        self.end(self.node.claim("slow"), "fail", **{"class": "broken", "message": "no"})
        self.assertEqual("backoff", self.why(job)["hold"]["reason"])

    def test_predecessors_that_live_that_died_and_that_are_retried(self):
        run = self.call("POST", "/runs", {"jobs": [
            {"name": "a", "type": "demo"}, {"name": "b", "type": "demo", "needs": [{"job": "a"}]}]}).json
        a, b = (job["id"] for job in run["jobs"])
        told = self.why(b)
        self.assertEqual("predecessors", told["hold"]["reason"])
        self.assertEqual([{"id": a, "on": "success", "state": "pending", "stuck": False}], told["predecessors"]["items"])
        self.end(self.node.claim("demo"), "fail", **{"class": "broken", "message": "no", "permanent": True})
        ended = self.why(b)
        self.assertEqual((a, "blocked"), (ended["ended"]["cause"], ended["ended"]["retry"]))
        self.assertEqual("pending", self.why(a)["ended"]["retry"])
        self.call("POST", f"/jobs/{b}/retry", reason="too early")
        told = self.why(b)
        self.assertEqual(("predecessor_failed", 1), (told["hold"]["reason"], told["predecessors"]["stuck"]))
        self.assertIn(a, told["summary"])
        self.call("POST", f"/jobs/{a}/retry", reason="mended")
        self.assertEqual("predecessors", self.why(b)["hold"]["reason"])
        for job in (a, b):
            self.until_pending(job)
            self.end(self.node.claim("demo"))
        ended = self.why(b)
        self.assertIsNone(ended["ended"]["retry"])

    def test_what_holds_a_run_up(self):
        self.node.job_type("one", max_inflight=1)
        run = self.call("POST", "/runs", {"jobs": [
            *[{"name": f"r{n}", "type": "one"} for n in range(8)],
            *[{"name": f"s{n}", "type": "demo", "needs": [{"job": f"r{n}"}]} for n in range(8)]]}).json
        ids = [job["id"] for job in run["jobs"]]
        lease, = self.node.claim("one", number=5)
        told = self.call("GET", f"/runs/{run['id']}/explain").json
        self.assertEqual([("type_inflight", 7), ("predecessors", 8)],
                         [(reason["reason"], reason["count"]) for reason in told["reasons"]])
        self.assertEqual(ids[1:6], told["reasons"][0]["jobs"])
        self.assertEqual(({"count": 1, "jobs": ids[:1]}, 16, False), (told["working"], told["total"], told["is_partial"]))
        self.end([lease], "fail", **{"class": "broken", "message": "no", "permanent": True})
        told = self.call("GET", f"/runs/{run['id']}/explain").json
        self.assertEqual({"count": 1, "jobs": ids[:1]}, told["dead"])
        self.assertEqual("queue", told["reasons"][0]["reason"])
        for other in ("run-99", "x", "job-1"):
            self.assertEqual("not_found", self.call("GET", f"/runs/{other}/explain").code)

    def test_what_is_not_there_or_another_tenants_is_not_found(self):
        self.node.tenant("other")
        theirs, = self.node.submit("other", {"type": "demo"})
        for job in (theirs, "job-99", "x", "job-0", "job-99999999999999999999"):
            self.assertEqual("not_found", self.call("GET", f"/jobs/{job}/explain").code)
        self.assertEqual("invalid_request", self.call("GET", f"/jobs/{theirs}/explain?x=1").code)


class NoWorker(unittest.TestCase):
    def test_a_type_that_nobody_asks_for(self):
        node = Node("--worker-seen-ms", "1")
        try:
            node.tenant("acme")
            node.job_type("demo")
            job, = node.submit("acme", {"type": "demo"})
            told = node.call("GET", f"/jobs/{job}/explain", tenant="acme").json
            self.assertEqual(("no_worker", ["worker", "turn"]),
                             (told["hold"]["reason"], [free["gate"] for free in told["frees"]]))
            self.assertEqual("no_worker", node.call("GET", f"/jobs/{job}", tenant="acme").json["hold"]["reason"])
        finally:
            self.assertEqual(0, node.close())


if __name__ == "__main__":
    unittest.main()
