"""Thousands of workers that wait at once: the server stays small, answers the others, and each job goes to one that is still there."""
import json
import resource
import threading
import unittest

from rig import Node, read_answer, until

CROWD = 5000
GONE = 2500
JOBS = 200


class Crowd(unittest.TestCase):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * CROWD)), hard))
        self.node = Node("--http-connections", str(CROWD + 100), "--parked-max", str(CROWD))
        self.node.tenant("acme")
        self.node.job_type("demo")

    def claim(self, number):
        body = json.dumps({"claim_id": f"crowd-{number}", "worker": f"w/{number}", "job_types": ["demo"], "max": 1, "wait_ms": 20000}).encode()
        connection = self.node.raw()
        connection.sendall((f"POST /api/v1/leases/claim HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.node.worker}\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
        return connection

    def parked(self):
        return self.node.figure("stella_claims_parked")

    def test_five_thousand_claims_wait_and_none_is_granted_to_who_has_gone(self):
        crowd = [self.claim(number) for number in range(CROWD)]
        until(lambda: self.parked() == CROWD, "all claims are parked")
        self.assertEqual(200, self.node.send("GET", "/livez").status)
        for connection in crowd[:GONE]:
            connection.close()
        self.node.submit("acme", *[{"type": "demo"} for _ in range(JOBS)])
        until(lambda: self.parked() <= CROWD - GONE - JOBS, "the jobs were handed out")
        answers, stop = [], threading.Thread(target=self.node.stop)
        stop.start()
        for connection in crowd[GONE:]:
            answers.append(read_answer(connection))
            connection.close()
        stop.join()
        self.assertEqual({200}, {answer.status for answer in answers})
        leases = [lease["job"] for answer in answers for lease in answer.json["leases"]]
        self.assertEqual(JOBS, len(leases), "every job reached a worker that was there")
        self.assertEqual(JOBS, len(set(leases)))
        self.assertEqual(0, self.node.close())


if __name__ == "__main__":
    unittest.main()
