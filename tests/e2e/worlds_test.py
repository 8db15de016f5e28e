"""Two worlds: whatever another tenant has, does or calls its things, a tenant's answers are byte for byte the same."""
import hashlib
import re
import unittest

from rig import Node

# What every answer may say of time and chance.
TIMES = (re.compile(rb'"(?:at|submitted_at|changed_at|registered_at|seen_at|ended_at|created_at|claimed_at|until|as_of)":"[^"]*"'), re.compile(rb'"at":\d+'),
         re.compile(rb'"(?:rank|run_until|lease_until|eligible_at)":\d+'), re.compile(rb'"digest":"[0-9a-f]{64}"'),
         re.compile(rb'"(?:claim|[a-z_]*hash)":"?-?\d+"?'), re.compile(rb'"(?:next_cursor|token)":"[\w-]*"'))


def without_times(text):
    for pattern in TIMES:
        text = pattern.sub(b"", text)
    return text


def quiet(_node):
    """A world in which the other tenant does nothing."""


def loud(node):
    """A world in which it has much, named like the first one's things."""
    node.call("PUT", "/sources/feed", {"kind": "sbom", "url": "https://secret.example/"}, tenant="other")
    for name in ("w", "theirs"):
        node.call("POST", "/workers/register", {"worker": name, "version": "2", "slots": 9, "job_types": ["demo"]},
                  token=node.token("other", "orch:work"))
        node.call("POST", f"/workers/{name}/quarantine", tenant="other", reason="secret reason")
    node.call("PUT", "/sources/feed", {"kind": "vex"}, tenant="other", match='"1"')
    node.call("PUT", "/job-types/mine", {"max_attempts": 99}, tenant="other")
    node.submit("other", *[{"type": "demo", "key": f"key-{n}", "payload": {"secret": n}} for n in range(300)])
    node.call("POST", "/runs", {"name": "nightly", "key": "run-key", "jobs": [{"name": f"n{n}", "type": "demo"} for n in range(50)]},
              tenant="other")
    digest = hashlib.sha256(b"shared bytes").hexdigest()
    node.call("PUT", "/artifacts/" + digest, b"shared bytes", tenant="other")
    for lease in node.claim("demo", worker="loud", number=40, token=node.token("other", "orch:work")):
        node.work("fail", {"worker": "loud", "reports": [
            {"lease": lease["lease"], "grant": 1, "class": "secret_class", "message": "secret", "permanent": True}]})
    node.call("POST", "/jobs/job-1/retry", tenant="other", reason="secret reason")
    bulk = {"action": "prioritise", "filter": {"state": "pending", "type": "demo"}, "priority": 7}
    bulk["token"] = node.call("POST", "/jobs/bulk/preview", bulk, tenant="other").json["token"]
    node.call("POST", "/jobs/bulk/apply", bulk, tenant="other", reason="secret reason", Prefer="wait=20")


