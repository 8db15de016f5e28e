"""Runs as operators and programs see them."""
import threading
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
        self.assertEqual((answer.status, answer.json["run"], answer.json["matched"]), (202, run, 9), answer)  # More than settle_cap.
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

    def test_a_submit_waits_for_the_end_of_the_run(self):
        jobs = {"jobs": [{"name": "a", "type": self.type}, {"name": "b", "type": self.type, "needs": [{"job": "a"}]}]}
        made = []
        waiting = threading.Thread(target=lambda: made.append(self.call("POST", "/runs", jobs, key="waits", Prefer="respond-async, wait=20")))
        waiting.start()
        for _ in jobs["jobs"]:
            self.report("complete", self.node.claim(self.type, wait_ms=20000))
        waiting.join()
        self.assertEqual((made[0].status, made[0].headers["Preference-Applied"], made[0].json["state"]), (201, "wait=20", "succeeded"))
        self.assertEqual([job["state"] for job in made[0].json["jobs"]], ["succeeded", "succeeded"])
        again = self.call("POST", "/runs", jobs, key="waits")
        self.assertEqual((again.json["id"], again.json["state"], again.json["jobs"]), (made[0].json["id"], "succeeded", made[0].json["jobs"]))
        early = self.call("POST", "/runs", jobs, Prefer="wait=0")
        self.assertEqual((early.headers["Preference-Applied"], early.json["state"]), ("wait=0", "active"))
        self.assertEqual([job["state"] for job in early.json["jobs"]], ["pending", "blocked"])
        self.assertNotIn("Preference-Applied", self.call("POST", "/runs", jobs).headers)

    def test_a_run_tells_its_longest_path_and_its_timeline(self):
        run, jobs = self.run_of(a="", b="a", c="a", d="b c")
        self.assertEqual([item["duration_ms"] for item in self.call("GET", f"/runs/{run}/critical-path").json["items"]], [0])
        lease, = self.node.claim(self.type)
        counts = self.call("GET", f"/runs/{run}").json["counts"]
        self.assertEqual((counts["leased"], counts["running"]), (1, 0))
        self.node.work("heartbeat", {"worker": "w/1", "leases": [{"lease": lease["lease"], "grant": 1}]})
        self.assertEqual(self.call("GET", f"/runs/{run}").json["counts"]["running"], 1)
        self.report("complete", [lease])
        leases = self.node.claim(self.type, number=2)
        self.fail([lease for lease in leases if lease["name"] == "b"])
        self.report("complete", [lease for lease in leases if lease["name"] == "c"])
        self.assertEqual(self.call("GET", f"/runs/{run}", Prefer="wait=20").json["state"], "failed")
        self.call("POST", f"/runs/{run}/retry", reason="x")
        self.report("complete", self.node.claim(self.type, wait_ms=20000))
        self.report("complete", self.node.claim(self.type, wait_ms=20000))
        self.assertEqual(self.call("GET", f"/runs/{run}", Prefer="wait=20").json["state"], "succeeded")
        path = self.call("GET", f"/runs/{run}/critical-path").json
        self.assertEqual([item["id"] for item in path["items"]][::2], [jobs["a"], jobs["d"]])
        rows = []
        cursor = ""
        while cursor is not None:
            page = self.call("GET", f"/runs/{run}/timeline?limit=1{cursor}").json
            columns = page["columns"]
            self.assertEqual(len({len(column) for column in columns.values()}), 1)
            rows += zip(columns["name"], columns["attempt"], columns["state"])
            for start, end in zip(columns["start_ms"], columns["end_ms"]):
                self.assertLessEqual(0, start)
                self.assertLessEqual(start, end)
            cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
        self.assertEqual(rows, [("a", 1, "succeeded"), ("b", 1, "failed"), ("b", 2, "succeeded"), ("c", 1, "succeeded"),
                                ("d", 1, "succeeded")])

    def test_jobs_that_have_not_begun_stand_in_the_timeline(self):
        run, _ = self.run_of(a="", b="a")
        columns = self.call("GET", f"/runs/{run}/timeline").json["columns"]
        self.assertEqual((columns["state"], columns["attempt"], columns["start_ms"]), (["pending", "blocked"], [0, 0], [None, None]))

    def test_pages_of_a_graph_give_what_the_whole_gives(self):
        run, _ = self.run_of(a="", b="a", c="a", d="b c", e="a d")
        whole = self.call("GET", f"/runs/{run}/dag").json
        self.assertEqual((len(whole["jobs"]), len(whole["edges"]), whole["next_cursor"]), (5, 6, None))
        for limit in (1, 2, 3, 5, 10, 11):
            jobs, edges, cursor = [], [], ""
            while cursor is not None:
                page = self.call("GET", f"/runs/{run}/dag?limit={limit}{cursor}").json
                self.assertLessEqual(len(page["jobs"]) + len(page["edges"]), limit)
                jobs += page["jobs"]
                edges += page["edges"]
                cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
            self.assertEqual((jobs, edges), (whole["jobs"], whole["edges"]))
        for words in ("dag", "timeline", "critical-path"):
            self.assertEqual(self.call("GET", f"/runs/run-99999/{words}").code, "not_found")
            self.assertEqual(self.node.call("GET", f"/runs/{run}/{words}", tenant="other").code, "not_found")
        self.assertEqual(self.call("GET", f"/runs/{run}/dag?limit=5001").code, "invalid_request")

    def test_a_run_is_replayed_from_a_job_on(self):
        run, _ = self.run_of(a="", b="a", c="b", d="a", e="c d")
        self.report("complete", self.node.claim(self.type))
        self.fail([lease for lease in self.node.claim(self.type, wait_ms=20000) if lease["name"] == "b"])
        refused = self.call("POST", f"/runs/{run}/replay", {"from": "b"}, reason="x")
        self.assertEqual(refused.code, "conflict", refused)  # e needs d, which has not ended.
        held = [job for job in self.states(run).items() if job[1] in ("leased", "running")]
        self.assertEqual([name for name, _ in held], ["d"])
        answer = self.call("POST", f"/runs/{run}/replay", {"from": "c"}, reason="x")
        self.assertEqual(answer.code, "conflict")
        for body, code in (({"from": "nobody"}, "unprocessable"), ({"from": "d"}, "invalid_transition"), ({}, "unprocessable")):
            self.assertEqual(self.call("POST", f"/runs/{run}/replay", body, reason="x").code, code)
        self.assertEqual(self.call("POST", "/runs/run-99999/replay", {"from": "a"}, reason="x").code, "not_found")
        self.assertEqual(self.node.call("POST", f"/runs/{run}/replay", {"from": "a"}, tenant="other", reason="x").code, "not_found")

    def test_a_replayed_run_has_the_same_inputs_and_says_where_it_comes_from(self):
        run, jobs = self.run_of(a="", b="a", c="b", d="a", e="c d")
        while self.call("GET", f"/runs/{run}").json["state"] == "active":
            self.report("complete", self.node.claim(self.type, wait_ms=20000))
        first = self.call("POST", f"/runs/{run}/replay", {"from": jobs["b"]}, reason="new policy", key="replay-" + run)
        self.assertEqual(first.status, 201, first)
        again = self.call("POST", f"/runs/{run}/replay", {"from": jobs["b"]}, reason="new policy", key="replay-" + run)
        self.assertEqual(again.json["id"], first.json["id"])
        made = {job["name"]: job["id"] for job in first.json["jobs"]}
        self.assertEqual(sorted(made), ["b", "c", "e"])
        new = first.json["id"]
        self.assertEqual(self.call("GET", f"/runs/{new}").json["replay_of"], jobs["b"])
        self.assertNotIn("replay_of", self.call("GET", f"/runs/{run}").json)
        edges = self.call("GET", f"/runs/{new}/dag").json["edges"]
        self.assertEqual([(edge["from"], edge["to"]) for edge in edges], [(made["b"], made["c"]), (made["c"], made["e"])])
        for name in "bce":
            lease, = self.node.claim(self.type, wait_ms=20000)
            self.assertEqual((lease["name"], lease["payload"]), (name, {"is": name}))
            self.assertEqual(self.node.job("acme", lease["job"])["replay_of"], jobs[name])
            self.report("complete", [lease])
        self.assertEqual(self.call("GET", f"/runs/{new}", Prefer="wait=20").json["state"], "succeeded")
        line, = [line["facts"] for line in self.node.history("acme") if line["facts"].get("action") == "run.replay"
                 and line["facts"]["about"] == f"{run} from {jobs['b']}"]
        self.assertEqual((line["reason"], line["code"]), ("new policy", "ok"))

    def test_runs_are_listed_by_time_and_state(self):
        runs = [self.run_of(a="")[0] for _ in range(5)]
        at = [self.call("GET", f"/runs/{run}").json["submitted_at"] for run in runs]
        self.assertEqual(sorted(set(at)), at)

        def listed(filters):
            return [run["id"] for run in self.node.pages("/runs?" + filters, tenant="acme")]

        for limit in ("", "&limit=1", "&limit=2"):
            self.assertEqual(listed(f"submitted_after={at[1]}{limit}"), runs[:0:-1])
            self.assertEqual(listed(f"submitted_after={at[1]}&submitted_before={at[4]}{limit}"), runs[3:0:-1])
            self.assertEqual(listed(f"submitted_after={at[1]}&submitted_before={at[4]}&state=active{limit}"), runs[3:0:-1])
            self.assertEqual(listed(f"submitted_before={at[0]}{limit}"), listed("limit=1000")[5:])
        self.assertEqual(listed(f"submitted_after={at[0]}&state=failed"), [])
        self.assertEqual(self.call("GET", "/runs?submitted_after=x").code, "invalid_request")


if __name__ == "__main__":
    unittest.main()
