"""Ten thousand requests made from the contract, most of them wrong: the answers conform to it, nothing fails inside, and what is
refused changes nothing.

STELLA_TEST_SEED and STELLA_CORPUS_REQUESTS choose other ones.
"""
import http.client
import json
import os
import random
import unittest

from conforms import Conforms
from corpus import Corpus
from rig import ROOT, Answer, Node

REQUESTS = int(os.environ.get("STELLA_CORPUS_REQUESTS", "10000"))
SEED = int(os.environ.get("STELLA_TEST_SEED", "1"))
BATCH = 100
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Wire:
    """One connection, made anew when the server has closed it."""

    def __init__(self, node):
        self.node, self.socket = node, None

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def ask(self, request):
        if self.socket is None:
            self.socket = self.node.raw()
        try:
            self.socket.sendall(request.bytes())
        except (BrokenPipeError, ConnectionResetError):
            pass  # Refused before all of it was read; the answer is there.
        reply = http.client.HTTPResponse(self.socket, method=request.method)
        try:
            reply.begin()
            answer = Answer(reply.status, dict(reply.getheaders()), reply.read())
        except (http.client.HTTPException, ConnectionResetError):
            self.close()
            return None
        if reply.will_close:
            self.close()
        return answer


class CorpusOfRequests(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(ROOT, "contract", "openapi.json"), encoding="utf-8") as file:
            self.document = json.load(file)
        self.schemas = Conforms(self.document)
        self.node = node = Node("--body-bytes", "70000", "--jobs-body-bytes", "200000")
        for name in ("acme", "other"):
            node.tenant(name)
        node.job_type("demo")
        node.call("PUT", "/sources/feed", {"kind": "vex"}, tenant="acme")
        node.submit("acme", *[{"type": "demo", "key": f"k{n}"} for n in range(20)])
        node.call("POST", "/runs", {"name": "r", "jobs": [{"name": "a", "type": "demo"}]}, tenant="acme")
        self.heads = {}

    def changed(self):
        """The types of the lines that came since the last look; what fell due by itself is not asked about."""
        types = set()
        for name in ("system", "acme", "other"):
            lines = self.node.call("GET", f"/history?after={self.heads.get(name, 0)}&limit=1000", tenant=name).json
            self.heads[name] = lines["next_after"]
            types |= {line["type"] for line in lines["items"] if line["actor"] != "timer"}
            if lines["items"]:
                types |= self.changed()
        return types

    def check(self, request, answer):
        """That the answer is one that the contract knows."""
        where = f"seed {SEED}: {request.method} {request.target[:200]}: {request.why}: {answer!r:.600}"
        if answer is None:
            self.assertTrue(request.method in ("BREW", "get") or "header" in request.why or "path" in request.why, where)
            return
        self.assertLess(answer.status, 500, where)
        kind = answer.headers.get("Content-Type", "")
        if answer.status >= 400 and request.method != "HEAD" and kind:
            self.assertEqual(kind, "application/problem+json", where)
            self.schemas.check(self, answer.json, {"$ref": "#/components/schemas/Problem"}, where)
        known = request.operation["responses"].get(str(answer.status), {})
        schema = known.get("content", {}).get("application/json", {}).get("schema")
        if schema and kind == "application/json" and request.why == "valid":
            self.schemas.check(self, answer.json, schema, where)

    def test_wrong_requests_change_nothing_and_break_nothing(self):
        known = {"name": ["demo", "feed", "acme", "new-1"], "id": ["job-1", "job-2", "job-20", "run-1", "job-99", "tok-99"],
                 "shard": ["0", "63"], "/api/v1/tokens/{id}#id": ["tok-99"]}
        tokens = {"orch:work": [self.node.worker],
                  "": [*[self.node.admin] * 8, self.node.worker, self.node.token("acme", "orch:read"),
                       self.node.token("other", "orch:operate", "orch:submit")]}
        corpus = iter(Corpus(self.document, random.Random(SEED), known, tokens))
        wire, statuses = Wire(self.node), {}
        self.changed()
        for _ in range(REQUESTS // BATCH):
            taken = []
            for _ in range(BATCH):
                request = next(corpus)
                answer = wire.ask(request)
                self.check(request, answer)
                status = answer.status if answer else 0
                statuses[status] = statuses.get(status, 0) + 1
                if 200 <= status < 300 and request.method in WRITES:
                    taken.append(request)
            types = self.changed()
            if not taken:
                self.assertTrue(types <= {"control.denied"}, f"seed {SEED}: a batch of refusals wrote {types}")
        wire.close()
        print(f"{REQUESTS} requests of seed {SEED}: " + ", ".join(f"{n} x {status}" for status, n in sorted(statuses.items())))
        self.assertEqual(0, self.node.close())


if __name__ == "__main__":
    unittest.main()
