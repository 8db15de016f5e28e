"""Workers: seen by what they ask, drained and quarantined by operators, in the tenant whose they are; it outlives the node."""
import time
import unittest
from urllib.parse import quote

from rig import Node


class Workers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = node = Node("--worker-note-ms", "100", "--max-workers", "12", "--worker-retention-ms", "1000")
        for tenant in ("acme", "other"):
            node.tenant(tenant)
        node.job_type("demo", ttl_ms=60000)
        node.job_type("brief", ttl_ms=300, max_attempts=3)
        cls.theirs = node.token("acme", "orch:work")
        cls.operator = node.token("acme", "orch:read", "orch:operate")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def register(self, name, token=None, **more):
        body = {"worker": name, "version": "1.2", "slots": 4, "job_types": ["demo", "brief"], **more}
        answer = self.node.call("POST", "/workers/register", body, token=token or self.node.worker)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def get(self, name, **more):
        return self.node.call("GET", "/workers/" + quote(name, safe=""), **more)

    def set(self, name, verb, **more):
        return self.node.call("POST", f"/workers/{quote(name, safe='')}/{verb}", **{"reason": "test", **more})

    def ask(self, name, kind="demo", token=None, wait_ms=0):
        self.claims = getattr(self, "claims", 0) + 1
        return self.node.work("claim", {"claim_id": f"{self.id()}-{self.claims}", "worker": name, "job_types": [kind], "max": 5,
                                        "wait_ms": wait_ms}, token).json

    def test_a_worker_is_known_by_what_it_says(self):
        self.assertEqual(self.register("says/1", clock_ms=1)["worker_state"], "active")
        known = self.get("says/1").json
        self.assertEqual((known["version"], known["slots"], known["job_types"], known["leases"]), ("1.2", 4, ["demo", "brief"], 0))
        self.assertLess(known["clock_offset_ms"], -10**9)
        self.register("says/1", version="1.3")
        self.assertEqual(self.get("says/1").json["version"], "1.3")
        self.assertIn("says/1", [item["name"] for item in self.node.pages("/workers?limit=1")])
        lines = [line["facts"]["version"] for line in self.node.history("system")
                 if line["type"] == "worker.registered" and line["facts"]["name"] == "says/1"]
        self.assertEqual(lines, ["1.2", "1.3"], "a line for each change and no more")

    def test_one_that_only_claims_appears_too(self):
        deadline = time.monotonic() + 30
        self.ask("claims/1")
        seen = self.get("claims/1")
        while seen.status == 404 and time.monotonic() < deadline:
            seen = self.get("claims/1")
        self.assertEqual((seen.status, seen.json["slots"], seen.json["job_types"]), (200, 0, ["demo"]))

    def test_leases_are_counted(self):
        self.register("busy/1")
        self.node.submit("other", *[{"type": "demo"}] * 3)
        leases = self.ask("busy/1")["leases"]
        self.assertEqual(self.get("busy/1").json["leases"], len(leases))
        self.node.work("complete", {"worker": "busy/1", "reports": [{"lease": one["lease"], "grant": one["grant"]} for one in leases]})
        self.assertEqual(self.get("busy/1").json["leases"], 0)

    def test_a_drained_worker_gets_nothing_new_and_is_told(self):
        self.register("drained/1")
        self.node.submit("acme", {"type": "demo"}, {"type": "demo"})
        lease = self.node.work("claim", {"claim_id": "d-1", "worker": "drained/1", "job_types": ["demo"], "max": 1}).json["leases"][0]
        self.assertEqual(self.set("drained/1", "drain", reason=" ").code, "reason_required")
        self.assertEqual((self.set("drained/1", "drain").json["state"], self.get("drained/1").json["reason"]), ("draining", "test"))
        told = self.ask("drained/1", wait_ms=20000)
        self.assertEqual((told["leases"], told["worker_state"]), ([], "draining"), "at once, although it would wait")
        item = {"lease": lease["lease"], "grant": lease["grant"]}
        beat = self.node.work("heartbeat", {"worker": "drained/1", "leases": [item]}).json
        self.assertEqual((beat["results"][0]["code"], beat["worker_state"]), ("ok", "draining"), "what it has goes on")
        self.assertEqual(self.register("drained/1")["worker_state"], "draining")
        self.assertEqual(self.node.work("complete", {"worker": "drained/1", "reports": [item]}).json["results"][0]["code"], "ok")
        self.assertEqual(self.ask("healthy/1")["worker_state"], "active")
        self.node.submit("acme", {"type": "demo"})
        self.set("drained/1", "resume")
        self.assertEqual(len(self.ask("drained/1")["leases"]), 1)
        self.assertEqual(self.get("drained/1").json["reason"], "")

    def test_a_quarantined_worker_keeps_nothing(self):
        self.register("bad/1")
        jobs = self.node.submit("acme", {"type": "brief"}, {"type": "brief"})
        leases = self.ask("bad/1", "brief")["leases"]
        items = [{"lease": one["lease"], "grant": one["grant"]} for one in leases]
        self.set("bad/1", "quarantine")
        beat = self.node.work("heartbeat", {"worker": "bad/1", "leases": items}).json
        self.assertEqual(({result["code"] for result in beat["results"]}, beat["worker_state"]), ({"lease_lost"}, "quarantined"))
        reports = lambda verb, of: [result["code"] for result in self.node.work(verb, {"worker": "bad/1", "reports": of}).json["results"]]
        self.assertEqual(reports("complete", items), ["lease_lost", "lease_lost"], "its results are not taken")
        self.assertEqual(reports("release", items[:1]), ["ok"], "it may give them back")
        done = set()
        while len(done) < 2:
            for lease in self.ask("good/1", "brief", wait_ms=20000)["leases"]:
                self.node.work("complete", {"worker": "good/1", "reports": [{"lease": lease["lease"], "grant": lease["grant"]}]})
                done.add(lease["job"])
        self.assertEqual(sorted(done), sorted(jobs), "the other lapsed by itself")

    def test_a_tenant_has_workers_of_its_own(self):
        self.register("same/1")
        self.register("same/1", token=self.theirs, version="acme's")
        self.assertEqual(self.get("same/1", token=self.operator).json["version"], "acme's")
        self.assertEqual(self.get("same/1", tenant="other").code, "not_found")
        self.assertEqual([item["name"] for item in self.node.pages("/workers", token=self.operator)], ["same/1"])
        self.assertEqual(self.set("says/9", "drain", token=self.operator).code, "not_found", "another's is as one that is not there")
        self.set("same/1", "quarantine", token=self.operator)
        self.node.submit("acme", {"type": "demo"})
        self.assertEqual(self.ask("same/1", token=self.theirs)["worker_state"], "quarantined")
        self.assertEqual(len(self.ask("same/1")["leases"]), 1, "the installation's of that name works on")
        lines = [(line["type"], line["facts"].get("action")) for line in self.node.history("acme")
                 if line["facts"].get("about") == "same/1" or line["type"] == "worker.set"]
        self.assertEqual(lines, [("control.accepted", "worker.quarantine"), ("worker.set", None)])

    def test_it_outlives_the_node(self):
        self.register("kept/1")
        self.set("kept/1", "drain")
        self.node.kill()
        self.node.start()
        self.assertEqual(self.register("kept/1")["worker_state"], "draining")
        self.node.submit("other", {"type": "demo"})
        self.assertEqual(self.ask("kept/1")["leases"], [])
        self.assertEqual(len(self.ask("fresh/1")["leases"]), 1)


