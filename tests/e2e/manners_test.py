"""What HTTP promises beside the bodies: conditions, links, limits, OPTIONS and HEAD, discovery, and who may read the figures."""
import http.client
import json
import socket
import unittest

from rig import Node


class Manners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = node = Node("--max-lanes", "2", "--parked-max", "1")
        node.tenant("acme", max_live_jobs=5)
        node.job_type("demo")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    # --- conditions ---

    def test_a_write_says_what_it_replaces(self):
        put = lambda body, **more: self.node.call("PUT", "/sources/conditional", body, tenant="acme", **more)
        self.assertEqual(put({}, match="*").code, "precondition_failed", "there is none that could match")
        self.assertEqual((put({}).status, put({}).code), (201, "precondition_required"))
        stale = put({}, match='"9"')
        self.assertEqual((stale.status, stale.code, stale.headers["ETag"]), (412, "precondition_failed", '"1"'))
        self.assertEqual(put({}, match='W/"1"').code, "precondition_failed", "a weak tag never matches")
        self.assertEqual(put({}, If_None_Match="*").code, "precondition_failed")
        self.assertEqual(put({"kind": "vex"}, match="*").headers["ETag"], '"2"')
        self.assertEqual(self.node.call("PUT", "/sources/only-new", {}, tenant="acme", If_None_Match="*").status, 201)

    def test_a_tenant_is_changed_at_the_version_that_was_read(self):
        self.node.tenant("conditional")
        change = lambda **more: self.node.call("PATCH", "/tenants/conditional", {"weight": 3}, reason="x", **more)
        self.assertEqual(change().code, "precondition_required")
        refused = change(match='"5"')
        self.assertEqual((refused.code, refused.headers["ETag"]), ("precondition_failed", '"1"'))
        self.assertEqual((change(match="*").status, change(match='"2"').status), (200, 200))

    def test_an_unchanged_thing_is_not_sent_again(self):
        self.node.call("PUT", "/job-types/known", {}, tenant="acme")
        for tag in ('"1"', 'W/"1"', '"7", "1"', "*"):
            again = self.node.call("GET", "/job-types/known", tenant="acme", If_None_Match=tag)
            self.assertEqual((again.status, again.body, again.headers["ETag"]), (304, b"", '"1"'), tag)
        self.assertEqual(self.node.call("GET", "/job-types/known", tenant="acme", If_None_Match='"2"').status, 200)

    def test_what_is_inherited_has_no_tag_to_replace(self):
        inherited = self.node.call("GET", "/job-types/demo", tenant="acme")
        self.assertTrue(inherited.json["inherited"])
        self.assertNotIn("ETag", inherited.headers)
        self.assertNotIn("inherited", self.node.call("GET", "/job-types/demo").json)

    # --- links ---

    def test_a_page_links_to_the_next_with_its_filters(self):
        for number in range(3):
            self.node.call("PUT", f"/job-types/page-{number}", {})
        raw = http.client.HTTPConnection("127.0.0.1", self.node.port)
        raw.request("GET", "/api/v1/job-types?limit=2", headers={"Authorization": "Bearer " + self.node.admin})
        found = raw.getresponse()
        body, all_links = json.loads(found.read()), found.headers.get_all("Link")
        raw.close()
        following = [link for link in all_links if link.endswith('rel="next"')]
        self.assertEqual(following, [f'</api/v1/job-types?limit=2&cursor={body["next_cursor"]}>; rel="next"'])
        self.assertIn('</openapi.json#/components/schemas/JobTypePage>; rel="describedby"', all_links)
        address = following[0].split(">")[0].lstrip("<")
        self.assertEqual(self.node.call("GET", address.removeprefix("/api/v1")).json["items"][0]["name"], "page-1")

    # --- limits ---

    def test_a_submit_tells_how_much_room_is_left(self):
        made = self.node.call("POST", "/jobs", {"jobs": [{"type": "demo"}] * 2}, tenant="acme")
        self.assertEqual(made.headers["RateLimit-Policy"], '"live-jobs";q=5;qu="concurrent-requests"')
        self.assertEqual(made.headers["RateLimit"], '"live-jobs";r=3')
        over = self.node.call("POST", "/jobs", {"jobs": [{"type": "demo"}] * 9}, tenant="acme")
        self.assertEqual((over.status, over.code, over.json["violated-policies"]), (429, "too_many_jobs", ["live-jobs"]))
        self.assertRegex(over.headers["RateLimit"], r'^"live-jobs";r=3;t=\d+$')
        self.assertEqual(over.headers["RateLimit"].split("t=")[1], over.headers["Retry-After"])
        self.assertLessEqual(over.json["retry_after_ms"], 1000 * int(over.headers["Retry-After"]))

    def test_lanes_are_a_limit_too(self):
        for number in range(3):
            self.node.call("PUT", f"/sources/lane-{number}", {}, tenant="acme")
        answers = [self.node.call("POST", "/runs", {"jobs": [{"name": "a", "type": "demo", "source": f"lane-{number}"}]}, tenant="acme")
                   for number in range(3)]
        refused = [answer for answer in answers if answer.status == 429]
        self.assertTrue(refused)
        self.assertEqual((refused[0].code, refused[0].json["violated-policies"]), ("too_many_lanes", ["lanes"]))
        self.assertEqual(refused[0].headers["RateLimit-Policy"], '"lanes";q=2;qu="concurrent-requests"')

    # --- methods and discovery ---

    def test_options_and_head(self):
        options = self.node.send("OPTIONS", "/api/v1/jobs")
        self.assertEqual((options.status, options.body, options.headers["Allow"]), (204, b"", "GET, HEAD, POST, OPTIONS"))
        self.assertEqual(self.node.send("OPTIONS", "/nowhere").code, "not_found")
        with socket.create_connection(("127.0.0.1", self.node.port), timeout=30) as bare:
            bare.sendall(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertTrue(bare.recv(4096).startswith(b"HTTP/1.1 204"))
        for path in ("/livez", "/openapi.json", "/.well-known/api-catalog"):
            whole, head = self.node.send("GET", path), self.node.send("HEAD", path)
            self.assertEqual((head.status, head.body), (200, b""), path)
            self.assertEqual(head.headers["Content-Length"], str(len(whole.body)), path)

    def test_the_description_is_found_from_well_known_places(self):
        self.assertEqual(self.node.send("GET", "/.well-known/openapi").json, self.node.send("GET", "/openapi.json").json)
        catalog = self.node.send("GET", "/.well-known/api-catalog")
        self.assertTrue(catalog.headers["Content-Type"].startswith("application/linkset+json"))
        self.assertIn('rel="api-catalog"', catalog.headers["Link"])
        for link in catalog.json["linkset"]:
            for relation in ("service-desc", "status"):
                for target in link[relation]:
                    self.assertEqual(self.node.send("GET", target["href"]).status, 200)


class Figures(unittest.TestCase):
    def of(self, *flags):
        node = Node(*flags)
        self.addCleanup(node.close)
        node.tenant("acme")
        return node

    def test_local_figures_are_free_and_others_need_a_token(self):
        node = self.of()
        self.assertEqual(node.send("GET", "/metrics").status, 200)
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            self.assertEqual(node.send("GET", "/metrics", headers={header: "203.0.113.7"}).code, "unauthenticated", header)
        through_proxy = {"X-Forwarded-For": "203.0.113.7"}
        reader = node.call("POST", "/tokens", {"name": "scraper", "tenant": None, "scopes": ["orch:read"]}).json["token"]
        self.assertEqual(node.call("GET", "//metrics", token=reader, **through_proxy).status, 200)
        theirs = node.token("acme", "orch:read", "orch:operate")
        self.assertEqual(node.call("GET", "//metrics", token=theirs, **through_proxy).code, "forbidden", "they name other tenants' types")
        self.assertEqual(node.call("GET", "//metrics", token=node.worker, **through_proxy).code, "forbidden")

    def test_figures_for_nobody_without_a_token(self):
        node = self.of("--metrics-access", "token")
        self.assertEqual(node.send("GET", "/metrics").code, "unauthenticated")
        self.assertEqual(node.call("GET", "//metrics").status, 200)

    def test_figures_for_everybody(self):
        node = self.of("--metrics-access", "open")
        self.assertEqual(node.send("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status, 200)


if __name__ == "__main__":
    unittest.main()
