#!/usr/bin/env python3
"""jobs logs: lines, levels, formats, following to the end."""
import http.client
import json
import subprocess
import unittest

from rig import PROGRAM, Rig, clean_environment, stella_on_terminal


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig()
        cls.rig.json("tenants", "add", "acme")
        cls.rig.json("job-types", "put", "demo", "--ttl-ms", "60000")
        cls.worker = cls.rig.json("tokens", "add", "worker", "--scopes", "orch:work")["token"]
        cls.rig.environment["STELLA_TENANT"] = "acme"

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()

    def work(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.rig.server.port, timeout=30)
        connection.request("POST", "/api/v1/leases/" + path, json.dumps({"worker": "w", **body}), {
            "Authorization": "Bearer " + self.worker, "Content-Type": "application/json", "X-Stella-Tenant": "acme"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.assertEqual(answer.status, 200, text)
        return json.loads(text)

    def lease(self, name):
        self.rig.json("jobs", "submit", "--type", "demo", "--key", name)
        return self.work("claim", {"claim_id": name, "job_types": ["demo"], "max": 1})["leases"][0]

    def said(self, lease, verb, first, *lines):
        log = {"first": first, "lines": [{"level": level, "text": text} for level, text in lines]}
        item = {"lease": lease["lease"], "grant": lease["grant"], "log": log}
        return self.work(verb, {"leases" if verb == "heartbeat" else "reports": [item]})

    def test_lines_levels_and_formats(self):
        lease = self.lease("formats")
        self.said(lease, "heartbeat", 0, ("info", "one"), ("warning", "two\nmore\x1b[31m"), ("debug", "three"))
        status, out, err = self.rig.run("jobs", "logs", lease["job"])
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"^\S+Z info    one\n\S+Z warning two\n    more.*\n\S+Z debug   three\n$")
        self.assertNotIn("\x1b", out)
        lines = self.rig.run("jobs", "logs", lease["job"], "--level", "warning", "-o", "jsonl")[1].splitlines()
        self.assertEqual([json.loads(line)["n"] for line in lines], [2])
        self.assertEqual([line["text"] for line in self.rig.json("jobs", "logs", lease["job"], "--attempt", "1")][0], "one")
        self.assertEqual(self.rig.json("jobs", "logs", lease["job"], "--since", "2099-01-01T00:00:00Z"), [])
        self.assertEqual(len(self.rig.json("jobs", "logs", lease["job"], "--since", "1h")), 3)
        self.assertEqual(self.rig.run("jobs", "logs", lease["job"], "--since", "soon")[0], 2)
        self.assertEqual(self.rig.run("jobs", "logs", "job-999")[0], 3)
        status, shown = stella_on_terminal("orchestrator", "jobs", "logs", lease["job"], **self.rig.environment)
        self.assertIn("\x1b[33mwarning", shown)

    def test_following_ends_with_the_job(self):
        lease = self.lease("follow")
        self.said(lease, "heartbeat", 0, ("info", "first"))
        child = subprocess.Popen([PROGRAM, "orchestrator", "jobs", "logs", lease["job"], "--follow"], text=True,
                                 stdout=subprocess.PIPE, env=clean_environment(**self.rig.environment))
        self.assertTrue(child.stdout.readline().endswith(" first\n"))
        self.said(lease, "heartbeat", 1, ("info", "second"))
        self.assertTrue(child.stdout.readline().endswith(" second\n"))
        self.said(lease, "complete", 2, ("info", "last"))
        self.assertTrue(child.stdout.readline().endswith(" last\n"))
        self.assertEqual((child.wait(30), child.stdout.read()), (0, ""))
        child.stdout.close()


if __name__ == "__main__":
    unittest.main()
