"""One action on many jobs: previewed, begun with the token, a record that goes on by itself with one result a job."""
import unittest

from rig import Node, until


class Client:
    def __init__(self, node, tenant="acme"):
        self.node, self.tenant = node, tenant

    def call(self, method, path, body=None, **more):
        return self.node.call(method, path, body, tenant=self.tenant, **more)

    def preview(self, action, filters, **more):
        return self.call("POST", "/jobs/bulk/preview", {"action": action, "filter": filters, **more})

    def apply(self, action, filters, token=None, wait=20, **more):
        token = token or self.preview(action, filters, **more).json["token"]
        return self.call("POST", "/jobs/bulk/apply", {"action": action, "filter": filters, "token": token, **more},
                         reason="test", Prefer=f"wait={wait}")

    def get(self, bulk):
        return self.call("GET", f"/bulk-actions/{bulk}").json

    def ended(self, bulk):
        until(lambda: self.get(bulk)["state"] not in ("storing", "running"), f"{bulk} has ended")
        return self.get(bulk)

    def results(self, bulk, query="limit=1000"):
        return list(self.node.pages(f"/bulk-actions/{bulk}/results?{query}", tenant=self.tenant))

    def listed(self, query):
        return [job["id"] for job in self.node.pages("/jobs?limit=1000&" + query, tenant=self.tenant)]


