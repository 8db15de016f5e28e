"""What operators and clients do with single jobs: priorities, delays, attempts, waiting for an end."""
import datetime
import threading
import unittest

from rig import Node


class Jobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.node.tenant("acme")
        cls.node.tenant("other")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def setUp(self):
        self.type = "t." + self.id().rsplit(".", 1)[1]
        self.node.job_type(self.type, tenant="acme", max_attempts=2, backoff_base_ms=1, backoff_max_ms=1)

    def submit(self, *jobs, **more):
        return self.node.submit("acme", *[{"type": self.type, **job} for job in jobs], **more)

    def call(self, method, path, body=None, **more):
        return self.node.call(method, path, body, tenant="acme", **more)

    def prioritise(self, job, priority):
        return self.call("POST", f"/jobs/{job}/prioritise", {"priority": priority}, reason="test")

    def finish(self, leases, **report):
        return self.node.work("complete", {"worker": "w/1", "reports": [
            {"lease": lease["lease"], "grant": lease["grant"], **report} for lease in leases]})

    def fail(self, leases, **report):
        return self.node.work("fail", {"worker": "w/1", "reports": [
            {"lease": lease["lease"], "grant": lease["grant"], "class": "broken", "message": "no", **report} for lease in leases]})

    def test_a_waiting_job_is_moved_before_the_others_and_back(self):
        first, second, third = self.submit({}, {}, {})
        moved = self.prioritise(third, 50)
        self.assertEqual((moved.status, moved.json["priority"], moved.json["state"]), (200, 50, "pending"))
        self.assertEqual(self.prioritise(first, -50).status, 200)
        self.assertEqual(self.prioritise(second, 7).status, 200)
        self.assertEqual(self.prioritise(second, 7).json["priority"], 7)
        self.assertEqual([lease["job"] for lease in self.node.claim(self.type)], [third, second, first])

    def test_a_delayed_or_blocked_job_keeps_the_priority_when_its_turn_comes(self):
        run = self.call("POST", "/runs", {"jobs": [
            {"name": "a", "type": self.type}, {"name": "b", "type": self.type, "needs": [{"job": "a"}]},
            {"name": "c", "type": self.type, "needs": [{"job": "a"}]}]}).json
        a, b, c = (job["id"] for job in run["jobs"])
        self.assertEqual(self.prioritise(c, 90).json["state"], "blocked")
        self.finish(self.node.claim(self.type))
        self.assertEqual([lease["job"] for lease in self.node.claim(self.type)], [c, b])
        delayed, = self.submit({"delay_ms": 3600000})
        moved = self.prioritise(delayed, 3).json
        self.assertEqual((moved["priority"], moved["hold"]["reason"]), (3, "delay"))
        self.assertEqual(self.call("POST", f"/jobs/{delayed}/cancel", reason="test").json["priority"], 3)
        self.assertEqual(self.prioritise(a, 1).code, "invalid_transition")

    def test_what_cannot_be_prioritised_changes_nothing(self):
        job, = self.submit({})
        for body, code in (({}, "unprocessable"), ({"priority": 101}, "unprocessable"), ({"priority": "1"}, "unprocessable"),
                           ({"priority": 1, "more": 1}, "unprocessable")):
            self.assertEqual(self.call("POST", f"/jobs/{job}/prioritise", body, reason="x").code, code)
        self.assertEqual(self.call("POST", f"/jobs/{job}/prioritise", {"priority": 1}).code, "reason_required")
        self.assertEqual(self.prioritise("job-999999", 1).code, "not_found")
        theirs = self.node.call("POST", f"/jobs/{job}/prioritise", {"priority": 1}, tenant="other", reason="x")
        self.assertEqual(theirs.code, "not_found")
        self.assertEqual(self.node.job("acme", job)["priority"], 0)
        self.finish(self.node.claim(self.type))

    def test_every_attempt_is_told(self):
        job, = self.submit({})
        self.assertEqual(self.call("GET", f"/jobs/{job}/attempts").json, {"items": [], "next_cursor": None})
        self.fail(self.node.claim(self.type))
        again = self.node.claim(self.type, wait_ms=20000)
        self.fail(again)
        self.assertEqual(self.call("POST", f"/jobs/{job}/retry", reason="x").status, 200)
        self.finish(self.node.claim(self.type))
        told = list(self.node.pages(f"/jobs/{job}/attempts?limit=1", tenant="acme"))
        self.assertEqual([(item["attempt"], item["ending"], item.get("class")) for item in told],
                         [(1, "failed", "broken"), (2, "failed", "broken"), (3, "succeeded", None)])
        self.assertEqual(told[0]["message"], "no")
        self.assertEqual(self.call("GET", "/jobs/job-999999/attempts").code, "not_found")

    def test_not_before_holds_a_job_until_then(self):
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
        text = later.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        job, = self.submit({"not_before": text})
        self.assertEqual(self.node.job("acme", job)["hold"], {"reason": "delay", "until": text})
        past, = self.submit({"not_before": "2020-01-01T00:00:00+01:00"})
        self.assertEqual([lease["job"] for lease in self.node.claim(self.type)], [past])
        run = self.call("POST", "/runs", {"jobs": [{"name": "a", "type": self.type}, {
            "name": "b", "type": self.type, "needs": [{"job": "a"}], "not_before": text}]}).json
        self.finish(self.node.claim(self.type))
        self.assertEqual(self.node.job("acme", run["jobs"][1]["id"])["hold"], {"reason": "delay", "until": text})
        for job in ({"not_before": "tomorrow"}, {"not_before": text, "delay_ms": 1}):
            self.assertEqual(self.call("POST", "/jobs", {"jobs": [{"type": self.type, **job}]}).json["errors"][0]["pointer"],
                             "/jobs/0/not_before")

    def test_a_key_with_not_before_is_the_same_job_again(self):
        jobs = [{"key": self.type, "not_before": "2099-01-01T00:00:00Z"}]
        self.assertEqual(self.submit(*jobs), self.submit(*jobs))

    def test_an_answer_can_wait_for_the_end(self):
        answers = {}

        def ask(name, *words):
            answers[name] = self.call(*words, Prefer="wait=20")

        job, = self.submit({})
        asking = [threading.Thread(target=ask, args=("get", "GET", f"/jobs/{job}")),
                  threading.Thread(target=ask, args=("submit", "POST", "/jobs", {"jobs": [{"type": self.type}, {"type": self.type}]})),
                  ]
        for thread in asking:
            thread.start()
        done = 0
        while done < 3:
            leases = self.node.claim(self.type, wait_ms=20000)
            self.finish(leases)
            done += len(leases)
        for thread in asking:
            thread.join()
        self.assertEqual(answers["get"].json["state"], "succeeded")
        self.assertEqual(answers["get"].headers["Preference-Applied"], "wait=20")
        self.assertEqual([job["state"] for job in answers["submit"].json["jobs"]], ["succeeded"] * 2)

    def test_a_wait_that_is_over_answers_as_it_is(self):
        job, = self.submit({})
        for wait, applied in (("wait=0", "wait=0"), ("respond-async, wait = 0", "wait=0")):
            answer = self.call("GET", f"/jobs/{job}", Prefer=wait)
            self.assertEqual((answer.json["state"], answer.headers["Preference-Applied"]), ("pending", applied))
        for wait in ("wait", "wait=x", "wait=-1", "return=minimal"):
            self.assertNotIn("Preference-Applied", self.call("GET", f"/jobs/{job}", Prefer=wait).headers)
        made = self.call("POST", "/jobs", {"jobs": [{"type": self.type}]}, Prefer="wait=0")
        self.assertEqual(made.json["jobs"][0]["state"], "pending")

    def listed(self, filters):
        return [job["id"] for job in self.node.pages(f"/jobs?{filters}", tenant="acme")]

    def test_jobs_are_found_by_every_filter(self):
        self.node.call("PUT", "/sources/" + self.type, {"kind": "vex"}, tenant="acme")
        dead, held, first, second, later, other = self.submit(
            {}, {}, {}, {"source": self.type}, {"delay_ms": 3600000}, {"priority": -9})
        lease, kept = self.node.claim(self.type, number=2, worker="w." + self.type)
        self.assertEqual([lease["job"], kept["job"]], [dead, held])
        self.fail([lease], **{"class": "c." + self.type}, permanent=True)
        kind = "type=" + self.type
        self.assertEqual(sorted(self.listed("state=pending&" + kind)), sorted([first, second, later, other]))
        self.assertEqual(self.listed(f"state=pending&source={self.type}"), [second])
        self.assertEqual(self.listed(f"state=pending&{kind}&limit=1"), self.listed("state=pending&" + kind))
        self.assertEqual(self.listed("state=dead&" + kind), [dead])
        self.assertEqual(self.listed(f"class=c.{self.type}"), [dead])
        self.assertEqual(self.listed(f"state=dead&class=c.{self.type}&worker=w.{self.type}"), [dead])
        self.assertEqual(self.listed(f"worker=w.{self.type}"), [held])
        self.assertEqual(self.listed(f"state=leased&worker=w.{self.type}"), [held])
        self.assertEqual(self.listed(f"state=running&worker=w.{self.type}"), [])
        since = "submitted_after=" + self.node.job("acme", dead)["submitted_at"]
        self.assertEqual(self.listed(f"{since}&{kind}"), [dead, held, first, second, later, other])
        self.assertEqual(self.listed(f"submitted_before=2020-01-01T00:00:00Z&{kind}"), [])
        self.assertEqual(self.listed("submitted_after=2099-01-01T00:00:00Z"), [])
        self.assertEqual(self.listed(f"{since}&state=succeeded&{kind}"), [])
        run = self.call("POST", "/runs", {"jobs": [{"name": "a", "type": self.type}, {
            "name": "b", "type": self.type, "needs": [{"job": "a"}]}]}).json
        self.assertEqual(self.listed(f"run={run['id']}&state=blocked"), [run["jobs"][1]["id"]])
        self.assertEqual(self.listed(f"state=blocked&{kind}"), [run["jobs"][1]["id"]])
        self.assertEqual(self.node.call("GET", f"/jobs?state=pending&{kind}", tenant="other").json["items"], [])

    def test_filters_that_no_walk_serves_are_refused_with_those_that_are(self):
        for filters in ("type=t", "source=s", "type=t&state=succeeded", "key=k&state=dead", "class=c&state=pending",
                        "worker=w&state=succeeded"):
            answer = self.call("GET", "/jobs?" + filters)
            self.assertEqual((answer.status, answer.code), (400, "unsupported_filter"), filters)
            self.assertIn("supported:", answer.json["detail"])
        for filters in ("state=x", "run=x", "submitted_after=x", "submitted_before=1"):
            self.assertEqual(self.call("GET", "/jobs?" + filters).code, "invalid_request", filters)


class ShortWalks(unittest.TestCase):
    """A page looks at so many jobs and no more; what it did not see comes in the next one."""

    def test_a_page_that_found_little_still_leads_to_the_rest(self):
        node = Node("--list-scan-rows", "100")
        node.tenant("acme")
        for kind in ("rare", "common"):
            node.job_type(kind)
        node.submit("acme", *[{"type": "common"}] * 900)
        rare = node.submit("acme", {"type": "rare"}, {"type": "rare", "delay_ms": 3600000})
        node.submit("acme", *[{"type": "common", "delay_ms": 3600000}] * 500)
        first = node.call("GET", "/jobs?state=pending&type=rare&limit=10", tenant="acme").json
        self.assertLess(len(first["items"]), 2)
        self.assertIsNotNone(first["next_cursor"])
        found = [job["id"] for job in node.pages("/jobs?state=pending&type=rare&limit=10", tenant="acme")]
        self.assertEqual(sorted(found), sorted(rare))
        self.assertEqual(len(list(node.pages("/jobs?state=pending&limit=7", tenant="acme"))), 1402)
        self.assertEqual(node.close(), 0)


if __name__ == "__main__":
    unittest.main()
