"""What need not be kept goes: payloads and keys of old jobs. Histories stay whole."""
import unittest

from rig import Node, until


class Retention(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node("--payload-retention-ms", "1", "--key-retention-ms", "1000", "--key-generation-ms", "1000",
                        "--retention-interval-ms", "50")
        cls.node.tenant("acme")
        cls.node.job_type("demo")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def call(self, method, path, **more):
        return self.node.call(method, path, tenant="acme", **more)

    def ended(self, type_, **job):
        job, = self.node.submit("acme", {"type": self.node.job_type(type_), **job})
        lease = self.node.claim(type_, number=1)[0]
        self.node.work("complete", {"worker": "w/1", "reports": [{"lease": lease["lease"], "grant": lease["grant"], "result": {"r": 1}}]})
        return job

    def test_a_payload_is_erased_and_said_to_be(self):
        job = self.ended("heavy", payload={"secret": 1})
        until(lambda: self.call("GET", f"/jobs/{job}/payload").status == 410, "the payload is erased")
        self.assertEqual("payload_erased", self.call("GET", f"/jobs/{job}/payload").code)
        self.assertEqual("payload_erased", self.call("POST", f"/jobs/{job}/replay", reason="again").code)
        self.assertEqual("succeeded", self.node.job("acme", job)["state"])
        types = [line["type"] for line in self.node.history("acme") if line.get("job") == job]
        self.assertEqual(["job.submitted", "job.leased", "job.succeeded"], [name for name in types if name != "job.running"])

    def test_a_key_may_be_used_again_when_its_job_is_long_over(self):
        job = self.ended("keyed", key="again")
        until(lambda: self.node.submit("acme", {"type": "keyed", "key": "again"}) != [job], "the key makes a new job")

    def test_a_key_of_a_live_job_stays(self):
        job, = self.node.submit("acme", {"type": "demo", "key": "live", "delay_ms": 3600000})
        runs = self.node.figure("stella_retention_runs_total")
        until(lambda: self.node.figure("stella_retention_runs_total") > runs + 3, "retention ran")
        self.assertEqual([job], self.node.submit("acme", {"type": "demo", "key": "live", "delay_ms": 3600000}))


if __name__ == "__main__":
    unittest.main()
