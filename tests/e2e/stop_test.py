"""A stop, and kills, under load: what was acknowledged is there."""
import threading
import time
import unittest

from load import Load
from rig import Node, until


class Stop(unittest.TestCase):
    def test_a_stop_under_load_answers_what_it_took(self):
        node = Node()
        node.tenant("acme")
        node.job_type("demo")
        parked = []
        claim = threading.Thread(target=lambda: parked.append(node.claim("nothing", wait_ms=20000)))
        loads = [Load(node) for _ in range(8)]
        for thread in [claim, *loads]:
            thread.start()
        until(lambda: all(len(load.acknowledged) > 5 for load in loads), "every client was answered")
        until(lambda: node.figure("stella_claims_parked") == 1, "the claim waits")
        started = time.monotonic()
        self.assertEqual(node.stop(), 0)
        self.assertLess(time.monotonic() - started, 15)
        for load in loads:
            load.end = True
        for thread in [claim, *loads]:
            thread.join()
        self.assertEqual(parked, [[]], "a parked claim is answered empty")
        node.start()
        there = {job["key"]: job["id"] for job in node.pages("/jobs?limit=1000", tenant="acme")}
        acknowledged = [item for load in loads for item in load.acknowledged]
        self.assertGreater(len(acknowledged), 20)
        for key, job in acknowledged:
            self.assertEqual(there.get(key), job)
        self.assertEqual(node.close(), 0)

    def test_kill_loses_nothing_acknowledged(self):
        node = Node()
        node.tenant("acme")
        node.job_type("demo")
        loads = [Load(node) for _ in range(4)]
        for load in loads:
            load.start()
        for _ in range(3):
            before = sum(len(load.acknowledged) for load in loads)
            until(lambda: sum(len(load.acknowledged) for load in loads) > before + 20, "clients are answered")
            node.kill()
            node.start()
        for load in loads:
            load.end = True
        for load in loads:
            load.join()
        there = {job["key"]: job["id"] for job in node.pages("/jobs?limit=1000", tenant="acme")}
        for load in loads:
            for key, job in load.acknowledged:
                self.assertEqual(there.get(key), job)
        node.close()


if __name__ == "__main__":
    unittest.main()
