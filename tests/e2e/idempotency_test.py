"""The same request again is the same answer; claims, reports and keys included."""
import threading
import unittest

from rig import Node


class Idempotency(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.node.tenant("acme")
        cls.node.tenant("other")
        cls.node.job_type("demo")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def test_submit(self):
        body = {"jobs": [{"type": "demo", "payload": {"n": 1}}, {"type": "demo"}]}
        first = self.node.call("POST", "/jobs", body, tenant="acme", key="k-1")
        before = self.node.fingerprint("acme")
        for key in ("k-1", '"k-1"'):
            again = self.node.call("POST", "/jobs", body, tenant="acme", key=key)
            self.assertEqual((again.status, again.body), (first.status, first.body))
        other = self.node.call("POST", "/jobs", {"jobs": [{"type": "demo"}]}, tenant="acme", key="k-1")
        self.assertEqual((other.status, other.code), (422, "idempotency_key_reused"))
        self.assertEqual(self.node.fingerprint("acme"), before)
        theirs = self.node.call("POST", "/jobs", {"jobs": [{"type": "demo"}]}, tenant="other", key="k-1")
        self.assertEqual(theirs.status, 201, "a key is a tenant's own")

    def test_large_submit(self):
        body = {"jobs": [{"type": "demo", "payload": n} for n in range(1000)]}
        first = self.node.call("POST", "/jobs", body, tenant="acme", key="k-large")
        again = self.node.call("POST", "/jobs", body, tenant="acme", key="k-large")
        self.assertEqual((first.status, again.body), (201, first.body))
        self.assertEqual(len({job["id"] for job in first.json["jobs"]}), 1000)

    def test_run_and_replay(self):
        body = {"jobs": [{"name": "a", "type": "demo"}, {"name": "b", "type": "demo", "needs": [{"job": "a"}]}]}
        first = self.node.call("POST", "/runs", body, tenant="acme", key="k-run")
        again = self.node.call("POST", "/runs", body, tenant="acme", key="k-run")
        self.assertEqual((first.status, again.status, again.json["id"], again.json["jobs"]),
                         (201, 201, first.json["id"], first.json["jobs"]))
        self.assertEqual(self.node.call("POST", "/runs", {**body, "name": "x"}, tenant="acme", key="k-run").code,
                         "idempotency_key_reused")
        job = first.json["jobs"][0]["id"]
        self.node.call("POST", f"/runs/{first.json['id']}/cancel", tenant="acme", reason="end it")
        copies = {self.node.call("POST", f"/jobs/{job}/replay", tenant="acme", reason="again", key="k-replay").json["id"]
                  for _ in range(3)}
        self.assertEqual(len(copies), 1)

    def test_a_key_in_flight(self):
        body = {"jobs": [{"type": "demo", "payload": "x" * 1000}] * 1000}
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            self.node.call("POST", "/jobs", body, tenant="acme", key="k-flight"))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = [answer for answer in answers if answer.status == 201]
        for answer in answers:
            if answer.status != 201:
                self.assertEqual((answer.status, answer.code), (409, "idempotency_in_flight"))
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(len({answer.body for answer in done}), 1)

    def test_keys_that_are_none(self):
        for key in ("", "a b", "k" * 201, '""'):
            answer = self.node.call("POST", "/jobs", {"jobs": [{"type": "demo"}]}, tenant="acme", key=key)
            self.assertEqual((answer.status, answer.code), (400, "invalid_request"), key)

    def test_claims_and_reports(self):
        self.node.job_type("claimed")
        self.node.submit("acme", *[{"type": "claimed"}] * 5)
        leases = self.node.claim("claimed", claim_id="c-1", number=3)
        self.assertEqual(self.node.claim("claimed", claim_id="c-1", number=3), leases)
        self.assertEqual(len(self.node.claim("claimed", claim_id="c-1", worker="another", number=3)), 2)
        item = {"lease": leases[0]["lease"], "grant": 1, "class": "late", "message": "m", "permanent": True}
        first = self.node.work("fail", {"worker": "w/1", "reports": [item]}).json["results"]
        self.assertEqual((first[0]["code"], first[0]["state"]), ("ok", "dead"))
        before = self.node.history("acme")
        self.assertEqual(self.node.work("fail", {"worker": "w/1", "reports": [item]}).json["results"], first)
        conflict = self.node.work("fail", {"worker": "w/1", "reports": [{**item, "message": "n"}]}).json["results"][0]
        self.assertEqual(conflict["code"], "result_conflict")
        complete = self.node.work("complete", {"worker": "w/1", "reports": [{"lease": item["lease"], "grant": 1}]}).json["results"][0]
        self.assertEqual(complete["code"], "result_conflict")
        self.assertEqual(self.node.history("acme"), before)


if __name__ == "__main__":
    unittest.main()