class Worlds(unittest.TestCase):
    def answers_in(self, world):
        node = Node()
        node.tenant("acme")
        node.tenant("other")
        node.job_type("demo")
        world(node)
        token = node.token("acme", "orch:read", "orch:submit", "orch:operate")
        worker = node.token("acme", "orch:work")
        said = []

        def ask(method, path, body=None, who=token, **headers):
            answer = node.call(method, path, body, token=who, X_Request_Id="the-same", **headers)
            fixed = {name: value for name, value in answer.headers.items() if name not in ("Date", "X-Request-Id")}
            said.append((method, path, answer.status, sorted(fixed), without_times(answer.body)))
            return answer
        shared = hashlib.sha256(b"shared bytes").hexdigest()
        ask("GET", "/jobs")
        ask("GET", "/jobs/job-1")
        ask("GET", "/jobs/job-1/explain")
        ask("GET", "/jobs/job-200/history")
        ask("GET", "/runs/run-1")
        ask("GET", "/runs/run-1/explain")
        ask("GET", "/jobs/job-1/attempts")
        ask("POST", "/jobs/job-1/prioritise", {"priority": 3}, reason="x")
        ask("POST", "/jobs/job-1/cancel", reason="x")
        ask("POST", "/runs/run-1/retry", reason="x")
        ask("POST", "/runs/run-1/replay", {"from": "n1"}, reason="x")
        ask("GET", "/runs/run-1/timeline")
        ask("POST", "/jobs/bulk/preview", {"action": "retry", "filter": {"class": "secret_class"}})
        for path in ("/bulk-actions", "/bulk-actions/bulk-1", "/bulk-actions/bulk-1/results"):
            ask("GET", path)
        ask("POST", "/bulk-actions/bulk-1/cancel", reason="x")
        ask("GET", "/runs/run-1/critical-path")
        ask("GET", "/artifacts/" + shared)
        ask("GET", f"/artifacts/{shared}/lineage")
        ask("GET", "/sources")
        ask("GET", "/sources/feed")
        ask("PUT", "/sources/mine", {"kind": "vex", "url": "https://10.0.0.1/x", "secrets": {"a": "env:SECRET"}})
        for verb in ("enable", "disable", "trigger", "test"):
            ask("POST", f"/sources/feed/{verb}", {"path": "x"} if verb == "test" else {} if verb == "trigger" else None, reason="x")
        for path in ("/sources", "/sources/feed/versions", "/sources/feed/versions/1", "/sources/feed/diff", "/sources/mine/versions",
                     "/job-types/mine/versions", "/job-types/demo/versions"):
            ask("GET", path)
        ask("GET", "/job-types/mine")
        ask("GET", "/jobs", X_Stella_Tenant="other")
        ask("GET", "/jobs", X_Stella_Tenant="nobody")
        ask("POST", "/jobs", {"jobs": [{"type": "demo", "key": "key-1"}, {"type": "mine"}]})
        ask("POST", "/jobs", {"jobs": [{"type": "demo", "key": "key-1"}]})
        ask("POST", "/jobs", {"jobs": [{"type": "demo", "key": "key-2", "source": "feed"}]})
        ask("POST", "/runs", {"key": "run-key", "jobs": [{"name": "a", "type": "demo"}]})
        ask("GET", "/jobs/job-1/explain")
        ask("POST", "/workers/register", {"worker": "w", "version": "1", "slots": 1, "job_types": ["demo"]}, worker)
        for method, path in (("GET", "/workers"), ("GET", "/workers/w"), ("GET", "/workers/theirs"), ("POST", "/workers/theirs/drain"),
                             ("POST", "/workers/w/drain"), ("POST", "/workers/w/resume")):
            ask(method, path, reason="x")
        lease = ask("POST", "/leases/claim", {"claim_id": "c", "worker": "w", "job_types": ["demo"], "max": 10}, worker).json["leases"][0]
        ask("POST", "/leases/complete", {"worker": "w", "reports": [
            {"lease": lease["lease"], "grant": 1}, {"lease": "3.1.1", "grant": 1}, {"lease": "3.41.1", "grant": 1}]}, worker)
        ask("POST", "/leases/heartbeat", {"worker": "w", "leases": [{"lease": "3.2.1", "grant": 1}]}, worker)
        ask("PUT", "/artifacts/" + shared, b"shared bytes")
        ask("GET", "/jobs?key=key-1")
        ask("GET", "/jobs?limit=1")
        ask("GET", "/jobs?state=dead")
        ask("GET", "/runs")
        ask("GET", "/jobs/job-1/history")
        ask("GET", "/history?after=0&limit=1000")
        ask("GET", "/whoami")
        ask("GET", "/tenants")
        self.assertEqual(node.close(), 0)
        return said

    def test_the_other_tenant_cannot_be_seen(self):
        still, noisy = self.answers_in(quiet), self.answers_in(loud)
        for one, two in zip(still, noisy):
            # The token's own number counts tokens of the installation; everything else is the tenant's.
            self.assertEqual(re.sub(rb"tok-\d+", b"tok", one[4]), re.sub(rb"tok-\d+", b"tok", two[4]), one[:3])
            self.assertEqual(one[:4], two[:4])


if __name__ == "__main__":
    unittest.main()
