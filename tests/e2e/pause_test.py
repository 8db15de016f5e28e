"""A pause of the whole installation: nothing new is leased, all else goes on, and it outlives the node."""
import threading
import unittest

from rig import Node


class Pause(unittest.TestCase):
    def setUp(self):
        self.node = node = Node()
        self.addCleanup(node.close)
        node.tenant("acme")
        node.job_type("demo", ttl_ms=60000)
        self.reader = node.token("acme", "orch:read", "orch:operate")

    def set(self, verb, **more):
        return self.node.call("POST", "/installation/" + verb, **{"reason": "storage is moved", "X_Stella_Ticket": "OPS-7", **more})

    def status(self):
        answer = self.node.call("GET", "/installation")
        self.assertEqual(200, answer.status, answer)
        return answer.json

    def test_nothing_new_is_leased_and_all_else_goes_on(self):
        node = self.node
        self.assertEqual({"grant_floor": 0, "paused": False, "version": 1}, self.status())
        first, second = node.submit("acme", {"type": "demo"}, {"type": "demo"})
        held, = node.claim("demo", number=1)
        answer = self.set("pause")
        self.assertEqual((200, '"2"', True), (answer.status, answer.headers["ETag"], answer.json["paused"]))
        self.assertEqual(("storage is moved", "OPS-7", "token:tok-1"),
                         tuple(answer.json["pause"][name] for name in ("reason", "ticket", "by")))
        self.assertEqual([], node.claim("demo"))
        self.assertEqual(1, node.figure("stella_paused"))
        third, = node.submit("acme", {"type": "demo"})
        beat = node.work("heartbeat", {"worker": "w/1", "leases": [{"lease": held["lease"], "grant": held["grant"]}]})
        self.assertEqual("ok", beat.json["results"][0]["code"])
        done = node.work("complete", {"worker": "w/1", "reports": [{"lease": held["lease"], "grant": held["grant"]}]})
        self.assertEqual("ok", done.json["results"][0]["code"])
        self.assertEqual("succeeded", node.job("acme", first)["state"])
        self.assertEqual({"paused"}, {job["hold"]["reason"] for job in node.pages("/jobs?state=pending", tenant="acme")})
        told = node.call("GET", f"/jobs/{third}/explain", token=self.reader).json
        self.assertEqual(("paused", "storage is moved"), (told["hold"]["reason"], told["pause"]["reason"]))
        self.assertEqual(("pause", "paused", False), tuple(told["frees"][0][name] for name in ("gate", "set", "to")))
        self.assertIn("paused", told["summary"])
        self.assertEqual([], node.claim("demo"))
        self.assertEqual(False, self.set("resume").json["paused"])
        self.assertEqual([second, third], [lease["job"] for lease in node.claim("demo")])
        self.assertEqual(["installation.paused", "installation.resumed"],
                         [line["type"] for line in node.history("system") if line["type"].startswith("installation.")])

    def test_it_outlives_the_node_and_a_parked_claim_gets_its_job_when_it_ends(self):
        node = self.node
        self.set("pause")
        node.submit("acme", {"type": "demo"})
        self.assertEqual(0, node.stop())
        node.start()
        self.assertTrue(self.status()["paused"])
        self.assertIn("paused: nothing new is leased", node.log())
        got = []
        waits = threading.Thread(target=lambda: got.extend(node.claim("demo", wait_ms=20000)))
        waits.start()
        while node.figure("stella_claims_parked") == 0 and waits.is_alive():
            pass
        self.assertEqual([], got)
        self.set("resume")
        waits.join(10)
        self.assertEqual(1, len(got))

    def test_who_may_and_what_is_refused(self):
        self.assertEqual("forbidden", self.set("pause", token=self.reader).code)
        self.assertEqual(200, self.node.call("GET", "/installation", token=self.reader).status)
        self.assertEqual("reason_required", self.node.call("POST", "/installation/pause").code)
        self.assertEqual("precondition_failed", self.set("pause", match='"7"').code)
        self.assertFalse(self.status()["paused"])
        paused = self.set("pause", match='"1"').json
        again = self.set("pause", reason="another").json
        self.assertEqual(paused, again, "the first reason stays")
        refused = self.set("resume", match='"7"')
        self.assertEqual((412, '"2"'), (refused.status, refused.headers["ETag"]))
        self.assertEqual(3, self.set("resume", match="*").json["version"])
        self.assertEqual(3, self.set("resume").json["version"])
        told = [(line["type"], line["facts"]["action"]) for line in self.node.history("system")
                if line["type"].startswith("control.") and line["facts"]["about"] == "installation"]
        self.assertEqual([("control.denied", "installation.pause"), ("control.accepted", "installation.pause"),
                          ("control.accepted", "installation.pause"), ("control.denied", "installation.resume"),
                          ("control.accepted", "installation.resume"), ("control.accepted", "installation.resume")], told)


if __name__ == "__main__":
    unittest.main()
