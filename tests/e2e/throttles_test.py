"""Buckets of hosts: what an upstream says slows everybody who asks it; what an operator sets falls away by itself."""
import json
import os
import subprocess
import unittest

from rig import PROGRAM, Node, clean_environment, until

HOST = "feed.example"


class Throttles(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(lambda: self.assertEqual(0, self.node.close()))
        self.node.tenant("acme")
        self.node.job_type("demo", requests_per_job=2, ttl_ms=60000)
        self.source(rate_per_s=10, burst=4)

    def source(self, **more):
        answer = self.call("PUT", "/sources/feed", {"kind": "other", "url": f"https://{HOST}/x", **more}, match="*" if hasattr(self, "made") else None)
        self.assertIn(answer.status, (200, 201), answer)
        self.made = True

    def call(self, method, path, body=None, **more):
        return self.node.call(method, path, body, **{name: value for name, value in {"tenant": "acme", **more}.items() if value is not None})

    def throttle(self):
        return self.call("GET", "/throttles/" + HOST).json

    def set(self, body, **more):
        return self.call("PUT", "/throttles/" + HOST + more.pop("query", ""), body, **{"reason": "test", **more})

    def claim(self, count=1):
        jobs = self.node.submit("acme", *[{"type": "demo", "source": "feed"} for _ in range(count)])
        leases = []
        until(lambda: leases.extend(self.node.claim("demo", number=count)) or len(leases) == count, "all are claimed")
        return leases

    def report(self, how, lease, **more):
        answer = self.node.work(how, {"worker": "w/1", "reports": [{"lease": lease["lease"], "grant": lease["grant"], **more}]})
        self.assertEqual((200, "ok"), (answer.status, answer.json["results"][0]["code"]), answer)

    def beat(self, lease, **more):
        return self.node.work("heartbeat", {"worker": "w/1", "leases": [{"lease": lease["lease"], "grant": lease["grant"], **more}]}).json["results"][0]

    def lines(self, *types):
        return [line for line in self.node.history("acme") if line["type"] in types]

    # --- what the upstream says ---

    def test_a_throttle_blocks_the_host_and_costs_no_attempt(self):
        lease, = self.claim()
        self.assertEqual(2, lease["requests_allowed"])
        self.report("throttled", lease, retry_after_ms=60000)
        seen = self.throttle()
        self.assertEqual(("header", 1, 5, 10), (seen["block"]["origin"], seen["incidents"], seen["rate_per_s"], seen["configured"]["rate_per_s"]))
        self.assertEqual(0, self.call("GET", f"/jobs/{lease['job']}").json["attempts"])
        other, = self.node.submit("acme", {"type": "demo", "source": "feed"})
        told = self.call("GET", f"/jobs/{other}/explain").json
        gate = next(gate for gate in told["gates"] if gate["gate"] == "host")
        self.assertEqual(("refuse", "header", seen["block"]["until"]), (gate["verdict"], gate["numbers"]["origin"], gate["not_before"]))
        self.assertEqual([], self.node.claim("demo"))

    def test_without_a_time_blocks_double_once_an_incident(self):
        self.source(rate_per_s=100, burst=8, block_ms=1500)
        first, second = self.claim(2)
        self.report("throttled", first)
        self.report("throttled", second, retry_after_ms=0)
        self.assertEqual(1, self.throttle()["incidents"])
        until(lambda: self.throttle()["block"] is None, "the block ends")
        self.report("throttled", self.claim()[0])
        penalties = [line["facts"]["penalty_ms"] for line in self.lines("throttle.blocked")]
        self.assertEqual((1500, 3000), (penalties[0], penalties[-1]))

    def test_503_spends_an_attempt_and_halves_the_rate(self):
        lease, = self.claim()
        self.report("fail", lease, **{"class": "http_5xx", "message": "503", "upstream": {"overloaded": True}})
        seen = self.throttle()
        self.assertEqual((5, None, 1), (seen["rate_per_s"], seen["block"], seen["incidents"]))
        self.assertEqual(1, self.call("GET", f"/jobs/{lease['job']}").json["attempts"])

    def test_fields_slow_before_a_refusal(self):
        lease, = self.claim()
        self.beat(lease, upstream={"remaining": 1, "reset_ms": 50000})
        self.assertLess(self.throttle()["limit_seen"]["rate_per_s"], 0.1)
        self.report("complete", lease, requests_used=2, upstream={"remaining": 0, "reset_ms": 50000})
        self.assertEqual("fields", self.throttle()["block"]["origin"])
        for wrong in ({"remaining": -1, "reset_ms": 1}, {"remaining": 1, "reset_ms": 1.5}, {"left": 1}, 7):
            answer = self.node.work("complete", {"worker": "w/1", "reports": [{"lease": lease["lease"], "grant": 1, "upstream": wrong}]})
            self.assertEqual((422, "unprocessable"), (answer.status, answer.code), wrong)

    def test_tokens_come_back_unless_nobody_says(self):
        self.source(rate_per_s=0.001, burst=4)
        first, second = self.claim(2)
        self.assertEqual(0, self.throttle()["tokens"])
        self.report("complete", first, requests_used=0)
        self.assertEqual(2, self.throttle()["tokens"])
        self.report("release", second)
        self.assertEqual(2, self.throttle()["tokens"], "it did not say what it used")

    def test_a_heartbeat_gets_more_and_says_when_to_ask_again(self):
        self.source(rate_per_s=0.5, burst=4)
        lease, = self.claim()
        told = self.beat(lease, requests_wanted=2)
        self.assertEqual((4, 2), (told["requests_allowed"], told["requests_granted"]))
        told = self.beat(lease, requests_wanted=2)
        self.assertEqual(4, told["requests_allowed"])
        self.assertTrue(1000 < told["requests_after_ms"] <= 4001, told)

    # --- operators ---

    def test_an_override_holds_and_falls_away_with_a_line(self):
        self.claim()
        shown = self.set({"rate_per_s": 0.5, "burst": 1, "expires_in_ms": 1500}, query="?dry_run=true").json
        self.assertEqual((10, 0.5), (shown["before"]["rate_per_s"], shown["after"]["rate_per_s"]))
        self.assertEqual([], self.lines("throttle.set"))
        self.assertEqual(10, self.throttle()["rate_per_s"])
        answer = self.set({"rate_per_s": 0.5, "burst": 1, "expires_in_ms": 1500})
        self.assertEqual((200, '"1"', 0.5, 1), (answer.status, answer.headers["ETag"], answer.json["rate_per_s"], answer.json["burst"]))
        self.assertEqual(("test", 0.5), (answer.json["override"]["reason"], answer.json["override"]["rate_per_s"]))
        until(lambda: self.lines("throttle.expired"), "the override's time is over")
        seen = self.throttle()
        self.assertEqual((None, 10, 4, 2), (seen["override"], seen["rate_per_s"], seen["burst"], seen["version"]))

    def test_a_block_stops_and_clearing_it_lets_go(self):
        answer = self.set({"block_ms": 3600000, "expires_in_ms": 3600000})
        self.assertEqual((200, "operator"), (answer.status, answer.json["block"]["origin"]))
        job, = self.node.submit("acme", {"type": "demo", "source": "feed"})
        self.assertEqual([], self.node.claim("demo"))
        self.assertIn("operator", self.call("GET", f"/jobs/{job}/explain").json["summary"])
        self.assertEqual("host_blocked", self.call("GET", f"/jobs/{job}").json["hold"]["reason"])
        cleared = self.call("POST", f"/throttles/{HOST}/clear", {"what": "override"}, reason="over", match='"1"')
        self.assertEqual((200, None), (cleared.status, cleared.json["block"]), cleared)
        lease, = self.node.claim("demo")
        self.report("throttled", lease, retry_after_ms=3600000)
        self.assertEqual("header", self.throttle()["block"]["origin"])
        self.call("POST", f"/throttles/{HOST}/clear", {"what": "block"}, reason="they are back", match='"2"')
        seen = self.throttle()
        self.assertEqual((None, 10), (seen["block"], seen["rate_per_s"]))
        self.assertEqual(["throttle.set", "throttle.cleared", "throttle.cleared"],
                         [line["type"] for line in self.lines("throttle.set", "throttle.cleared")])

    def test_bad_input_changes_nothing_and_names_the_bound(self):
        for body, pointer in (({"rate_per_s": 0, "expires_in_ms": 5000}, "/rate_per_s"), ({"rate_per_s": 2000000, "expires_in_ms": 5000}, "/rate_per_s"),
                              ({"rate_per_s": "1", "expires_in_ms": 5000}, "/rate_per_s"), ({"burst": 0, "expires_in_ms": 5000}, "/burst"),
                              ({"rate_per_s": 1}, "/expires_in_ms"), ({"rate_per_s": 1, "expires_in_ms": 999}, "/expires_in_ms"),
                              ({"rate_per_s": 1, "expires_in_ms": 2592000001}, "/expires_in_ms"),
                              ({"block_ms": 6000, "expires_in_ms": 5000}, "/block_ms"), ({"expires_in_ms": 5000}, "")):
            answer = self.set(body)
            self.assertEqual((422, "unprocessable", pointer), (answer.status, answer.code, answer.json.get("pointer", "")), body)
        self.assertEqual(404, self.call("GET", "/throttles/none.example").status)
        self.assertEqual("not_found", self.call("POST", "/throttles/none.example/clear", {}, reason="x").code)
        self.assertEqual(200, self.set({"burst": 2, "expires_in_ms": 50000}).status)
        self.assertEqual("precondition_required", self.set({"burst": 3, "expires_in_ms": 50000}).code)
        stale = self.set({"burst": 3, "expires_in_ms": 50000}, match='"7"')
        self.assertEqual(("precondition_failed", '"1"'), (stale.code, stale.headers["ETag"]))
        self.assertEqual(2, self.throttle()["burst"])
        for bad, pointer in (({"rate_min_per_s": 20}, "/rate_min_per_s"), ({"rate_max_per_s": 5}, "/rate_max_per_s"),
                             ({"block_ms": 99}, "/block_ms"), ({"block_ms": 5000, "block_max_ms": 4000}, "/block_max_ms")):
            answer = self.call("PUT", "/sources/other", {"kind": "other", "url": f"https://{HOST}/", "rate_per_s": 10, **bad})
            self.assertEqual((422, pointer), (answer.status, answer.json.get("pointer", "")), bad)

    def test_changes_need_the_scope_and_a_reason(self):
        reader = self.node.token("acme", "orch:read", "orch:operate")
        body = {"burst": 2, "expires_in_ms": 50000}
        self.assertEqual("forbidden", self.set(body, token=reader).code)
        self.assertEqual("reason_required", self.set(body, reason=None).code)
        keeper = self.node.token("acme", "orch:quota", "orch:read")
        self.assertEqual(200, self.set(body, token=keeper).status)
        self.assertEqual([HOST], [item["host"] for item in self.call("GET", "/throttles", token=reader).json["items"]])

    def test_figures_and_the_cli(self):
        self.report("throttled", self.claim()[0], retry_after_ms=60000)
        figures = self.node.send("GET", "/metrics", headers={"Authorization": "Bearer " + self.node.admin}).body.decode()
        for line in ('stella_throttle_hosts{state="all"} 1', 'stella_throttle_hosts{state="blocked"} 1', 'stella_throttle_hosts{state="slowed"} 1',
                     'stella_throttle_hosts{state="overridden"} 0', "stella_throttle_incidents_total 1"):
            self.assertIn(line, figures)

        def cli(*words):
            done = subprocess.run([PROGRAM, "orchestrator", *words, "-T", "acme", "--server", f"http://127.0.0.1:{self.node.port}",
                                   "--token-file", os.path.join(self.node.data, "admin.token")],
                                  capture_output=True, text=True, env=clean_environment(), timeout=60)
            self.assertEqual(0, done.returncode, done.stderr)
            return done.stdout
        changes = json.loads(cli("throttles", "set", HOST, "--rate", "0.25", "--for", "2h", "--reason", "slow down", "--dry-run", "-o", "json"))
        self.assertIn({"member": "rate_per_s", "before": 5, "after": 0.25}, changes)
        self.assertIsNone(self.throttle()["override"])
        cli("throttles", "set", HOST, "--rate", "0.25", "--for", "2h", "--reason", "slow down")
        self.assertEqual("slow down", json.loads(cli("throttles", "get", HOST, "-o", "json"))["override"]["reason"])
        self.assertIn(HOST, cli("throttle", "list"))
        cli("throttles", "clear", HOST, "--reason", "they are back")
        self.assertEqual((None, None, 10), (lambda seen: (seen["block"], seen["override"], seen["rate_per_s"]))(self.throttle()))


if __name__ == "__main__":
    unittest.main()
