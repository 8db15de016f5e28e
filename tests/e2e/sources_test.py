"""Sources and job types: versions, what changed, readiness, switching, triggering and trying; secrets stay references."""
import http.server
import os
import tempfile
import threading
import unittest

from rig import Node

CANARY = "canary-4f1d9c7e-do-not-show"


class Feed(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/feed/away.json":
            self.send_response(503)
            self.send_header("Retry-After", "7")
            self.end_headers()
            return
        if self.path == "/feed/inside":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest")
            self.end_headers()
            return
        if self.path == "/feed/osv.json":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(b'{"id": "GO-1", "modified": "2026-01-01T00:00:00Z"}')
            return
        self.send_response(200 if self.path == "/feed/one.json" else 404)
        self.end_headers()
        self.wfile.write(b'{"id": 1}')

    def log_message(self, *_):
        pass


class Sources(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="stella-sources-")
        cls.feeds, cls.secrets = os.path.join(cls.folder.name, "feeds"), os.path.join(cls.folder.name, "secrets")
        os.makedirs(os.path.join(cls.feeds, "osv"))
        os.makedirs(os.path.join(cls.secrets, "acme"))
        os.symlink("/etc", os.path.join(cls.feeds, "out"))
        for path in (os.path.join(cls.feeds, "osv", "a.json"), os.path.join(cls.secrets, "acme", "key")):
            with open(path, "w", encoding="ascii") as file:
                file.write('{"secret": "' + CANARY + '"}')
        cls.node = node = Node("--source-roots", cls.feeds, "--secrets", cls.secrets, "--secret-env", "acme/PATH, acme/NOT_SET_HERE",
                               "--config-versions", "5")
        for tenant in ("acme", "other"):
            node.tenant(tenant)
        node.job_type("advisory.ingest")
        node.call("POST", "/workers/register", {"worker": "w", "version": "1", "slots": 1, "job_types": ["advisory.ingest"]},
                  token=node.worker)

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0
        cls.folder.cleanup()

    def put(self, name, body, **more):
        return self.node.call("PUT", "/sources/" + name, body, tenant="acme", **more)

    def get(self, path, tenant="acme", **more):
        return self.node.call("GET", path, tenant=tenant, **more)

    def post(self, path, body=None, **more):
        return self.node.call("POST", path, body, tenant="acme", **more)

    # --- versions ---

    def test_every_version_is_kept_with_its_reason(self):
        self.put("kept", {"kind": "vex"})
        self.put("kept", {"kind": "sbom", "settings": {"deep": {"a": 1}}}, match='"1"', reason="moved")
        self.put("kept", {"kind": "sbom", "settings": {"deep": {"a": 2, "b/c": [1]}}}, match='"2"')
        page = self.get("/sources/kept/versions?limit=2")
        self.assertEqual([item["version"] for item in page.json["items"]], [3, 2])
        self.assertEqual(page.json["items"][1]["reason"], "moved")
        rest = self.get(f'/sources/kept/versions?limit=2&cursor={page.json["next_cursor"]}').json
        self.assertEqual(([item["version"] for item in rest["items"]], rest["next_cursor"]), ([1], None))
        old = self.get("/sources/kept/versions/1")
        self.assertEqual((old.json["body"], old.headers["ETag"]), ({"kind": "vex"}, '"1"'))
        self.assertEqual(self.get("/sources/kept/diff").json["changes"],
                         [{"op": "replace", "path": "/settings/deep/a", "value": 2, "was": 1},
                          {"op": "add", "path": "/settings/deep/b~1c", "value": [1]}])
        whole = self.get("/sources/kept/diff?from=1&to=3").json
        self.assertEqual((whole["from"], whole["to"], [change["path"] for change in whole["changes"]]), (1, 3, ["/kind", "/settings"]))
        back = self.get("/sources/kept/diff?from=3&to=1").json
        self.assertEqual([change["op"] for change in back["changes"]], ["replace", "remove"])

    def test_the_oldest_versions_are_forgotten(self):
        for version in range(8):
            self.put("long", {"burst": version + 1}, **({"match": f'"{version}"'} if version else {}))
        self.assertEqual([item["version"] for item in self.get("/sources/long/versions").json["items"]], [8, 7, 6, 5, 4])
        self.assertEqual(self.get("/sources/long/versions/3").code, "not_found")
        self.assertEqual(self.get("/sources/long/diff?from=2&to=8").code, "not_found")

    def test_versions_that_are_not_there(self):
        self.put("short", {})
        for path in ("/sources/nobody/versions", "/sources/nobody/diff", "/sources/short/versions/2", "/sources/short/versions/x",
                     "/sources/short/diff", "/sources/short/diff?from=1&to=9"):
            self.assertEqual(self.get(path).code, "not_found", path)
            self.assertEqual(self.get(path, tenant="other").code, "not_found", path)
        self.assertEqual(self.get("/sources/short/diff?from=0").code, "invalid_request")

    def test_job_types_have_versions_too(self):
        self.node.job_type("versioned")
        self.node.call("PUT", "/job-types/versioned", {"max_attempts": 9}, match='"1"')
        self.assertEqual(self.get("/job-types/versioned/diff", tenant=None).json["changes"],
                         [{"op": "replace", "path": "/max_attempts", "value": 9, "was": 5}])
        self.assertEqual(len(self.get("/job-types/versioned/versions").json["items"]), 2, "the installation's, seen by a tenant")
        self.node.job_type("versioned", tenant="acme")
        self.assertEqual(len(self.get("/job-types/versioned/versions").json["items"]), 1, "its own")
        self.assertEqual(self.get("/job-types/versioned/versions/1", tenant=None).json["body"]["max_attempts"], 5)

    # --- secrets ---

    def test_a_literal_secret_is_refused_and_never_shown(self):
        for body, pointer in (({"secrets": {"authorization": CANARY}}, "/secrets/authorization"),
                              ({"secrets": {"a": "env:"}}, "/secrets/a"), ({"secrets": {"a": "file:../x"}}, "/secrets/a"),
                              ({"secrets": {"a": "file:/etc/shadow"}}, "/secrets/a"), ({"secrets": {"a": 5}}, "/secrets/a"),
                              ({"settings": {"api-key": CANARY}}, "/settings/api-key"),
                              ({"settings": {"x": [{"Password": CANARY}]}}, "/settings/x/0/Password"),
                              ({"settings": {"credentials_token": [CANARY]}}, "/settings/credentials_token/0"),
                              ({"url": f"https://me:{CANARY}@example.org/feed"}, "/url")):
            answer = self.put("literal", body)
            self.assertEqual((answer.status, answer.code, answer.json["pointer"]), (422, "literal_secret", pointer), body)
            self.assertNotIn(CANARY.encode(), answer.body)
        self.assertEqual(self.get("/sources/literal").code, "not_found")
        self.assertEqual(self.put("reference", {"settings": {"api_key": "env:PATH", "token": None}}).status, 201)
        self.assertNotIn(CANARY, self.node.log())
        self.assertNotIn(CANARY, str(self.node.history("acme")))

    # --- readiness ---

    def readiness(self, name, body):
        old = self.get("/sources/" + name)
        self.put(name, body, **({"match": old.headers["ETag"]} if old.status == 200 else {}))
        found = self.get("/sources/" + name).json["readiness"]
        for reason in found["reasons"]:
            self.assertTrue(reason["fix"].endswith("."), reason)
        return found["state"], [reason["code"] for reason in found["reasons"]]

    def test_what_is_in_the_way_is_said_with_its_mend(self):
        fine = {"kind": "advisory-osv"}
        feeds = "file://" + self.feeds
        for body, expected in ((fine, []), ({**fine, "url": feeds + "/osv"}, []), ({"kind": "vex"}, ["unknown_job_type"]), ({}, ["no_job_type"]),
                               ({"job_type": "advisory.ingest"}, []), ({**fine, "url": "file:/etc"}, ["file_outside_roots"]),
                               ({**fine, "url": feeds + "-other"}, ["file_outside_roots"]), ({**fine, "url": feeds + "/none"}, ["folder_missing"]),
                               ({**fine, "url": feeds + "/out"}, ["folder_missing"]), ({**fine, "url": feeds + "/../secrets"}, ["folder_missing"]),
                               ({**fine, "url": "https://10.1.2.3/x"}, ["address_private"]), ({**fine, "url": "http://[::1]:80/"}, ["address_private"]),
                               ({**fine, "url": "http://localhost/"}, ["address_private"]), ({**fine, "url": "https://example.org/x"}, []),
                               ({**fine, "url": "ftp://example.org/x"}, ["url_unusable"]),
                               ({**fine, "secrets": {"a": "env:PATH", "b": "file:key"}}, []),
                               ({**fine, "secrets": {"a": "env:HOME"}}, ["secret_unresolved"]),
                               ({**fine, "secrets": {"a": "env:NOT_SET_HERE"}}, ["secret_unresolved"]),
                               ({**fine, "secrets": {"a": "file:other"}}, ["secret_unresolved"])):
            self.assertEqual(self.readiness("ready", body), ("blocked" if expected else "ready", expected), body)
        self.assertEqual(self.readiness("ready", {**fine, "enabled": False}), ("disabled", ["disabled"]))

    def test_without_a_worker_a_source_is_blocked_and_its_job_waits(self):
        self.node.job_type("unserved")
        self.assertEqual(self.readiness("idle", {"job_type": "unserved"}), ("blocked", ["no_worker"]))
        self.assertEqual(self.post("/sources/idle/trigger", {}, reason="x").status, 201)
        token = self.node.token("acme", "orch:work")
        self.node.call("POST", "/workers/register", {"worker": "own", "version": "1", "slots": 1, "job_types": ["unserved"]}, token=token)
        self.assertEqual(self.get("/sources/idle").json["readiness"]["state"], "ready")

    # --- on, off, now ---

    def test_switching_keeps_the_rest_and_leaves_a_line(self):
        self.put("switch", {"kind": "advisory-osv", "settings": {"kept": True}})
        self.assertEqual(self.post("/sources/switch/disable").code, "reason_required")
        off = self.post("/sources/switch/disable", reason="broken")
        self.assertEqual((off.json["enabled"], off.json["version"], off.headers["ETag"], off.json["readiness"]["state"]),
                         (False, 2, '"2"', "disabled"))
        self.assertEqual(off.json["settings"], {"kept": True})
        self.assertEqual(self.post("/sources/switch/disable", reason="again").json["version"], 2, "it was so already")
        self.assertEqual(self.post("/sources/switch/enable", reason="x", match='"1"').code, "precondition_failed")
        self.assertEqual(self.post("/sources/switch/enable", reason="mended", match='"2"').json["version"], 3)
        self.assertEqual(self.post("/sources/nobody/enable", reason="x").code, "not_found")
        lines = [(line["type"], line["facts"]["action"], line["facts"]["reason"]) for line in self.node.history("acme")
                 if line["type"].startswith("control.") and line["facts"]["about"] == "switch"]
        self.assertEqual(lines, [("control.accepted", "source.disable", "broken"), ("control.accepted", "source.disable", "again"),
                                 ("control.denied", "source.enable", "x"), ("control.accepted", "source.enable", "mended")])

    def test_a_trigger_submits_the_sources_job(self):
        self.put("now", {"kind": "advisory-osv", "paths": ["a.json"]})
        self.assertEqual(self.post("/sources/now/trigger", {}).code, "reason_required")
        job = self.post("/sources/now/trigger", {"priority": 7}, reason="new advisory", key="t-1")
        self.assertEqual((job.status, job.json["type"], job.json["source"], job.json["priority"]), (201, "advisory.ingest", "now", 7))
        self.assertEqual(self.post("/sources/now/trigger", {"priority": 7}, reason="new advisory", key="t-1").json["id"], job.json["id"])
        self.assertEqual(self.get(f'/jobs/{job.json["id"]}/payload').json, {"paths": ["a.json"], "source": "now"})
        other = self.post("/sources/now/trigger", {"payload": [1]}, reason="by hand").json["id"]
        self.assertEqual(self.get(f"/jobs/{other}/payload").json, [1])
        self.put("now", {"kind": "advisory-osv", "enabled": False}, match='"1"')
        refused = self.post("/sources/now/trigger", {}, reason="x")
        self.assertEqual((refused.code, refused.json["pointer"]), ("source_not_ready", "/enabled"))
        self.assertEqual(self.post("/sources/nobody/trigger", {}, reason="x").code, "not_found")
        self.assertIn("source.trigger", [line["facts"].get("action") for line in self.node.history("acme")])

    # --- a try ---

    def test_a_try_fetches_and_keeps_nothing(self):
        self.put("tried", {"kind": "advisory-osv", "url": "file:" + self.feeds + "/osv", "paths": ["a.json"]})
        before = self.node.fingerprint("acme")
        fine = self.post("/sources/tried/test", {})
        self.assertEqual((fine.json["ok"], fine.json["trial"]["looks_like"], fine.json["trial"]["path"]), (True, "json", "a.json"), fine)
        self.assertEqual((fine.json["trial"]["answers"], fine.json["trial"]["format"]), ([], "unknown"), "a folder has no answers")
        self.assertNotIn(CANARY.encode(), fine.body, "what was fetched is not shown")
        for path, error_class in (("none.json", "not_found"), ("../../secrets/acme/key", "bad_path")):
            tried = self.post("/sources/tried/test", {"path": path}).json
            self.assertFalse(tried["ok"], tried)
            self.assertEqual(tried["trial"]["class"], error_class, tried)
        self.assertEqual(self.post("/sources/nobody/test", {}).code, "not_found")
        self.assertEqual(self.node.fingerprint("acme"), before)

    def test_a_try_does_not_reach_in(self):
        self.put("inner", {"kind": "advisory-osv", "url": f"http://127.0.0.1:{self.node.port}", "paths": ["livez"]})
        tried = self.post("/sources/inner/test", {}).json
        self.assertEqual((tried["ok"], tried["readiness"]["state"]), (False, "blocked"))
        self.assertIn("refused", tried["trial"]["class"])
        self.assertEqual((tried["trial"]["bytes"], tried["trial"]["answers"]), (0, []), "nobody was asked")


class PrivateFeeds(unittest.TestCase):
    def test_where_private_addresses_are_allowed_a_feed_answers(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feed)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        node = Node("--source-private-addresses")
        try:
            node.tenant("acme")
            node.job_type("advisory.ingest")
            node.call("PUT", "/sources/web", {"kind": "advisory-osv", "url": f"http://127.0.0.1:{server.server_port}/feed"}, tenant="acme")
            found = node.call("GET", "/sources/web", tenant="acme").json["readiness"]["reasons"]
            self.assertEqual([reason["code"] for reason in found], ["no_worker"])
            test = lambda path: node.call("POST", "/sources/web/test", {"path": path}, tenant="acme").json["trial"]
            self.assertEqual((test("one.json")["class"], test("one.json")["bytes"]), (None, 9))
            self.assertEqual((test("one.json")["looks_like"], test("one.json")["format"]), ("json", "unknown"))
            self.assertEqual(test("two.json")["class"], "not_found")
            self.assertEqual([answer["status"] for answer in test("two.json")["answers"]], [404])
            told = test("osv.json")
            self.assertEqual((told["format"], told["answers"]), ("osv", [
                {"content_type": "application/json", "etag": True, "last_modified": False, "status": 200,
                 "url": f"http://127.0.0.1:{server.server_port}/feed/osv.json"}]))
            self.assertEqual([answer["status"] for answer in test("inside")["answers"]][:1], [302])
            self.assertEqual((test("away.json")["class"], test("away.json")["retry_after_ms"]), ("throttled", 7000))
        finally:
            server.shutdown()
            server.server_close()
            self.assertEqual(node.close(), 0)


if __name__ == "__main__":
    unittest.main()