class Bulk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node("--bulk-tick-jobs", "100", "--list-scan-rows", "100")
        cls.node.tenant("acme")
        cls.node.tenant("other")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def setUp(self):
        self.type = "t." + self.id().rsplit(".", 1)[1]
        self.node.job_type(self.type, tenant="acme", max_attempts=1)
        self.client = Client(self.node)

    def submit(self, *jobs):
        return self.node.submit("acme", *[{"type": self.type, **job} for job in jobs])

    def kill_jobs(self, number):
        leases = self.node.claim(self.type, number=number)
        self.node.work("fail", {"worker": "w/1", "reports": [
            {"lease": lease["lease"], "grant": lease["grant"], "class": "broken", "message": "no", "permanent": True} for lease in leases]})

    def test_what_was_previewed_is_done_to_exactly_those_jobs(self):
        jobs = self.submit(*[{}] * 600)
        here = {"state": "pending", "type": self.type}
        seen = self.client.preview("prioritise", here, priority=5).json
        self.assertEqual((600, jobs[:10]), (seen["count"], seen["sample"]))
        done = self.client.apply("prioritise", here, priority=5, token=seen["token"])
        self.assertEqual((200, "done", 600, 600, 600, 0, 5), (done.status, *(done.json[name] for name in (
            "state", "matched", "done", "changed", "refused", "priority"))), done)
        self.assertEqual(here, done.json["filter"])
        self.assertEqual([{"id": job, "outcome": "changed"} for job in jobs], self.client.results(done.json["id"], "limit=70"))
        self.assertEqual({5}, {job["priority"] for job in self.node.pages("/jobs?state=pending&type=" + self.type, tenant="acme")})
        again = self.client.apply("prioritise", here, priority=5).json
        self.assertEqual((0, 600), (again["changed"], again["already"]))

    def test_a_token_holds_for_the_jobs_that_it_saw(self):
        jobs = self.submit({}, {})
        here = {"state": "pending", "type": self.type}
        token = self.client.preview("cancel", here).json["token"]
        self.submit({})
        late = self.client.apply("cancel", here, token=token)
        self.assertEqual((409, "conflict"), (late.status, late.code))
        self.assertEqual("pending", self.node.job("acme", jobs[0])["state"])
        self.assertEqual(3, self.client.apply("cancel", here).json["changed"])
        self.assertEqual(0, self.client.preview("cancel", here).json["count"])

    def test_a_token_sent_again_leads_to_the_same_record(self):
        self.submit({}, {}, {})
        self.kill_jobs(3)
        dead = {"state": "dead", "type": self.type}
        token = self.client.preview("replay", dead).json["token"]
        first = self.client.apply("replay", dead, token=token).json
        self.assertEqual(first, self.client.apply("replay", dead, token=token).json)
        self.assertEqual(3, len(self.client.listed("state=pending&type=" + self.type)))
        made = [result["made"] for result in self.client.results(first["id"])]
        self.assertEqual(sorted(self.client.listed("state=pending&type=" + self.type)), sorted(made))
        anew = self.client.apply("replay", dead).json
        self.assertNotEqual(first["id"], anew["id"])
        self.assertEqual(6, len(self.client.listed("state=pending&type=" + self.type)))

    def test_without_a_state_those_are_meant_that_the_action_is_for(self):
        jobs = self.submit(*[{}] * 5)
        self.kill_jobs(2)
        held = self.node.claim(self.type, number=1)[0]
        everything = {"type": self.type}
        self.assertEqual(3, self.client.preview("cancel", everything).json["count"])
        self.assertEqual(2, self.client.preview("prioritise", everything, priority=1).json["count"])
        self.assertEqual(2, self.client.preview("replay", everything).json["count"])
        retried = self.client.apply("retry", everything).json
        self.assertEqual((2, 2), (retried["matched"], retried["changed"]))
        self.assertEqual(jobs[:2], sorted(result["id"] for result in self.client.results(retried["id"])))
        self.assertEqual(1, self.client.preview("cancel", {"worker": "w/1", "type": self.type}).json["count"])
        self.assertEqual(5, self.client.apply("cancel", everything).json["changed"])
        self.assertTrue(self.node.job("acme", held["job"])["id"])

    def test_a_refusal_is_one_jobs_own(self):
        self.submit({}, {})
        self.kill_jobs(1)
        answer = self.client.apply("retry", {"state": "pending", "type": self.type}).json
        self.assertEqual((0, 1, 0), (answer["changed"], answer["already"], answer["refused"]))
        answer = self.client.apply("prioritise", {"state": "dead", "type": self.type}, priority=3).json
        self.assertEqual((0, 0, 1), (answer["changed"], answer["already"], answer["refused"]))
        refused, = self.client.results(answer["id"], "outcome=refused")
        self.assertEqual(("refused", "invalid_transition"), (refused["outcome"], refused["code"]))
        self.assertTrue(refused["title"])
        self.assertEqual([], self.client.results(answer["id"], "outcome=changed"))

    def test_a_token_is_for_one_action_filter_and_tenant(self):
        self.submit({})
        here = {"state": "pending", "type": self.type}
        token = self.client.preview("cancel", here).json["token"]
        other = Client(self.node, "other")
        body = {"action": "cancel", "filter": here, "token": token}
        wrong = ((self.client.apply("retry", here, token=token), "unprocessable"),
                 (self.client.apply("cancel", {"state": "pending"}, token=token), "unprocessable"),
                 (self.client.apply("cancel", here, token=token + "x"), "unprocessable"),
                 (self.client.call("POST", "/jobs/bulk/apply", body), "reason_required"),
                 (self.client.preview("cancel", {}), "unprocessable"),
                 (self.client.preview("cancel", here, priority=1), "unprocessable"),
                 (self.client.preview("prioritise", here), "unprocessable"),
                 (self.client.preview("delete", here), "unprocessable"),
                 (self.client.preview("cancel", {"colour": "t"}), "unprocessable"),
                 (other.apply("cancel", here, token=token), "unprocessable"))
        for answer, code in wrong:
            self.assertEqual(code, answer.code, answer)
        self.assertEqual(1, len(self.client.listed("state=pending&type=" + self.type)))

    def test_records_are_listed_and_are_the_tenants_own(self):
        self.submit({})
        first = self.client.apply("cancel", {"type": self.type}).json["id"]
        self.submit({})
        second = self.client.apply("cancel", {"type": self.type}).json["id"]
        self.assertEqual([second, first], [item["id"] for item in self.client.call("GET", "/bulk-actions?limit=2").json["items"]])
        whole = [item["id"] for item in self.node.pages("/bulk-actions?limit=1", tenant="acme")]
        self.assertEqual([second, first], whole[:2])
        other = Client(self.node, "other")
        self.assertEqual([], other.call("GET", "/bulk-actions").json["items"])
        for path in (f"/bulk-actions/{first}", f"/bulk-actions/{first}/results", "/bulk-actions/bulk-999999", "/bulk-actions/x"):
            self.assertEqual("not_found", other.call("GET", path).code)
        self.assertEqual("not_found", other.call("POST", f"/bulk-actions/{first}/cancel", reason="x").code)
        self.assertEqual("invalid_transition", self.client.call("POST", f"/bulk-actions/{first}/cancel", reason="x").code)


class Slow(unittest.TestCase):
    """One job a tick, so that there is time to look at an action under way."""

    def setUp(self):
        self.node = Node("--bulk-tick-jobs", "1", "--bulk-active", "1", "--bulk-kept", "3")
        self.node.tenant("acme")
        self.node.job_type("t", tenant="acme")
        self.client = Client(self.node)

    def tearDown(self):
        self.assertEqual(0, self.node.close())

    def test_one_that_runs_is_shown_bounded_and_canceled(self):
        self.node.submit("acme", *[{"type": "t"}] * 1000)
        begun = self.client.call("POST", "/jobs/bulk/apply", {"action": "cancel", "filter": {"type": "t"}, "token": self.client.preview(
            "cancel", {"type": "t"}).json["token"]}, reason="test", ticket="OPS-1")
        self.assertEqual(202, begun.status)
        path = begun.headers["Location"]
        self.assertEqual("/api/v1/bulk-actions/" + begun.json["id"], path)
        until(lambda: self.client.get("bulk-1")["done"] > 0, "it goes on")
        shown = self.client.get("bulk-1")
        if shown["state"] == "running":
            self.assertIn("estimated_rest_ms", shown)
        second = self.client.apply("retry", {"state": "canceled"}, wait=0)
        self.assertIn(second.code, ("too_many_bulk_actions", "conflict"))
        canceled = self.client.call("POST", "/bulk-actions/bulk-1/cancel", reason="enough").json
        self.assertEqual("canceled", canceled["state"])
        self.assertLess(canceled["done"], 1000)
        self.assertEqual(canceled["done"], len(self.client.results("bulk-1")))
        self.assertEqual(canceled["done"], len(self.client.listed("state=canceled")))
        accepted = [line["facts"]["action"] for line in self.node.history("acme") if line["type"] == "control.accepted"]
        self.assertEqual(["bulk.start", "bulk.cancel"], accepted)

    def test_only_so_many_records_are_kept(self):
        for _ in range(3):
            self.assertEqual("done", self.client.apply("cancel", {"state": "dead"}).json["state"])
        self.assertEqual("too_many_bulk_actions", self.client.apply("cancel", {"state": "dead"}).code)


