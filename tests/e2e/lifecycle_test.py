"""Every operation, as a user and a worker would call it."""
import hashlib
import json
import unittest

from rig import Node, read_answer


class Lifecycle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.node.tenant("acme", weight=3, max_inflight=50)
        cls.node.job_type("demo", max_attempts=3, backoff_base_ms=0, backoff_max_ms=0, ttl_ms=5000)

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def test_health(self):
        for path in ("/livez", "/readyz"):
            answer = self.node.send("GET", path)
            self.assertEqual((answer.status, answer.json), (200, {"status": "ok"}))
        document = self.node.send("GET", "/openapi.json").json
        self.assertEqual(document["openapi"], "3.1.0")
        self.assertIn("/api/v1/jobs", document["paths"])

    def test_metrics_are_text_that_counts(self):
        self.node.submit("acme", {"type": "demo"})
        text = self.node.send("GET", "/metrics")
        self.assertTrue(text.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        values = dict(line.rsplit(" ", 1) for line in text.body.decode().splitlines() if not line.startswith("#"))
        self.assertGreater(float(values["stella_jobs_submitted_total"]), 0)
        self.assertGreater(float(values['stella_http_requests_total{route="submit_jobs",status="201"}']), 0)
        self.assertGreater(float(values['stella_jobs_waiting{type="demo"}']), 0)
        self.assertIn('stella_oldest_waiting_seconds{type="demo"}', values)
        self.assertEqual(values["stella_ready"], "1")

    def test_tenant(self):
        made = self.node.call("POST", "/tenants", {"name": "t-1", "weight": 2})
        self.assertEqual((made.status, made.headers["ETag"], made.json["weight"]), (201, '"1"', 2))
        again = self.node.call("POST", "/tenants", {"name": "t-1", "weight": 2})
        self.assertEqual(again.status, 201, "the same content again is the same tenant")
        other = self.node.call("POST", "/tenants", {"name": "t-1", "weight": 9})
        self.assertEqual((other.status, other.code), (409, "already_exists"))
        changed = self.node.call("PATCH", "/tenants/t-1", {"weight": 5}, match='"1"', reason="test")
        self.assertEqual((changed.status, changed.json["weight"], changed.headers["ETag"]), (200, 5, '"2"'))
        self.assertEqual(self.node.call("PATCH", "/tenants/t-1", {"weight": 6}, reason="x").code, "precondition_required")
        self.assertEqual(self.node.call("PATCH", "/tenants/t-1", {"weight": 6}, reason="x", match='"1"').code,
                         "precondition_failed")
        self.assertEqual(self.node.call("GET", "/tenants/t-1").json["weight"], 5)
        self.assertIn("t-1", [tenant["name"] for tenant in self.node.pages("/tenants?limit=1")])

    def test_token(self):
        made = self.node.call("POST", "/tokens", {"name": "reader", "tenant": "acme", "scopes": ["orch:read"]})
        self.assertEqual(made.status, 201)
        token, number = made.json["token"], made.json["id"]
        who = self.node.call("GET", "/whoami", token=token).json
        self.assertEqual(who, {"id": number, "name": "reader", "scopes": ["orch:read"], "tenant": "acme"})
        self.assertEqual(self.node.call("GET", "/jobs", token=token).status, 200)
        listed = {item["id"]: item for item in self.node.pages("/tokens?limit=2")}
        self.assertEqual(listed[number]["tenant"], "acme")
        self.assertNotIn("token", listed[number])
        self.assertEqual(self.node.call("DELETE", "/tokens/" + number, reason="done").status, 204)
        self.assertEqual(self.node.call("GET", "/jobs", token=token).code, "unauthenticated")

    def test_job_type(self):
        put = self.node.call("PUT", "/job-types/jt", {"max_attempts": 7})
        self.assertEqual((put.status, put.headers["ETag"], put.json["ttl_ms"]), (201, '"1"', 30000))
        self.assertEqual(self.node.call("PUT", "/job-types/jt", {}).code, "precondition_required")
        self.assertEqual(self.node.call("PUT", "/job-types/jt", {}, match='"7"').code, "precondition_failed")
        self.assertEqual(self.node.call("PUT", "/job-types/jt", {"max_attempts": 8}, match='"1"').status, 200)
        own = self.node.call("PUT", "/job-types/jt", {"max_attempts": 2}, tenant="acme")
        self.assertEqual(own.status, 201)
        self.assertEqual(self.node.call("GET", "/job-types/jt", tenant="acme").json["max_attempts"], 2)
        self.assertEqual(self.node.call("GET", "/job-types/jt").json["max_attempts"], 8)
        names = [item["name"] for item in self.node.pages("/job-types?limit=1", tenant="acme")]
        self.assertEqual(names, sorted(set(names)), "each name once, the tenant's own first")

    def test_source(self):
        body = {"kind": "advisory-osv", "url": "https://api.example.org/v1", "rate_per_s": 2, "burst": 5,
                "settings": {"path": "x"}}
        put = self.node.call("PUT", "/sources/osv", body, tenant="acme")
        self.assertEqual((put.status, put.json["url"]), (201, body["url"]))
        self.assertEqual(self.node.call("GET", "/sources/osv", tenant="acme").headers["ETag"], '"1"')
        self.assertEqual([item["name"] for item in self.node.pages("/sources", tenant="acme")], ["osv"])
        self.node.job_type("fetch")
        self.node.submit("acme", {"type": "fetch", "source": "osv", "payload": {"n": 1}})
        lease = self.node.claim("fetch")[0]
        self.assertEqual((lease["source"], lease["host"], lease["source_config"]["kind"]),
                         ("osv", "api.example.org", "advisory-osv"))
        self.assertGreater(lease["requests_allowed"], 0)

    def test_a_job_from_submit_to_success(self):
        self.node.job_type("one")
        payload = b'{ "b": 1.50, "a": "\\u00e9" }'
        body = b'{"jobs":[{"payload":' + payload + b',"type":"one","key":"k-1","traceparent":"00-ab-cd-01"}]}'
        made = self.node.call("POST", "/jobs", body, tenant="acme")
        self.assertEqual(made.status, 201, made)
        job = made.json["jobs"][0]["id"]
        again = self.node.call("POST", "/jobs", body, tenant="acme").json["jobs"][0]
        self.assertEqual((again["duplicate"], again["id"]), (True, job))
        raw = self.node.call("GET", f"/jobs/{job}/payload", tenant="acme").body
        self.assertEqual(raw, payload, "byte for byte")
        lease = self.node.claim("one", claim_id="the-claim")[0]
        self.assertEqual(self.node.claim("one", claim_id="the-claim"), [lease], "the same claim gives the same lease")
        self.assertEqual((lease["job"], lease["grant"], lease["attempt"], lease["traceparent"]), (job, 1, 1, "00-ab-cd-01"))
        self.assertEqual(self.node.job("acme", job)["state"], "leased")
        beat = self.node.work("heartbeat", {"worker": "w/1", "leases": [
            {"lease": lease["lease"], "grant": 1, "progress": {"done": 3, "total": 9, "text": "on \"it\""}}]}).json["results"]
        self.assertEqual((beat[0]["code"], beat[0]["cancel"]), ("ok", False))
        now = self.node.job("acme", job)
        self.assertEqual((now["state"], now["progress"]["done"], now["worker"]), ("running", 3, "w/1"))
        report = {"worker": "w/1", "reports": [{"lease": lease["lease"], "grant": 1, "result": {"ok": True}}]}
        for _ in range(2):
            done = self.node.work("complete", report).json["results"]
            self.assertEqual(done, [{"code": "ok", "lease": lease["lease"], "state": "succeeded"}])
        report["reports"][0]["result"] = {"ok": False}
        self.assertEqual(self.node.work("complete", report).json["results"][0]["code"], "result_conflict")
        end = self.node.job("acme", job)
        self.assertEqual((end["state"], end["result"], end["attempts"]), ("succeeded", {"ok": True}, 1))
        lines = list(self.node.pages(f"/jobs/{job}/history?limit=2", tenant="acme"))
        self.assertEqual([line["type"] for line in lines],
                         ["job.submitted", "job.leased", "job.running", "job.succeeded"])
        self.assertEqual([line["job_seq"] for line in lines], [1, 2, 3, 4])

    def test_failing_retrying_dead_and_back(self):
        self.node.job_type("fails", max_attempts=2, backoff_base_ms=0, backoff_max_ms=0)
        job = self.node.submit("acme", {"type": "fails"})[0]
        for attempt in (1, 2):
            lease = self.node.claim("fails", wait_ms=5000)[0]
            self.assertEqual(lease["attempt"], attempt)
            report = {"lease": lease["lease"], "grant": lease["grant"], "class": "parse_error", "message": "no \"good\""}
            done = self.node.work("fail", {"worker": "w/1", "reports": [report]}).json["results"]
            self.assertEqual(done[0]["code"], "ok")
        dead = self.node.job("acme", job)
        self.assertEqual((dead["state"], dead["class"], dead["result"]), ("dead", "parse_error", 'no "good"'))
        self.assertIn(job, [item["id"] for item in self.node.pages("/jobs?state=dead&limit=1", tenant="acme")])
        back = self.node.call("POST", f"/jobs/{job}/retry", tenant="acme", reason="try again", X_Stella_Ticket="OPS-1")
        self.assertEqual((back.status, back.json["state"]), (200, "pending"))
        gone = self.node.call("POST", f"/jobs/{job}/cancel", tenant="acme", reason="never mind")
        self.assertEqual((gone.status, gone.json["state"]), (200, "canceled"))
        copy = self.node.call("POST", f"/jobs/{job}/replay", tenant="acme", reason="once more")
        self.assertEqual((copy.status, copy.json["replay_of"], copy.json["state"]), (201, job, "pending"))

    def test_throttled_released_and_stale(self):
        self.node.job_type("thr")
        job = self.node.submit("acme", {"type": "thr"})[0]
        lease = self.node.claim("thr")[0]
        item = {"lease": lease["lease"], "grant": lease["grant"]}
        self.assertEqual(self.node.work("release", {"worker": "w", "reports": [item]}).json["results"][0]["state"], "pending")
        lease = self.node.claim("thr", wait_ms=5000)[0]
        self.assertEqual((lease["grant"], lease["attempt"]), (2, 1), "a returned lease spends no attempt")
        stale = self.node.work("complete", {"worker": "w", "reports": [item]}).json["results"][0]["code"]
        self.assertIn(stale, ("lease_lost", "result_conflict"))
        item["grant"] = 2
        answer = self.node.work("throttled", {"worker": "w", "reports": [{**item, "retry_after_ms": 60000}]})
        self.assertEqual(answer.json["results"][0], {"code": "ok", "lease": lease["lease"], "state": "pending"})
        waits = self.node.job("acme", job)
        self.assertEqual((waits["hold"]["reason"], waits["attempts"]), ("throttled", 0))
        self.assertIn("until", waits["hold"])
        self.assertIn(job, [item["id"] for item in self.node.pages("/jobs?state=pending&limit=1", tenant="acme")])

    def test_priority_delay_and_unknown_things(self):
        self.node.job_type("prio")
        low, high = self.node.submit("acme", {"type": "prio"}, {"type": "prio", "priority": 100})
        late = self.node.submit("acme", {"type": "prio", "delay_ms": 3600000})[0]
        self.assertEqual([lease["job"] for lease in self.node.claim("prio")], [high, low])
        self.assertEqual(self.node.job("acme", late)["hold"]["reason"], "delay")

    def test_a_lease_that_lapses_is_given_again(self):
        self.node.job_type("lapse", ttl_ms=300, backoff_base_ms=0, backoff_max_ms=0)
        job = self.node.submit("acme", {"type": "lapse"})[0]
        first = self.node.claim("lapse")[0]
        second = self.node.claim("lapse", worker="w/2", wait_ms=15000)[0]
        self.assertEqual((second["job"], second["grant"]), (job, first["grant"] + 1))
        late = self.node.work("complete", {"worker": "w/1", "reports": [{"lease": first["lease"], "grant": 1}]})
        self.assertEqual(late.json["results"][0]["code"], "lease_lost")

    def test_run(self):
        self.node.job_type("step", max_attempts=1)
        body = {"name": "nightly", "key": "r-1", "jobs": [
            {"name": "join", "type": "step", "needs": [{"job": "a"}, {"job": "b", "on": "always"}]},
            {"name": "a", "type": "step"}, {"name": "b", "type": "step"}]}
        made = self.node.call("POST", "/runs", body, tenant="acme")
        self.assertEqual(made.status, 201, made)
        run, names = made.json["id"], {job["name"]: job["id"] for job in made.json["jobs"]}
        self.assertEqual([job["name"] for job in made.json["jobs"]], ["join", "a", "b"])
        self.assertEqual([job["state"] for job in made.json["jobs"]], ["blocked", "pending", "pending"])
        again = self.node.call("POST", "/runs", body, tenant="acme").json
        self.assertEqual((again["id"], again["duplicate"], again["jobs"]), (run, True, made.json["jobs"]))
        dag = self.node.call("GET", f"/runs/{run}/dag", tenant="acme").json
        edges = {(edge["from"], edge["to"], edge["on"]) for edge in dag["edges"]}
        self.assertEqual(edges, {(names["a"], names["join"], "success"), (names["b"], names["join"], "always")})
        self.assertEqual({job["name"]: job["id"] for job in dag["jobs"]}, names)
        leases = {lease["name"]: lease for lease in self.node.claim("step")}
        self.assertEqual(set(leases), {"a", "b"})
        self.assertEqual(leases["a"]["run"], run)
        self.node.work("complete", {"worker": "w/1", "reports": [{"lease": leases["a"]["lease"], "grant": 1}]})
        self.node.work("fail", {"worker": "w/1", "reports": [
            {"lease": leases["b"]["lease"], "grant": 1, "class": "boom", "message": ""}]})
        last = self.node.claim("step", wait_ms=5000)[0]
        self.assertEqual(last["name"], "join")
        self.node.work("complete", {"worker": "w/1", "reports": [{"lease": last["lease"], "grant": 1}]})
        end = self.node.call("GET", "/runs/" + run, tenant="acme").json
        self.assertEqual((end["state"], end["total"], end["counts"]["succeeded"], end["counts"]["dead"]), ("failed", 3, 2, 1))
        jobs = list(self.node.pages(f"/runs/{run}/jobs?limit=1", tenant="acme"))
        self.assertEqual([job["name"] for job in jobs], ["join", "a", "b"])
        self.assertIn(run, [item["id"] for item in self.node.pages("/runs?state=failed&limit=1", tenant="acme")])

    def test_a_run_of_several_commit_groups(self):
        self.node.job_type("wide")
        jobs = [{"name": f"n{n}", "type": "wide"} for n in range(1500)]
        jobs.append({"name": "join", "type": "wide", "needs": [{"job": job["name"]} for job in jobs]})
        made = self.node.call("POST", "/runs", {"jobs": jobs}, tenant="acme")
        self.assertEqual(made.status, 201, made)
        run = made.json["id"]
        self.assertEqual(len({job["id"] for job in made.json["jobs"]}), 1501)
        self.assertEqual(len(self.node.call("GET", f"/runs/{run}/dag", tenant="acme").json["edges"]), 1500)
        done = 0
        while done < 1501:
            leases = self.node.claim("wide", number=1000, wait_ms=5000)
            self.assertTrue(leases, f"nothing more to claim after {done}")
            results = self.node.work("complete", {"worker": "w/1", "reports": [
                {"lease": lease["lease"], "grant": lease["grant"]} for lease in leases]}).json["results"]
            self.assertEqual({item["code"] for item in results}, {"ok"})
            done += len(leases)
        self.assertEqual(self.node.call("GET", f"/runs/{run}", tenant="acme").json["state"], "succeeded")

    def test_run_canceled(self):
        self.node.job_type("stepc")
        made = self.node.call("POST", "/runs", {"jobs": [
            {"name": "a", "type": "stepc"}, {"name": "b", "type": "stepc", "needs": [{"job": "a"}]}]}, tenant="acme").json
        answer = self.node.call("POST", f"/runs/{made['id']}/cancel", tenant="acme", reason="stop")
        self.assertEqual((answer.status, answer.json["state"], answer.json["counts"]["canceled"]), (200, "canceled", 2))

    def test_artifacts(self):
        self.node.job_type("art")
        job = self.node.submit("acme", {"type": "art"})[0]
        lease = self.node.claim("art")[0]
        held = f"{lease['lease']}/{lease['grant']}"
        content = bytes(range(256)) * 4000
        digest = hashlib.sha256(content).hexdigest()
        put = self.node.call("PUT", "/artifacts/" + digest, content, token=self.node.worker, lease=held,
                             content_type="application/x-test")
        self.assertEqual((put.status, put.json), (201, {"sha256": digest, "size": len(content)}))
        put = self.node.call("PUT", "/artifacts/" + digest, content, token=self.node.worker, lease=held)
        self.assertEqual(put.status, 200, "it is there already")
        got = self.node.call("GET", "/artifacts/" + digest, token=self.node.worker, lease=held)
        self.assertEqual((got.status, got.body), (200, content))
        report = {"lease": lease["lease"], "grant": lease["grant"], "artifacts": [
            {"name": "out.bin", "sha256": digest, "size": len(content), "media_type": "application/x-test"},
            {"name": "in.bin", "sha256": digest, "size": len(content), "role": "input"}]}
        missing = json.loads(json.dumps(report))
        missing["artifacts"][0]["sha256"] = "0" * 64
        answer = self.node.work("complete", {"worker": "w/1", "reports": [missing]}).json["results"][0]
        self.assertEqual(answer["code"], "unknown_artifact")
        self.assertEqual(self.node.work("complete", {"worker": "w/1", "reports": [report]}).json["results"][0]["code"], "ok")
        listed = self.node.call("GET", f"/jobs/{job}/artifacts", tenant="acme").json["items"]
        self.assertEqual({(item["name"], item["role"], item["size"]) for item in listed},
                         {("out.bin", "output", len(content)), ("in.bin", "input", len(content))})
        lineage = self.node.call("GET", f"/artifacts/{digest}/lineage", tenant="acme").json
        self.assertEqual(lineage, {"produced_by": [{"job": job, "name": "out.bin"}], "used_by": [{"job": job, "name": "in.bin"}]})
        after = self.node.call("GET", "/artifacts/" + digest, token=self.node.worker, lease=held)
        self.assertEqual(after.code, "lease_lost", "the lease has ended, and with it the right to read")
        head = self.node.call("HEAD", "/artifacts/" + digest, tenant="acme")
        self.assertEqual((head.status, head.headers["Content-Length"], head.body), (200, str(len(content)), b""))
        self.assertEqual(head.headers["Content-Type"], "application/x-test")

    def test_artifacts_of_a_run_in_pages(self):
        self.node.job_type("artr")
        made = self.node.call("POST", "/runs", {"jobs": [{"name": "a", "type": "artr"}]}, tenant="acme").json
        lease = self.node.claim("artr")[0]
        digest = hashlib.sha256(b"").hexdigest()
        self.assertEqual(self.node.call("PUT", "/artifacts/" + digest, b"", tenant="acme").status, 201)
        items = [{"name": f"a{n}", "sha256": digest, "size": 0} for n in range(5)]
        answer = self.node.work("complete", {"worker": "w/1", "reports": [
            {"lease": lease["lease"], "grant": 1, "artifacts": items}]}).json["results"][0]
        self.assertEqual(answer["code"], "ok")
        listed = list(self.node.pages(f"/artifacts?run={made['id']}&limit=2", tenant="acme"))
        self.assertEqual([item["name"] for item in listed], ["a0", "a1", "a2", "a3", "a4"])
        got = self.node.call("GET", "/artifacts/" + digest, tenant="acme")
        self.assertEqual((got.status, got.body), (200, b""))

    def test_worker_registers(self):
        answer = self.node.call("POST", "/workers/register", {"worker": "host-1/9", "version": "1.0", "slots": 4,
                                                              "job_types": ["demo"]}, token=self.node.worker)
        self.assertEqual((answer.status, answer.json["worker"], answer.json["poll_ms"]), (200, "host-1/9", 20000))

    def test_batches_of_several_tenants_keep_their_order(self):
        self.node.job_type("mix")
        for name in ("mix-a", "mix-b", "mix-c"):
            self.node.tenant(name)
            self.node.submit(name, *[{"type": "mix"}] * 3)
        leases = []
        while len(leases) < 9:
            leases += self.node.claim("mix", number=9, wait_ms=2000)
        leases.sort(key=lambda lease: (lease["job"], lease["tenant"]))
        reports = [{"lease": lease["lease"], "grant": 1} for lease in leases]
        reports.insert(4, {"lease": "99.1.1", "grant": 1})
        results = self.node.work("complete", {"worker": "w/1", "reports": reports}).json["results"]
        self.assertEqual([item["lease"] for item in results], [item["lease"] for item in reports])
        self.assertEqual([item["code"] for item in results], ["ok"] * 4 + ["lease_lost"] + ["ok"] * 5)

    def test_history_is_followed(self):
        self.node.tenant("watched")
        self.node.job_type("w1")
        answer = self.node.call("GET", "/history?after=0&limit=1", tenant="watched")
        self.assertEqual([line["seq"] for line in answer.json["items"]], [1])
        head = len(self.node.history("watched"))
        empty = self.node.call("GET", f"/history?after={head}&wait_ms=150", tenant="watched")
        self.assertEqual(empty.json, {"items": [], "next_after": head})
        connection = self.node.raw()
        connection.sendall(f"GET /api/v1/history?after={head}&wait_ms=20000 HTTP/1.1\r\nHost: x\r\nX-Stella-Tenant: watched\r\n"
                           f"Authorization: Bearer {self.node.admin}\r\n\r\n".encode())
        job = self.node.submit("watched", {"type": "w1"})[0]
        lines = read_answer(connection).json["items"]
        self.assertIn(("job.submitted", job), [(line["type"], line.get("job")) for line in lines])
        connection.close()

    def test_a_shards_log_tells_the_operator_what_was_offered(self):
        self.node.tenant("offered")
        self.node.job_type("o1")
        self.node.submit("offered", *[{"type": "o1"} for _ in range(3)])
        self.node.claim("o1", worker="w/7", number=2)
        offers = [line for shard in range(64) for line in self.node.call("GET", f"/shards/{shard}/history?limit=1000").json["items"]
                  if line["type"] == "claim.offered" and line["facts"]["types"] == ["o1"]]
        self.assertEqual([(line["facts"]["granted"], line["facts"]["worker"]) for line in offers], [(2, "w/7")])
        self.assertNotIn("tenant", offers[0])
        self.assertEqual(self.node.call("GET", "/shards/64/history").code, "not_found")
        self.assertEqual(self.node.call("GET", "/shards/1/history", token=self.node.token("offered", "orch:read")).code, "forbidden")

    def test_pages_hold_everything_once(self):
        self.node.tenant("paged")
        self.node.job_type("pg")
        jobs = self.node.submit("paged", *[{"type": "pg", "key": f"k{n}"} for n in range(25)])
        for path in ("/jobs?limit=4", "/jobs?state=pending&limit=4"):
            self.assertEqual(sorted(item["id"] for item in self.node.pages(path, tenant="paged")), sorted(jobs))
        self.assertEqual([item["id"] for item in self.node.pages("/jobs?key=k7", tenant="paged")], [jobs[7]])


if __name__ == "__main__":
    unittest.main()
