"""The server does what contract/openapi.json says: routes, scopes, methods, media types and the shape of answers."""
import json
import os
import unittest

from conforms import Conforms
from rig import ROOT, Node

METHODS = ("get", "post", "put", "patch", "delete")


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, "contract", "openapi.json"), encoding="utf-8") as file:
            cls.document = json.load(file)
        cls.schemas = Conforms(cls.document)
        cls.node = Node()
        cls.node.tenant("acme")
        cls.node.job_type("demo")
        cls.node.call("PUT", "/sources/feed", {"kind": "vex"}, tenant="acme")
        cls.node.call("PUT", "/sources/feed", {"kind": "sbom"}, tenant="acme", match='"1"')
        cls.node.call("PUT", "/job-types/demo", {"max_attempts": 6}, match='"1"')
        cls.node.call("POST", "/workers/register", {"worker": "w-known", "version": "1", "slots": 1, "job_types": ["demo"]},
                      token=cls.node.token("acme", "orch:work"))
        cls.node.submit("acme", {"type": "demo", "source": "feed", "key": "k", "payload": {"a": [1]}})
        cls.node.call("POST", "/runs", {"name": "r", "jobs": [{"name": "a", "type": "demo"}]}, tenant="acme")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def test_the_served_document_is_the_contract(self):
        self.assertEqual(self.node.send("GET", "/openapi.json").json, self.document)

    def test_every_operation_is_there_and_guarded(self):
        seen = set()
        for method, path, operation in self.operations():
            self.assertNotIn(operation["operationId"], seen)
            seen.add(operation["operationId"])
            address = path.replace("{sha256}", "0" * 64).replace("{id}", "job-1").replace("{name}", "x")
            answer = self.node.send(method, address)
            if operation["x-stella-scope"] is None:
                self.assertEqual(answer.status, 200, path)
            else:
                self.assertEqual((answer.status, answer.code), (401, "unauthenticated"), path)
            if operation.get("x-stella-body") and operation["x-stella-body"] != "artifact_bytes":
                wrong = self.node.call(method, address.removeprefix("/api/v1"), b"x", tenant="acme", content_type="text/plain")
                self.assertEqual(wrong.code, "unsupported_media_type", path)

    def test_answers_have_the_shape_of_the_contract(self):
        addresses = {"/api/v1/tenants/{name}": "/tenants/acme", "/api/v1/job-types/{name}": "/job-types/demo",
                     "/api/v1/sources/{name}": "/sources/feed", "/api/v1/workers/{name}": "/workers/w-known",
                     "/api/v1/sources/{name}/versions": "/sources/feed/versions", "/api/v1/sources/{name}/versions/{version}": "/sources/feed/versions/1",
                     "/api/v1/sources/{name}/diff": "/sources/feed/diff", "/api/v1/job-types/{name}/versions": "/job-types/demo/versions",
                     "/api/v1/job-types/{name}/versions/{version}": "/job-types/demo/versions/1", "/api/v1/job-types/{name}/diff": "/job-types/demo/diff", "/api/v1/jobs/{id}": "/jobs/job-1",
                     "/api/v1/jobs/{id}/history": "/jobs/job-1/history", "/api/v1/jobs/{id}/attempts": "/jobs/job-1/attempts",
                     "/api/v1/jobs/{id}/artifacts": "/jobs/job-1/artifacts",
                     "/api/v1/runs/{id}": "/runs/run-1", "/api/v1/runs/{id}/jobs": "/runs/run-1/jobs",
                     "/api/v1/runs/{id}/dag": "/runs/run-1/dag", "/api/v1/runs/{id}/timeline": "/runs/run-1/timeline",
                     "/api/v1/runs/{id}/critical-path": "/runs/run-1/critical-path", "/api/v1/artifacts": "/artifacts?job=job-1",
                     "/api/v1/shards/{shard}/history": "/shards/63/history"}
        checked = 0
        for method, path, operation in self.operations():
            schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
            address = addresses.get(path, path.removeprefix("/api/v1"))
            if method != "GET" or schema is None or "{" in address or not path.startswith("/api/v1"):
                continue
            tenant = None if operation["x-stella-tenant"] == "none" else "acme"
            answer = self.node.call("GET", address, tenant=tenant)
            self.assertEqual(answer.status, 200, (path, answer))
            self.schemas.check(self, answer.json, schema, path)
            checked += 1
        self.assertGreaterEqual(checked, 15)

    def test_problems_have_the_shape_of_the_contract(self):
        schema = {"$ref": "#/components/schemas/Problem"}
        for answer in (self.node.send("GET", "/nowhere"), self.node.call("GET", "/jobs"),
                       self.node.call("POST", "/jobs", {"jobs": [{}, {}]}, tenant="acme")):
            self.schemas.check(self, answer.json, schema, "problem")

    def test_answers_to_writing_have_the_shape_of_the_contract(self):
        made = self.node.call("POST", "/jobs", {"jobs": [{"type": "demo"}]}, tenant="acme")
        self.schemas.check(self, made.json, {"$ref": "#/components/schemas/JobsMade"}, "jobs")
        leases = self.node.work("claim", {"claim_id": "c", "worker": "w", "job_types": ["demo"], "max": 10})
        self.schemas.check(self, leases.json, {"$ref": "#/components/schemas/Leases"}, "leases")
        lease = leases.json["leases"][0]
        beat = self.node.work("heartbeat", {"worker": "w", "leases": [{"lease": lease["lease"], "grant": lease["grant"]}]})
        self.schemas.check(self, beat.json, {"$ref": "#/components/schemas/HeartbeatResults"}, "heartbeat")
        done = self.node.work("complete", {"worker": "w", "reports": [{"lease": lease["lease"], "grant": lease["grant"]}]})
        self.schemas.check(self, done.json, {"$ref": "#/components/schemas/ReportResults"}, "complete")
        self.schemas.check(self, self.node.call("POST", "/sources/feed/disable", tenant="acme", reason="x").json,
                      {"$ref": "#/components/schemas/Source"}, "disable")
        self.schemas.check(self, self.node.call("POST", "/sources/feed/test", {"path": "a"}, tenant="acme").json,
                      {"$ref": "#/components/schemas/Problem"}, "test of a source without a url")
        self.node.call("PUT", "/sources/tried", {"url": "http://127.0.0.1/"}, tenant="acme")
        self.schemas.check(self, self.node.call("POST", "/sources/tried/test", {"path": "a"}, tenant="acme").json,
                      {"$ref": "#/components/schemas/SourceTested"}, "test")
        token = self.node.call("POST", "/tokens", {"name": "t", "tenant": None, "scopes": ["orch:read"]})
        self.schemas.check(self, token.json, {"$ref": "#/components/schemas/TokenMade"}, "token")


if __name__ == "__main__":
    unittest.main()
