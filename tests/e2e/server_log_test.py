"""The server's own log: a closed set of events, each with its request, job and trace."""
import json
import os
import signal
import time
import unittest

from rig import ROOT, Node

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def events():
    with open(os.path.join(ROOT, "contract", "log_events.json"), encoding="utf-8") as file:
        return {event["name"]: event for event in json.load(file)["events"]}


class ServerLog(unittest.TestCase):
    def lines(self, node):
        return [json.loads(line) for line in node.log().splitlines() if line.startswith("{")]

    def wait_for(self, node, found):
        deadline = time.monotonic() + 20
        while not any(found(line) for line in self.lines(node)):
            self.assertLess(time.monotonic(), deadline, node.log())
            time.sleep(0.01)

    def test_every_line_is_of_the_closed_set_with_its_facts(self):
        node = Node("--log-format", "json", "--log-level", "debug")
        node.tenant("acme")
        node.job_type("demo")
        node.submit("acme", {"type": "demo"})
        reader = node.token("acme", "orch:read")
        node.call("GET", "/jobs/job-1", token=reader, X_Request_Id="mine-1", traceparent=TRACE)
        node.call("POST", "/jobs", {"jobs": []}, token=reader, X_Request_Id="mine-2")
        self.assertEqual(node.stop(), 0)
        known, lines = events(), self.lines(node)
        for line in lines:
            event = known[line["event"]]
            self.assertEqual(line["level"], event["level"], line)
            self.assertLessEqual(set(line["facts"]), set(event["facts"]), line)
            self.assertEqual(list(line), sorted(line))
        self.assertLessEqual({"serving", "token_made", "request", "denied", "stopping", "stopped"}, {line["event"] for line in lines})
        mine = [line["facts"] for line in lines if line["facts"].get("request") == "mine-1"]
        self.assertEqual([(fact["job"], fact["operation"], fact["status"], fact["tenant"], fact["trace"]) for fact in mine],
                         [("job-1", "get_job", 200, "acme", TRACE.split("-")[1])])
        self.assertEqual([line["facts"]["operation"] for line in lines if line["event"] == "denied"], ["submit_jobs"])

    def test_request_ids_are_taken_made_and_echoed(self):
        node = Node()
        for headers, wanted in (({"X-Request-Id": "abc-123"}, "abc-123"), ({"traceparent": TRACE}, TRACE.split("-")[1]),
                                ({"X-Request-Id": "abc", "traceparent": TRACE}, "abc")):
            self.assertEqual(node.send("GET", "/livez", headers=headers).headers["X-Request-Id"], wanted)
            self.assertEqual(node.send("GET", "/api/v1/nothing", headers=headers).headers["X-Request-Id"], wanted)
        made = set()
        for headers in ({}, {"X-Request-Id": "x" * 65}, {"X-Request-Id": "with space"}, {"traceparent": TRACE.replace("0af", "0AF")},
                        {"traceparent": "00-" + "0" * 32 + "-b7ad6b7169203331-01"}):
            made.add(node.send("GET", "/livez", headers=headers).headers["X-Request-Id"])
        self.assertEqual(len(made), 5)
        self.assertTrue(all(one.startswith("req-") for one in made), made)
        self.assertEqual(node.close(), 0)

    def test_the_level_can_be_changed_while_it_runs(self):
        node = Node("--log-format", "json")
        node.call("GET", "/whoami", X_Request_Id="before")
        node.child.send_signal(signal.SIGHUP)
        self.wait_for(node, lambda line: line["event"] == "log_level" and line["facts"] == {"level": "debug"})
        node.call("GET", "/whoami", X_Request_Id="after")
        self.wait_for(node, lambda line: line["facts"].get("request") == "after")
        node.child.send_signal(signal.SIGHUP)
        self.wait_for(node, lambda line: line["event"] == "log_level" and line["facts"] == {"level": "info"})
        self.assertNotIn('"before"', node.log())
        self.assertEqual(node.close(), 0)

    def test_what_repeats_is_limited_and_counted(self):
        node = Node("--log-format", "json")
        node.tenant("acme")
        reader = node.token("acme", "orch:read")
        for _ in range(50):
            node.call("POST", "/jobs", {"jobs": []}, token=reader)
        denied = [line for line in self.lines(node) if line["event"] == "denied"]
        self.assertGreaterEqual(len(denied), 20)
        self.assertLess(len(denied), 50)
        self.assertEqual(node.close(), 0)

    def test_for_people(self):
        node = Node("--log-format", "text")
        self.assertRegex(node.log(), r'(?m)^\d{4}-\S+Z info    serving \{"port":\d+\}$')
        self.assertEqual(node.close(), 0)


if __name__ == "__main__":
    unittest.main()