class Retention(unittest.TestCase):
    def test_a_record_goes_with_its_results(self):
        node = Node("--bulk-retention-ms", "1000", "--retention-interval-ms", "50")
        node.tenant("acme")
        node.job_type("t", tenant="acme")
        client = Client(node)
        node.submit("acme", *[{"type": "t"}] * 600)
        bulk = client.apply("cancel", {"type": "t"}).json["id"]
        until(lambda: client.call("GET", f"/bulk-actions/{bulk}").status == 404, "the record is gone")
        self.assertEqual("not_found", client.call("GET", f"/bulk-actions/{bulk}/results").code)
        node.submit("acme", {"type": "t"})
        self.assertEqual("bulk-2", client.apply("cancel", {"type": "t"}).json["id"])
        self.assertEqual(0, node.close())


class Killed(unittest.TestCase):
    """Killed in the middle, an action goes on from where it was: nothing twice, nothing left out."""

    def check(self, action, lines, jobs, node, client, bulk):
        record = client.ended(bulk)
        results = client.results(bulk)
        self.assertEqual(("done", len(jobs), len(jobs)), (record["state"], record["done"], record["changed"]))
        self.assertEqual(jobs, [result["id"] for result in results], action)
        done = [line["job"] for line in node.history("acme") if line["type"] == lines]
        self.assertEqual(sorted(jobs), sorted(done))

    def test_it_goes_on_after_kills(self):
        node = Node("--bulk-tick-jobs", "20")
        node.tenant("acme")
        node.job_type("t", tenant="acme")
        client = Client(node)
        jobs = node.submit("acme", *[{"type": "t"}] * 1000) + node.submit("acme", *[{"type": "t"}] * 1000)
        for action, lines in (("cancel", "job.canceled"), ("retry", "job.retried"), ("cancel", None)):
            bulk = client.apply(action, {"type": "t"}, wait=0).json["id"]
            for share in (0, 700):
                until(lambda: client.get(bulk)["done"] > share, "some are done")
                node.kill()
                node.start()
            if lines:
                self.check(action, lines, jobs, node, client, bulk)
        self.assertEqual(len(jobs), client.ended(bulk)["changed"])
        self.assertEqual(len(jobs), len(client.listed("state=canceled")))
        self.assertEqual(0, node.close())

    def test_a_run_of_thousands_is_canceled_and_retried_whole(self):
        node = Node("--bulk-tick-jobs", "50")
        node.tenant("acme")
        node.job_type("t", tenant="acme", max_attempts=1)
        client = Client(node)
        made = node.call("POST", "/runs", {"name": "wide", "jobs": [{"name": f"j{i}", "type": "t"} for i in range(2500)]}, tenant="acme").json
        until(lambda: client.call("GET", f"/runs/{made['id']}").json["counts"]["pending"] == 2500, "all may be claimed")
        while leases := node.claim("t", number=250):
            node.work("fail", {"worker": "w/1", "reports": [{"lease": lease["lease"], "grant": lease["grant"], "class": "x", "message": "",
                                                             "permanent": True} for lease in leases]})
        for verb, state in (("retry", "pending"), ("cancel", "canceled")):
            begun = client.call("POST", f"/runs/{made['id']}/{verb}", reason="test")
            self.assertEqual(202, begun.status, begun)
            self.assertEqual((2500, made["id"]), (begun.json["matched"], begun.json["run"]))
            node.kill()
            node.start()
            record = client.ended(begun.json["id"])
            self.assertEqual(("done", 2500, 2500), (record["state"], record["done"], record["changed"]))
            results = [result["id"] for result in client.results(record["id"])]
            self.assertEqual([job["id"] for job in made["jobs"]], results)
            self.assertEqual({state: 2500}, {name: n for name, n in client.call("GET", f"/runs/{made['id']}").json["counts"].items() if n})
        self.assertEqual(0, node.close())


if __name__ == "__main__":
    unittest.main()
