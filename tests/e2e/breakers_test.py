"""Circuit breakers through the real server: a service that is down costs little, is found well again, and a restart changes
nothing. The service is a real HTTP server; what the workers report is what its answers are."""
import http.client
import http.server
import threading
import unittest

from rig import BACKEND, Node, until

# Not tried again within a test; quick to be tried again, so that no test waits long.
LONG = {"open_ms": 600000, "open_max_ms": 600000}
QUICK = {"open_ms": 600, "open_max_ms": 1200, "ramp_ms": 400, "window_ms": 60000, "consecutive_failures": 5}


class Service:
    """A downstream service that can be switched off."""

    def __init__(self):
        self.well = True
        self.asked = 0
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                service.asked += 1
                self.send_response(200 if service.well else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def status(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        finally:
            connection.close()


class Breakers(unittest.TestCase):
    def setUp(self):
        self.service = Service()
        self.addCleanup(self.service.close)
        self.node = Node("--breaker-ask-ms", "200")
        self.addCleanup(lambda: self.assertEqual(0, self.node.close()))
        self.node.tenant("acme")
        self.node.job_type("scan", services=["scanner"], max_attempts=100, backoff_base_ms=0, backoff_max_ms=0)

    def put(self, service="scanner", **parameters):
        answer = self.node.call("PUT", f"/breakers/{service}", {**QUICK, **parameters}, reason="test")
        self.assertEqual(201, answer.status, answer)

    def breaker(self, service="scanner", **more):
        answer = self.node.call("GET", f"/breakers/{service}", **more)
        self.assertEqual(200, answer.status, answer)
        return answer.json

    def state(self):
        """All but what its window shows, from which evidence leaves as time goes on."""
        return {name: value for name, value in self.breaker().items() if name != "evidence"}

    def submit(self, number, kind="scan"):
        return self.node.submit("acme", *[{"type": kind} for _ in range(number)])

    def work(self, worker="w/1", number=1, kind="scan"):
        """Claims, asks the service, reports what it said. How many jobs it had."""
        leases = self.node.claim(kind, worker=worker, number=number)
        for lease in leases:
            self.report(lease, worker, self.service.status() == 200)
        return len(leases)

    def report(self, lease, worker, well, **more):
        told = {"lease": lease["lease"], "grant": lease["grant"], **more}
        if not well and not more:
            told.update({"class": "http_5xx", "message": "the service answered 500"})
        answer = self.node.work("complete" if well else "fail", {"worker": worker, "reports": [told]})
        self.assertEqual(200, answer.status, answer)

    def work_until_open(self):
        """The attempts that it cost."""
        attempts = 0
        while self.breaker()["state"] == "closed":
            attempts += self.work(f"w/{attempts % 2}")
            self.assertLess(attempts, 50)
        return attempts

    def work_until_closed(self):
        def tried():
            self.work("w/1")
            return self.breaker()["state"] == "closed"
        until(tried, "the breaker closes")

    # --- what issue asks for ---

    def test_a_failing_service_costs_few_attempts(self):
        self.put(**LONG)
        jobs = self.submit(30)
        self.service.well = False
        self.assertLessEqual(self.work_until_open(), 10)
        asked = self.service.asked
        self.assertEqual(0, self.work("w/2"))  # Nothing is given out, so nothing is asked of the service.
        self.assertEqual(asked, self.service.asked)
        told = self.node.call("GET", f"/jobs/{jobs[-1]}/explain", tenant="acme").json
        self.assertEqual("breaker_open", told["hold"]["reason"])
        gate = next(gate for gate in told["gates"] if gate["gate"] == "service")
        self.assertEqual(("scanner", "refuse", 5), (gate["service"], gate["verdict"], gate["numbers"]["in_a_row"]))
        self.assertIn("next_probe_at", gate["numbers"])

    def test_a_service_that_is_mended_is_found_well_again_and_no_job_is_lost(self):
        self.put()
        jobs = self.submit(30)
        self.service.well = False
        self.work_until_open()
        self.service.well = True
        self.work_until_closed()

        def all_done():
            self.work("w/2", 100)
            return len(self.node.call("GET", "/jobs?state=succeeded&limit=100", tenant="acme").json["items"]) == 30
        until(all_done, "all jobs are done")
        spent = sum(len(list(self.node.pages(f"/jobs/{job}/attempts", tenant="acme"))) for job in jobs)
        self.assertLessEqual(spent, 30 + 10)

    def test_attempts_that_were_leased_when_it_opened_end_as_they_do(self):
        self.put(**LONG)
        self.submit(20)
        leases = self.node.claim("scan", worker="w/1", number=8)
        self.assertEqual(8, len(leases))
        for lease in leases:
            self.report(lease, "w/1", False)
        self.assertEqual("open", self.breaker()["state"])
        self.assertEqual(0, len(self.node.claim("scan", number=10)))

    def test_it_is_open_after_kill_9_as_it_was_before(self):
        self.put(**LONG)
        self.submit(20)
        self.service.well = False
        self.work_until_open()
        before = self.state()
        self.node.kill()
        self.node.start()
        self.assertEqual(before, self.state())  # The open time goes on, it does not begin anew.
        self.assertEqual(0, self.work())

    def test_it_is_half_open_after_kill_9_as_it_was_before(self):
        self.put(open_ms=300, open_max_ms=300)
        self.submit(20)
        self.service.well = False
        self.work_until_open()
        probes = []
        until(lambda: probes.extend(self.node.claim("scan", number=10)) or probes, "probes are given out")
        before = self.state()
        self.assertEqual(("half_open", len(probes)), (before["state"], before["probes"]["under_way"]))
        self.assertEqual(3, len(probes))
        self.node.kill()
        self.node.start()
        self.assertEqual(before, self.state())
        self.assertEqual([], self.node.claim("scan", number=10))
        for lease in probes[:2]:
            self.report(lease, "w/1", True)
        self.assertEqual("closed", self.breaker()["state"])

    def test_a_probe_whose_worker_is_gone_is_a_failure(self):
        self.node.job_type("brief", tenant="acme", services=["scanner"], ttl_ms=300, max_attempts=100, backoff_base_ms=0, backoff_max_ms=0)
        self.put(probes=1, probe_failures=1, open_ms=300, open_max_ms=300)
        self.submit(8, "brief")
        self.service.well = False
        while self.breaker()["state"] == "closed":
            self.work(kind="brief")
        until(lambda: self.node.claim("brief", number=1), "a probe is given out")
        self.assertEqual("half_open", self.breaker()["state"])
        until(lambda: self.breaker()["state"] == "open", "the probe lapses")

    def test_one_faulty_worker_does_not_trip_the_fleet(self):
        self.put(window_ms=3600000)
        for name in ("good", "faulty"):
            self.node.call("POST", "/workers/register", {"worker": name, "version": "1", "slots": 1, "job_types": ["scan"]},
                           token=self.node.worker)
        self.submit(40)
        for _ in range(12):
            for lease in self.node.claim("scan", worker="faulty", number=1):
                self.report(lease, "faulty", False)
        self.assertEqual("closed", self.breaker()["state"])
        changes = {line["facts"].get("change") for line in self.node.call("GET", "/breakers/scanner/history?limit=1000").json["items"]}
        self.assertIn("suspects", changes)
        for lease in self.node.claim("scan", worker="good", number=1):
            self.report(lease, "good", False)
        self.assertEqual("open", self.breaker()["state"])

    def test_what_is_the_inputs_fault_does_not_count(self):
        self.put()
        self.submit(20)
        for lease in self.node.claim("scan", number=10):
            self.report(lease, "w/1", False, **{"class": "parse_error", "message": "m"})
        for lease in self.node.claim("scan", number=10):
            self.report(lease, "w/1", False, **{"class": "http_4xx", "message": "m", "permanent": True})
        self.assertEqual("closed", self.breaker()["state"])

    def test_a_job_of_several_services_is_held_when_one_is_open(self):
        self.node.job_type("both", services=["attestor", "scanner"])
        self.submit(2, "both")
        self.node.call("POST", "/breakers/attestor/force", {"mode": "forced_open"}, reason="upgrade", **{"X-Stella-Ticket": "T-1"})
        self.assertEqual([], self.node.claim("both"))
        self.node.call("POST", "/breakers/attestor/force", {"mode": "automatic"}, reason="upgraded")
        until(lambda: self.node.claim("both", wait_ms=1000), "the jobs go on")

    def test_each_tenant_can_have_its_own(self):
        self.put(per_tenant=True)
        self.node.tenant("other")
        self.node.submit("other", {"type": "scan"})
        self.submit(10)
        for lease in [lease for _ in range(6) for lease in self.node.claim("scan", number=1)]:
            self.report(lease, "w/1", lease["tenant"] == "other")
        self.assertEqual("open", self.breaker(tenant="acme")["state"])
        self.assertEqual("tenant", self.breaker(tenant="acme")["owner"])
        self.assertEqual("closed", self.breaker(tenant="other")["state"])
        self.assertEqual("closed", self.breaker()["state"])
        token = self.node.token("acme", "orch:quota", "orch:read")
        answer = self.node.call("POST", "/breakers/scanner/reset", token=token, reason="mended")
        self.assertEqual((200, "closed"), (answer.status, answer.json["after"]["state"]))

    def test_two_nodes_together_have_no_more_probes_than_allowed(self):
        other = Node("--breaker-ask-ms", "200", database=self.node.database, folder=self.node.folder)
        self.addCleanup(lambda: self.assertEqual(0, other.stop()))
        self.put(open_ms=300, open_max_ms=300)
        for tenant in ("b", "c", "d"):
            self.node.submit(self.node.tenant(tenant), *[{"type": "scan"}] * 10)
        self.submit(20)
        self.service.well = False
        self.work_until_open()
        for _ in range(5):
            leases = []

            def claim(node, worker):
                until(lambda: leases.extend(node.claim("scan", worker=worker, number=10)) or leases, "probes are given out")
            claimers = [threading.Thread(target=claim, args=((self.node, other)[i % 2], f"w/{i}")) for i in range(8)]
            for claimer in claimers:
                claimer.start()
            for claimer in claimers:
                claimer.join()
            self.assertLessEqual(len(leases), 3)
            for node in (self.node, other):
                self.assertEqual([], node.claim("scan", number=10))
            for number, lease in enumerate(leases):
                self.report(lease, f"w/{number}", False)
            self.assertNotEqual("closed", self.breaker()["state"])

    # --- operating it ---

    def test_modes_hold_and_end_by_themselves(self):
        self.submit(2)
        answer = self.node.call("POST", "/breakers/scanner/force", {"mode": "forced_open", "for_ms": 600000}, reason="upgrade",
                                **{"X-Stella-Ticket": "T-7"})
        self.assertEqual(200, answer.status, answer)
        seen = self.breaker()
        self.assertEqual(("forced_open", "upgrade", "T-7"), (seen["mode"], seen["reason"], seen["ticket"]))
        self.assertEqual([], self.node.claim("scan"))
        self.node.call("POST", "/breakers/scanner/force", {"mode": "forced_open", "for_ms": 1}, reason="upgraded")
        until(lambda: self.node.claim("scan", wait_ms=1000), "the mode ends")
        self.assertEqual("automatic", self.breaker()["mode"])

    def test_shadow_counts_and_holds_nothing(self):
        self.put()
        self.node.call("POST", "/breakers/scanner/force", {"mode": "shadow"}, reason="try it")
        self.submit(20)
        self.service.well = False
        self.work_until_open()
        self.assertEqual(1, self.work())

    def test_a_change_can_be_tried_dry(self):
        self.put()
        answer = self.node.call("PUT", "/breakers/scanner?dry_run=true", {**QUICK, "open_ms": 900}, reason="test", match='"1"')
        self.assertEqual((200, True), (answer.status, answer.json["dry_run"]))
        self.assertIn({"op": "replace", "path": "/parameters/open_ms", "value": 900, "was": 600}, answer.json["changes"])
        self.assertEqual(600, self.breaker()["parameters"]["open_ms"])
        answer = self.node.call("POST", "/breakers/scanner/force?dry_run=true", {"mode": "forced_open"}, reason="test")
        self.assertEqual("forced_open", answer.json["after"]["mode"])
        self.assertEqual("automatic", self.breaker()["mode"])

    def test_bad_input_changes_nothing_and_says_which_bound(self):
        self.put()
        wrong = [("PUT", "/breakers/scanner", {"probes": 11}, {"match": '"1"'}, 422, "/probes"),
                 ("PUT", "/breakers/scanner", {"open_ms": 2000, "open_max_ms": 1000}, {"match": '"1"'}, 422, "/open_max_ms"),
                 ("PUT", "/breakers/scanner", {}, {"match": '"7"'}, 412, None),
                 ("PUT", "/breakers/scanner", {}, {}, 428, None),
                 ("POST", "/breakers/scanner/force", {"mode": "ajar"}, {}, 422, "/mode"),
                 ("POST", "/breakers/scanner/force", {"mode": "shadow"}, {"match": '"7"'}, 412, None),
                 ("POST", "/breakers/a b/reset".replace(" ", "%20"), None, {}, 422, None),
                 ("POST", "/breakers/scanner/reset?dry_run=maybe", None, {}, 400, None)]
        before = self.breaker()
        for method, path, body, headers, status, pointer in wrong:
            with self.subTest(path=path, body=body):
                answer = self.node.call(method, path, body, reason="test", **headers)
                self.assertEqual(status, answer.status, answer)
                if pointer:
                    self.assertEqual(pointer, answer.json["pointer"])
        self.assertEqual(400, self.node.call("POST", "/breakers/scanner/reset").status)
        self.assertEqual(before, self.breaker())

    def test_who_may_change_it(self):
        self.put()
        operator = self.node.token("acme", "orch:operate", "orch:read")
        self.assertEqual(403, self.node.call("POST", "/breakers/scanner/reset", token=operator, reason="r").status)
        quota = self.node.token("acme", "orch:quota", "orch:read")
        self.assertEqual(403, self.node.call("POST", "/breakers/scanner/reset", token=quota, reason="r").status)
        self.assertEqual(403, self.node.call("PUT", "/breakers/scanner", {}, token=quota, reason="r").status)
        self.assertNotIn("workers", self.breaker(token=quota))
        self.assertEqual(["scanner"], [one["service"] for one in self.node.pages("/breakers", token=quota)])

    def test_figures_tell_of_it(self):
        self.put(**LONG)
        self.submit(20)
        self.service.well = False
        self.work_until_open()

        def read():
            text = self.node.call("GET", "//metrics").body.decode()
            return dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        until(lambda: self.work() == 0 and read()["stella_breaker_held_jobs"] == "20", "the lane is held")
        figures = read()
        self.assertEqual("1", figures['stella_breakers{state="open"}'])
        self.assertEqual("1", figures['stella_breaker_transitions_total{change="opens"}'])
        self.assertEqual("5", figures['stella_breaker_calls_total{verdict="failed"}'])

    def test_history_tells_each_transition(self):
        self.put()
        self.submit(20)
        self.service.well = False
        self.work_until_open()
        self.service.well = True
        self.work_until_closed()
        lines = self.node.call("GET", "/breakers/scanner/history?limit=1000").json["items"]
        changes = [line["facts"]["change"] for line in lines if line["type"] == "breaker.changed" and line["facts"]["change"] != "stays"]
        self.assertEqual(["opens", "probes", "closes"], changes)
        revisions = [line["facts"]["revision"] for line in lines]
        self.assertEqual(list(range(1, len(lines) + 1)), revisions)


if BACKEND == "sqlite":
    del Breakers.test_two_nodes_together_have_no_more_probes_than_allowed  # It has one node.


if __name__ == "__main__":
    unittest.main()
