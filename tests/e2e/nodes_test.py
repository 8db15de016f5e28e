"""Two nodes over one PostgreSQL: what one does, the other knows at once. They look once a minute and believe what they
know of a token for ten: only hints can be that quick."""
import threading
import unittest

from rig import Node, until

FLAGS = ["--node-look-ms", "60000", "--token-cache-ms", "600000"]


class Nodes(unittest.TestCase):
    def setUp(self):
        self.here = Node(*FLAGS)
        self.addCleanup(self.here.close)
        self.there = Node(*FLAGS, database=self.here.database, folder=self.here.folder)
        self.addCleanup(self.there.close)
        for node in (self.here, self.there):
            until(lambda: node.figure("stella_hints_heard_total") > 0, "each node heard of the other")

    def test_waiting_claim_gets_what_another_node_took(self):
        self.there.tenant("acme")
        self.there.job_type("demo")
        leases = []
        waiting = threading.Thread(target=lambda: leases.extend(self.here.claim("demo", wait_ms=20000)))
        waiting.start()
        until(lambda: self.here.figure("stella_claims_parked") > 0, "the claim waits")
        submitted = self.there.submit("acme", {"type": "demo"})
        waiting.join()
        self.assertEqual([lease["job"] for lease in leases], submitted)

    def test_node_knows_of_workers_that_ask_the_other(self):
        flags = ["--worker-seen-ms", "1500", "--worker-note-ms", "100"]
        here = Node(*flags, database=self.here.database, folder=self.here.folder)
        self.addCleanup(here.close)
        there = Node(*flags, database=self.here.database, folder=self.here.folder)
        self.addCleanup(there.close)
        there.tenant("acme")
        there.job_type("kept")
        job, = there.submit("acme", {"type": "kept", "delay_ms": 3600000})

        def worker_gate():
            gates = here.call("GET", f"/jobs/{job}/explain", tenant="acme").json["gates"]
            return next(gate for gate in gates if gate["gate"] == "worker")

        until(lambda: worker_gate()["verdict"] == "refuse", "nobody asked for its type")
        self.assertNotIn("asked_at", worker_gate()["numbers"])
        until(lambda: there.claim("kept", worker="far/1") == [] and worker_gate()["verdict"] == "pass", "a worker asks the other node")
        self.assertIn("asked_at", worker_gate()["numbers"])
        there.call("POST", "/workers/far%2F1/drain", reason="test")
        self.assertEqual(worker_gate()["verdict"], "refuse", "a drained one asks for nothing")
        there.call("POST", "/workers/far%2F1/resume", reason="test")
        until(lambda: worker_gate()["verdict"] == "refuse", "it has not come for long")

    def test_revoked_token_is_refused_everywhere(self):
        self.here.tenant("acme")
        made = self.here.call("POST", "/tokens", {"name": "test", "tenant": "acme", "scopes": ["orch:read"]})
        self.assertEqual(made.status, 201)
        secret, name = made.json["token"], made.json["id"]
        asks = lambda node: node.call("GET", "/jobs", token=secret).status
        self.assertEqual([asks(self.here), asks(self.there)], [200, 200], "both know it now")
        self.assertEqual(self.here.call("DELETE", "/tokens/" + name, reason="test").status, 204)
        self.assertEqual(asks(self.here), 401)
        until(lambda: asks(self.there) == 401, "the other node refuses it")


if __name__ == "__main__":
    unittest.main()
