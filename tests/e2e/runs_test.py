"""Runs as operators and programs see them."""
import unittest

from rig import Node


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node("--settle-cap", "3")
        cls.node.tenant("acme")
        cls.node.tenant("other")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def setUp(self):
        self.type = "t." + self.id().rsplit(".", 1)[1]
        self.node.job_type(self.type, tenant="acme", max_attempts=1)

    def call(self, method, path, body=None, **more):
        return self.node.call(method, path, body, tenant="acme", **more)

    def run_of(self, **needs):
        """A run of jobs by name, each with those it needs: run_of(a="", b="a")."""
        jobs = [{"name": name, "type": self.type, "payload": {"is": name}, "needs": [{"job": need} for need in before.split()]}
                for name, before in needs.items()]
        answer = self.call("POST", "/runs", {"name": "r", "jobs": jobs})
        self.assertEqual(answer.status, 201, answer)
        return answer.json["id"], {job["name"]: job["id"] for job in answer.json["jobs"]}

    def report(self, kind, leases, **report):
        answer = self.node.work(kind, {"worker": "w/1", "reports": [
            {"lease": lease["lease"], "grant": lease["grant"], **report} for lease in leases]})
        self.assertEqual([item["code"] for item in answer.json["results"]], ["ok"] * len(leases))

    def fail(self, leases):
        self.report("fail", leases, **{"class": "broken", "message": "no", "permanent": True})

    def states(self, run):
        return {job["name"]: job["state"] for job in self.node.pages(f"/runs/{run}/jobs", tenant="acme")}

    def wait_for(self, run, states):
        for _ in range(1000):
            if self.states(run) == states:
                return
            self.call("GET", f"/runs/{run}", Prefer="wait=1")
        self.assertEqual(self.states(run), states)

    def test_all_dead_jobs_of_a_run_are_tried_again_at_once(self):
        names = {f"n{i}": "" for i in range(10)} | {"end": "n1 n2 n9"}
        run, _ = self.run_of(**names)
        leases = self.node.claim(self.type, number=20)
        self.fail([lease for lease in leases if lease["name"] != "n5"])
        self.report("complete", [lease for lease in leases if lease["name"] == "n5"])
        self.assertEqual(self.call("GET", f"/runs/{run}", Prefer="wait=20").json["state"], "failed")
        refused = self.node.call("POST", f"/runs/{run}/retry", tenant="other", reason="x")
        self.assertEqual(refused.code, "not_found")
        answer = self.call("POST", f"/runs/{run}/retry", reason="upstream is back", X_Stella_Ticket="OPS-7")
        self.assertEqual((answer.status, answer.json["state"], answer.json["counts"]["dead"]), (200, "active", 0))
        self.wait_for(run, {**{name: "pending" for name in names}, "n5": "succeeded", "end": "blocked"})
        self.report("complete", self.node.claim(self.type, number=20))
        self.report("complete", self.node.claim(self.type, number=20, wait_ms=20000))
        self.assertEqual(self.call("GET", f"/runs/{run}", Prefer="wait=20").json["state"], "succeeded")
        self.assertEqual(self.call("POST", f"/runs/{run}/retry", reason="x").code, "invalid_transition")
        lines = [line["facts"] for line in self.node.history("acme") if line["facts"].get("action") == "run.retry"
                 and line["facts"]["about"] == run]
        self.assertEqual([(line["reason"], line["ticket"], line["code"]) for line in lines],
                         [("upstream is back", "OPS-7", "ok"), ("x", "", "invalid_transition")])

    def test_a_dead_job_after_a_dead_job_is_tried_again_behind_it(self):
        jobs = [{"name": "a", "type": self.type}, {"name": "b", "type": self.type, "needs": [{"job": "a", "on": "always"}]}]
        run = self.call("POST", "/runs", {"jobs": jobs}).json["id"]
        self.fail(self.node.claim(self.type))
        self.fail(self.node.claim(self.type, wait_ms=20000))
        self.wait_for(run, {"a": "dead", "b": "dead"})
        self.assertEqual(self.call("POST", f"/runs/{run}/retry", reason="x").status, 200)
        self.wait_for(run, {"a": "pending", "b": "blocked"})
        self.report("complete", self.node.claim(self.type))
        self.report("complete", self.node.claim(self.type, wait_ms=20000))
        self.wait_for(run, {"a": "succeeded", "b": "succeeded"})


if __name__ == "__main__":
    unittest.main()