class Limits(unittest.TestCase):
    def test_job_types_and_sources_are_bounded(self):
        node = Node("--max-job-types", "2", "--max-sources", "1")
        try:
            node.tenant("acme")
            def put(kind, name, body):
                return node.call("PUT", f"/{kind}/{name}", body, tenant="acme")
            self.assertEqual([put("job-types", name, {}).status for name in ("a", "b")], [201, 201])
            refused = put("job-types", "c", {})
            self.assertEqual((refused.status, refused.code, refused.json["violated-policies"]), (429, "too_many_job_types", ["job-types"]))
            self.assertEqual(put("sources", "s", {"kind": "other"}).status, 201)
            self.assertEqual(put("sources", "t", {"kind": "other"}).code, "too_many_sources")
            node.tenant("other")
            self.assertEqual(node.call("PUT", "/job-types/c", {}, tenant="other").status, 201, "another tenant's room is its own")
        finally:
            self.assertEqual(node.close(), 0)

    def test_workers_are_bounded_and_the_unseen_make_room(self):
        node = Node("--max-workers", "2", "--worker-retention-ms", "1000")
        try:
            def register(name):
                return node.call("POST", "/workers/register", {"worker": name, "version": "1", "slots": 1, "job_types": ["demo"]},
                                 token=node.worker)
            self.assertEqual([register(name).status for name in ("a", "b", "a")], [200, 200, 200])
            node.call("POST", "/workers/b/quarantine", reason="kept for good")
            refused = register("c")
            self.assertEqual((refused.status, refused.code, refused.json["violated-policies"]), (429, "too_many_workers", ["workers"]))
            while register("c").status != 200:
                pass
            self.assertEqual([item["name"] for item in node.pages("/workers")], ["b", "c"])
        finally:
            self.assertEqual(node.close(), 0)


if __name__ == "__main__":
    unittest.main()
