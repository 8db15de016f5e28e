"""Bad input: each a problem document with the right code, and nothing in the ledger has changed."""
import hashlib
import json
import unittest

from rig import Node, read_answer


def lease_item(lease, **more):
    return {"lease": lease["lease"], "grant": lease["grant"], **more}


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = node = Node("--body-bytes", "70000", "--jobs-body-bytes", "200000", "--artifact-bytes", "100000")
        node.tenant("acme")
        node.tenant("other")
        node.job_type("demo", max_payload_bytes=1000)
        node.call("PUT", "/sources/feed", {"kind": "vex"}, tenant="acme")
        cls.theirs = node.submit("other", {"type": "demo"})[0]
        cls.mine = node.submit("acme", {"type": "demo", "key": "taken"})[0]
        cls.tokens = {scope: node.token("acme", scope) for scope in
                      ("orch:read", "orch:submit", "orch:operate", "orch:work", "orch:admin")}
        cls.limited = node.token("acme", "orch:work", job_types=["only-this"])
        cls.run_id = node.call("POST", "/runs", {"key": "run-key", "jobs": [{"name": "a", "type": "demo"}]}, tenant="acme").json["id"]

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def setUp(self):
        self.before = self.node.fingerprint("acme", "other")

    def tearDown(self):
        self.assertEqual(self.node.fingerprint("acme", "other"), self.before, "a refused request changed the ledger")

    def refused(self, answer, status, code, pointer=None):
        self.assertEqual((answer.status, answer.code), (status, code), answer)
        if pointer is not None:
            self.assertEqual(answer.json.get("pointer"), pointer, answer)
        self.assertIn("X-Request-Id", answer.headers)

    def post_jobs(self, body):
        return self.node.call("POST", "/jobs", body, tenant="acme")

    # --- bodies ---

    def test_json_that_is_none(self):
        for body in (b"", b"{", b"nope", b'{"jobs":[{"type":"demo"}]}x', b'{"jobs":[{"type":"demo",}]}', b'{"jobs":[{"type":"\xff"}]}',
                     b'{"jobs":[{"type":"demo","payload":01}]}', b'{"jobs":[{"type":"demo","payload":"\\ud800"}]}',
                     b'{"jobs":[{"type":"demo","payload":"\\u0000"}]}', b'{"jobs":[{"type":"demo","payload":{"a":1,"\\u0061":2}}]}',
                     b'{"jobs":[],"jobs":[]}', b'{"jobs":[{"type":"demo","payload":' + b"[" * 70 + b"]" * 70 + b"}]}"):
            self.refused(self.post_jobs(body), 400, "malformed_json")
            self.refused(self.node.call("POST", "/runs", body, tenant="acme"), 400, "malformed_json")
            self.refused(self.node.work("claim", body), 400, "malformed_json")
        for body in (b"", b"{", b'{"name":"x","name":"y"}'):
            self.refused(self.node.call("POST", "/tenants", body), 400, "malformed_json")
            self.refused(self.node.call("PUT", "/job-types/x", body), 400, "malformed_json")

    def test_jobs_that_are_wrong(self):
        for job, pointer in (({}, "/jobs/0/type"), ({"type": 5}, "/jobs/0/type"), ({"type": "demo", "extra": 1}, "/jobs/0/extra"),
                             ({"type": "demo", "priority": 101}, "/jobs/0/priority"), ({"type": "demo", "priority": 1.5}, "/jobs/0/priority"),
                             ({"type": "demo", "priority": "1"}, "/jobs/0/priority"), ({"type": "demo", "delay_ms": -1}, "/jobs/0/delay_ms"),
                             ({"type": "demo", "key": "k" * 201}, "/jobs/0/key"), ({"type": "demo", "key": ""}, "/jobs/0/key"),
                             ({"type": "d" * 129}, "/jobs/0/type"), ({"type": "no spaces"}, "/jobs/0/type"),
                             ({"type": "demo", "name": "n"}, "/jobs/0/name"), ({"type": "demo", "a/b~c": 1}, "/jobs/0/a~1b~0c"),
                             ({"type": "demo", "traceparent": "t" * 129}, "/jobs/0/traceparent")):
            self.refused(self.post_jobs({"jobs": [job]}), 422, "unprocessable", pointer)
        self.refused(self.post_jobs({"jobs": []}), 422, "unprocessable", "/jobs")
        self.refused(self.post_jobs({"jobs": {}}), 422, "unprocessable", "/jobs")
        self.refused(self.post_jobs([]), 422, "unprocessable")
        self.refused(self.post_jobs({"jobs": [{"type": "demo"}] * 1001}), 422, "unprocessable")

    def test_a_batch_is_taken_whole_or_not_at_all(self):
        answer = self.post_jobs({"jobs": [{"type": "demo"}, {"priority": 1}, {"type": "demo"}, {"type": "!"}]})
        self.refused(answer, 422, "unprocessable")
        self.assertEqual([error["pointer"] for error in answer.json["errors"]], ["/jobs/1/type", "/jobs/3/type"])
        answer = self.post_jobs({"jobs": [{"type": "demo"}, {"type": "unheard-of"}]})
        self.refused(answer, 422, "unknown_job_type", "/jobs/1/type")
        answer = self.post_jobs({"jobs": [{"type": "demo"}, {"type": "demo", "source": "unheard-of"}]})
        self.refused(answer, 422, "unknown_source", "/jobs/1/source")
        answer = self.post_jobs({"jobs": [{"type": "demo"}, {"type": "demo", "key": "taken", "priority": 3}]})
        self.refused(answer, 409, "job_key_conflict", "/jobs/1/key")
        answer = self.post_jobs({"jobs": [{"type": "demo", "payload": "x" * 1000}]})
        self.refused(answer, 413, "payload_too_large", "/jobs/0/payload")

    def test_bodies_over_their_limit(self):
        big = json.dumps({"jobs": [{"type": "demo", "payload": "x" * 250000}]}).encode()
        self.refused(self.post_jobs(big), 413, "payload_too_large")
        self.refused(self.node.call("POST", "/tenants", b" " * 70001), 413, "payload_too_large")
        self.refused(self.node.call("POST", f"/jobs/{self.mine}/cancel", b"{}", tenant="acme", reason="x"), 413, "payload_too_large")
        # The same in chunks, whose length nobody announced.
        connection = self.node.raw()
        connection.sendall((f"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.node.admin}\r\n"
                            "X-Stella-Tenant: acme\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
        for _ in range(25):
            connection.sendall(b"2710\r\n" + b" " * 10000 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        self.refused(read_answer(connection), 413, "payload_too_large")
        connection.close()

    def test_media_types(self):
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
            answer = self.node.call("POST", "/jobs", b'{"jobs":[{"type":"demo"}]}', tenant="acme", content_type=content_type)
            self.refused(answer, 415, "unsupported_media_type")

    def test_runs_that_are_wrong(self):
        def run(*jobs, **more):
            return self.node.call("POST", "/runs", {"jobs": list(jobs), **more}, tenant="acme")

        def job(name, *needs):
            return {"name": name, "type": "demo", "needs": [{"job": need} for need in needs]}
        self.refused(run(job("a", "b")), 422, "dangling_edge", "/jobs/0/needs/0/job")
        self.refused(run(job("a", "c"), job("b", "a"), job("c", "b")), 422, "dag_cycle")
        self.refused(run(job("a", "a")), 422, "dag_cycle")
        self.refused(run(job("a"), job("a")), 422, "unprocessable", "/jobs/1/name")
        self.refused(run({"type": "demo"}), 422, "unprocessable", "/jobs/0/name")
        self.refused(run(), 422, "unprocessable", "/jobs")
        self.refused(run({**job("a"), "needs": [{"job": "a", "on": "never"}]}), 422, "unprocessable")
        self.refused(run({**job("a"), "needs": [{"on": "success"}]}), 422, "unprocessable")
        self.refused(run(job("a"), extra=1), 422, "unprocessable", "/extra")
        self.refused(run({"name": "a", "type": "unheard-of"}), 422, "unknown_job_type")
        answer = run(job("a"), job("b"), key="run-key")
        self.assertEqual((answer.status, answer.code), (409, "job_key_conflict"), answer)

    def test_configuration_that_is_wrong(self):
        for body, pointer in (({"max_attempts": 0}, "/max_attempts"), ({"max_attempts": "3"}, "/max_attempts"), ({"ttl_ms": 100}, "/ttl_ms"),
                              ({"nope": 1}, "/nope"), ({"class": "urgent"}, "/class"), ([], "")):
            answer = self.node.call("PUT", "/job-types/new", body, tenant="acme")
            self.refused(answer, 422, "unprocessable", pointer or None)
        for body in ([], {"kind": 3}, {"kind": "vex", "x": 1}, {"kind": "vex", "rate_per_s": -1}):
            self.refused(self.node.call("PUT", "/sources/new", body, tenant="acme"), 422, "unprocessable")
        self.refused(self.node.call("PUT", "/job-types/" + "n" * 200, {}, tenant="acme"), 422, "unprocessable")
        self.refused(self.node.call("PUT", "/job-types/a%20b", {}, tenant="acme"), 422, "unprocessable")
        self.refused(self.node.call("PUT", "/job-types/%zz", {}, tenant="acme"), 404, "not_found")
        self.refused(self.node.call("PUT", "/job-types/%00", {}, tenant="acme"), 404, "not_found")

    def test_tenants_and_tokens_that_are_wrong(self):
        for body in ({}, {"name": ""}, {"name": "a/b"}, {"name": "x" * 65}, {"name": "n", "weight": 0}, {"name": "n", "weight": 1001},
                     {"name": "n", "more": 1}, {"name": 5}, {"name": "n", "max_live_jobs": 0}):
            self.refused(self.node.call("POST", "/tenants", body), 422, "unprocessable")
        for body in ({"name": "t", "tenant": "acme", "scopes": []}, {"name": "t", "tenant": "acme", "scopes": ["orch:everything"]},
                     {"name": "t", "scopes": ["orch:read"]}, {"name": "t", "tenant": "nobody", "scopes": ["orch:read"]},
                     {"name": "t", "tenant": "system", "scopes": ["orch:read"]},
                     {"name": "t", "tenant": None, "scopes": ["orch:read"], "job_types": ["a b"]}):
            self.refused(self.node.call("POST", "/tokens", body), 422, "unprocessable")
        self.refused(self.node.call("GET", "/tenants/nobody"), 404, "not_found")
        self.refused(self.node.call("GET", "/tenants/system"), 404, "not_found")
        self.refused(self.node.call("PATCH", "/tenants/nobody", {}, match='"1"', reason="x"), 404, "not_found")
        self.refused(self.node.call("PATCH", "/tenants/acme", {"weight": 0}, match='"1"', reason="x"), 422, "unprocessable")

    # --- who asks ---

    def test_without_a_good_token(self):
        for header in (None, "", "Bearer", "Bearer x", "Basic YTpi", "Bearer stl_" + "A" * 43, "Bearer " + self.node.admin + "x"):
            answer = self.node.send("GET", "/api/v1/jobs", None, {"Authorization": header} if header is not None else {})
            self.refused(answer, 401, "unauthenticated")
            self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")

    def test_scopes(self):
        cases = (("GET", "/jobs", None, {"orch:read", "orch:admin"}),
                 ("POST", "/jobs", {"jobs": [{}]}, {"orch:submit", "orch:admin"}),
                 ("PUT", "/job-types/x", {"nope": 1}, {"orch:operate", "orch:admin"}),
                 ("POST", "/leases/claim", {}, {"orch:work"}),
                 ("GET", "/tenants", None, set()), ("GET", "/tokens", None, set()),
                 ("POST", "/tenants", {}, set()), ("POST", "/tokens", {}, set()))
        for method, path, body, allowed in cases:
            for scope, token in self.tokens.items():
                answer = self.node.call(method, path, body, token=token)
                if scope in allowed:
                    self.assertIn(answer.status, (200, 422), (method, path, scope, answer))
                else:
                    self.refused(answer, 403, "forbidden")
        claim = {"claim_id": "c", "worker": "w", "job_types": ["demo"], "max": 1}
        self.refused(self.node.work("claim", claim, self.limited), 403, "forbidden")
        self.refused(self.node.work("claim", {}, self.node.admin), 403, "forbidden")

    def test_tenants_must_be_named(self):
        self.refused(self.node.call("GET", "/jobs"), 400, "tenant_required")
        self.refused(self.node.call("GET", "/jobs", tenant="nobody"), 404, "not_found")
        self.refused(self.node.call("GET", "/jobs", tenant="system"), 404, "not_found")
        self.refused(self.node.call("GET", "/jobs", token=self.tokens["orch:read"], tenant="other"), 404, "not_found")

    def test_things_that_are_not_there(self):
        for path in ("/jobs/job-999", "/jobs/job-999/history", "/jobs/job-999/payload", "/jobs/job-0", "/jobs/job-01", "/jobs/job-x",
                     "/jobs/17", "/jobs/job-99999999999999999999", "/runs/run-77", "/runs/run-77/dag", "/runs/x/jobs",
                     "/sources/none", "/job-types/none", "/artifacts/" + "0" * 64, "/artifacts/zz",
                     "/artifacts/" + "0" * 64 + "/lineage"):
            self.refused(self.node.call("GET", path, tenant="acme"), 404, "not_found")
        # The other tenant has a second job; this tenant's second is its run's, so ask for what only they have.
        theirs = self.node.call("GET", "/jobs/" + self.theirs, tenant="other")
        self.assertEqual(theirs.status, 200)

    def test_control_needs_a_reason(self):
        for path in (f"/jobs/{self.mine}/cancel", f"/jobs/{self.mine}/retry", f"/jobs/{self.mine}/replay", f"/runs/{self.run_id}/cancel"):
            self.refused(self.node.call("POST", path, tenant="acme"), 400, "reason_required")
            self.refused(self.node.call("POST", path, tenant="acme", reason="x" * 501), 400, "invalid_request")
        self.refused(self.node.call("DELETE", "/tokens/tok-1"), 400, "reason_required")

    # --- paths, parameters, pages ---

    def test_paths_and_methods(self):
        for path in ("/", "/api", "/api/v1", "/api/v1/", "/api/v2/jobs", "/api/v1/jobs/", "/api/v1//jobs", "/api/v1/jobs/a/b/c/d/e/f"):
            self.refused(self.node.send("GET", path), 404, "not_found")
        answer = self.node.call("PATCH", "/jobs", {}, tenant="acme")
        self.refused(answer, 405, "method_not_allowed")
        self.assertEqual(answer.headers["Allow"], "GET, HEAD, POST, OPTIONS")
        self.refused(self.node.send("TRACE", "/livez"), 405, "method_not_allowed")
        self.refused(self.node.send("BREW", "/livez"), 405, "method_not_allowed")

    def test_parameters(self):
        for query in ("?limit=0", "?limit=1001", "?limit=x", "?limit=1&limit=2", "?nope=1", "?state=asleep", "?run=x", "?limit=%zz"):
            self.refused(self.node.call("GET", "/jobs" + query, tenant="acme"), 400, "invalid_request")
        for query in ("?class=x&state=canceled", "?type=demo", "?source=feed", "?key=a&state=dead"):
            self.refused(self.node.call("GET", "/jobs" + query, tenant="acme"), 400, "unsupported_filter")
        self.refused(self.node.call("GET", "/artifacts", tenant="acme"), 400, "unsupported_filter")
        for query in ("?after=-1", "?after=x", "?wait_ms=20001", "?limit=0"):
            self.refused(self.node.call("GET", "/history" + query, tenant="acme"), 400, "invalid_request")

    def test_cursors(self):
        cursor = self.node.call("GET", "/jobs?limit=1", tenant="acme").json["next_cursor"]
        self.assertTrue(cursor)
        self.assertEqual(self.node.call("GET", f"/jobs?limit=1&cursor={cursor}", tenant="acme").status, 200)
        for wrong in ("x", "AAAA", cursor[:-2], cursor + "A", cursor[:5] + ("A" if cursor[5] != "A" else "B") + cursor[6:], "%00", "=="):
            answer = self.node.call("GET", f"/jobs?cursor={wrong}", tenant="acme")
            self.assertIn(answer.code, ("bad_cursor", "invalid_request"), (wrong, answer))
            self.assertEqual(answer.status, 400)
        self.refused(self.node.call("GET", f"/jobs?cursor={cursor}", tenant="other"), 400, "bad_cursor")
        self.refused(self.node.call("GET", f"/jobs?state=pending&cursor={cursor}", tenant="acme"), 400, "bad_cursor")
        self.refused(self.node.call("GET", f"/runs?cursor={cursor}", tenant="acme"), 400, "bad_cursor")

    # --- workers ---

    def test_worker_bodies(self):
        claim = {"claim_id": "c", "worker": "w", "job_types": ["demo"], "max": 1}
        for change in ({"max": 0}, {"max": 1001}, {"wait_ms": 20001}, {"wait_ms": -1}, {"job_types": []}, {"job_types": ["a b"]},
                       {"job_types": ["t"] * 101}, {"worker": ""}, {"claim_id": ""}, {"claim_id": "c" * 201}, {"more": 1}, {"max": None}):
            self.refused(self.node.work("claim", {**claim, **change}), 422, "unprocessable")
        for missing in claim:
            self.refused(self.node.work("claim", {name: value for name, value in claim.items() if name != missing}), 422,
                         "unprocessable", "/" + missing)
        for path, item in (("complete", {"artifacts": [{"name": "a"}]}), ("complete", {"result": "x" * 17000}), ("complete", {"class": "c"}),
                           ("fail", {}), ("fail", {"class": "a b", "message": ""}), ("fail", {"class": "a", "message": "m" * 8193}),
                           ("throttled", {"retry_after_ms": -1}), ("release", {"result": 1})):
            answer = self.node.work(path, {"worker": "w", "reports": [{"lease": "2.1.1", "grant": 1, **item}]})
            self.refused(answer, 422, "unprocessable")
        for item in ({"lease": "2.1.1"}, {"grant": 1}, {"lease": "2.1.1", "grant": 0}, {"lease": "", "grant": 1}, {"lease": "2.1.1", "grant": "1"}):
            self.refused(self.node.work("complete", {"worker": "w", "reports": [item]}), 422, "unprocessable")
        self.refused(self.node.work("complete", {"worker": "w", "reports": []}), 422, "unprocessable")
        self.refused(self.node.work("complete", {"reports": [{"lease": "2.1.1", "grant": 1}]}), 422, "unprocessable", "/worker")

    def test_leases_that_are_not_held_are_lost_for_each_alike(self):
        names = ["2.1.1", "3.1.1", "99.1.1", "0.0.0", "x", "-1.5.2", "2.999.1", "9999999999.1.1"]
        for path, more in (("complete", {}), ("fail", {"class": "c", "message": ""}), ("throttled", {}), ("release", {})):
            answer = self.node.work(path, {"worker": "w", "reports": [{"lease": name, "grant": 7, **more} for name in names]})
            self.assertEqual((answer.status, [item["code"] for item in answer.json["results"]]), (200, ["lease_lost"] * len(names)))
        answer = self.node.work("heartbeat", {"worker": "w", "leases": [{"lease": name, "grant": 7} for name in names]})
        self.assertEqual([item["code"] for item in answer.json["results"]], ["lease_lost"] * len(names))

    def test_artifacts(self):
        content = b"hello"
        digest = hashlib.sha256(content).hexdigest()
        self.refused(self.node.call("PUT", "/artifacts/" + "0" * 64, content, tenant="acme"), 422, "digest_mismatch")
        self.refused(self.node.call("PUT", "/artifacts/" + "0" * 64, b"", tenant="acme"), 422, "digest_mismatch")
        self.refused(self.node.call("PUT", "/artifacts/" + "A" * 64, content, tenant="acme"), 404, "not_found")
        self.refused(self.node.call("PUT", "/artifacts/" + digest, b"x" * 100001, tenant="acme"), 413, "payload_too_large")
        self.refused(self.node.call("PUT", "/artifacts/" + digest, content, token=self.tokens["orch:read"]), 403, "forbidden")
        for lease in (None, "2.1.1/1", "99.1.1/1", "x", "2.1.1", "2.1.1/x"):
            headers = {"lease": lease} if lease else {}
            self.refused(self.node.call("PUT", "/artifacts/" + digest, content, token=self.node.worker, **headers), 409, "lease_lost")
            self.refused(self.node.call("GET", "/artifacts/" + digest, token=self.node.worker, **headers), 409, "lease_lost")
        self.refused(self.node.call("GET", "/artifacts/" + digest, tenant="acme"), 404, "not_found")


if __name__ == "__main__":
    unittest.main()
