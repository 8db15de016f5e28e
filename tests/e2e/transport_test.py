"""HTTP itself: keep-alive, chunks, HEAD, 100-continue, slow and rude clients, limits."""
import hashlib
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import unittest

from rig import PROGRAM, Node, clean_environment, read_answer, until


class Transport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node("--http-idle-timeout-s", "2", "--http-receive-timeout-s", "1", "--http-connections", "64")
        cls.node.tenant("acme")
        cls.node.job_type("demo")

    @classmethod
    def tearDownClass(cls):
        assert cls.node.close() == 0

    def head(self, method, path, *headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.node.admin}", "X-Stella-Tenant: acme", *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def test_many_requests_on_one_connection(self):
        connection = self.node.raw()
        for n in range(50):
            body = json.dumps({"jobs": [{"type": "demo", "payload": n}]}).encode()
            connection.sendall(self.head("POST", "/api/v1/jobs", "Content-Type: application/json", f"Content-Length: {len(body)}") + body)
            self.assertEqual(read_answer(connection).status, 201)
            connection.sendall(self.head("GET", "/api/v1/nothing"))
            self.assertEqual(read_answer(connection).status, 404)
        connection.close()

    def test_pipelined_requests_are_answered_in_order(self):
        connection = self.node.raw()
        connection.sendall(b"".join(self.head("GET", f"/api/v1/jobs?limit={n}", f"X-Request-Id: id-{n}") for n in (1, 2, 3)))
        with connection.makefile("rb") as stream:
            text = b""
            while text.count(b"next_cursor") < 3:
                text += stream.read1(65536)
        places = [text.find(f"id-{n}".encode()) for n in (1, 2, 3)]
        self.assertEqual(places, sorted(places))
        connection.close()

    def test_a_refusal_keeps_the_connection(self):
        connection = self.node.raw()
        for content_type in ("text/plain", "application/json"):
            body = b'{"jobs":[{"type":"demo"}]}'
            connection.sendall(self.head("POST", "/api/v1/jobs", f"Content-Type: {content_type}", f"Content-Length: {len(body)}") + body)
            self.assertEqual(read_answer(connection).status, 415 if content_type == "text/plain" else 201)
        connection.close()

    def test_chunks_of_any_size(self):
        body = json.dumps({"jobs": [{"type": "demo", "payload": "é" * 3000}] * 3}).encode()
        for size in (1000, 7, 50000):
            connection = self.node.raw()
            connection.sendall(self.head("POST", "/api/v1/jobs", "Content-Type: application/json", "Transfer-Encoding: chunked"))
            for at in range(0, len(body), size):
                part = body[at:at + size]
                connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
            self.assertEqual(read_answer(connection).status, 201)
            connection.close()

    def test_continue(self):
        body = b'{"jobs":[{"type":"demo"}]}'
        connection = self.node.raw()
        connection.sendall(self.head("POST", "/api/v1/jobs", "Content-Type: application/json", f"Content-Length: {len(body)}",
                                     "Expect: 100-continue"))
        self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 100"))
        connection.sendall(body)
        self.assertEqual(read_answer(connection).status, 201)
        connection.close()
        connection = self.node.raw()
        connection.sendall(self.head("POST", "/api/v1/jobs", "Content-Type: application/json", "Content-Length: 99999999999",
                                     "Expect: 100-continue"))
        self.assertEqual(read_answer(connection).status, 413, "refused before it was sent")
        connection.close()

    def test_a_stranger_is_refused_before_the_body(self):
        connection = self.node.raw()
        head = self.head("POST", "/api/v1/jobs", "Content-Type: application/json", "Content-Length: 8000000")
        connection.sendall(head.replace(self.node.admin.encode(), b"stl_" + b"A" * 43))
        self.assertEqual(read_answer(connection).status, 401, "nothing of the body was sent")
        connection.close()

    def test_the_first_request_of_a_token_may_have_a_body(self):
        data = os.urandom(3_000_000)
        for method, path, body, status in (
                ("POST", "/api/v1/jobs", json.dumps({"jobs": [{"type": "demo", "payload": "x" * 200_000}]}).encode(), 201),
                ("PUT", "/api/v1/artifacts/" + hashlib.sha256(data).hexdigest(), data, 201),
                ("GET", "/api/v1/jobs?limit=1", b"", 200)):
            token = self.node.token("acme", "orch:read", "orch:submit", "orch:work")
            head = self.head(method, path, "Content-Type: application/json", f"Content-Length: {len(body)}")
            connection = self.node.raw()
            connection.sendall(head.replace(self.node.admin.encode(), token.encode()) + body)
            self.assertEqual(read_answer(connection).status, status, path)
            connection.close()

    def test_head(self):
        for path in ("/livez", "/api/v1/jobs"):
            get, head = (self.node.send(method, path, None, {"Authorization": "Bearer " + self.node.admin, "X-Stella-Tenant": "acme"})
                         for method in ("GET", "HEAD"))
            self.assertEqual((head.status, head.body), (200, b""))
            self.assertEqual(head.headers["Content-Type"], get.headers["Content-Type"])

    def answer_to(self, request):
        """What is answered until the server closes: (head, body)."""
        connection = self.node.raw()
        connection.sendall(request)
        text = b""
        try:
            while chunk := connection.recv(65536):
                text += chunk
        except ConnectionResetError:
            pass  # It closed with bytes of ours unread.
        connection.close()
        head, _, body = text.partition(b"\r\n\r\n")
        return head.decode(), body

    def test_what_two_readers_could_take_differently_is_refused_and_the_connection_closed(self):
        post = lambda *headers: self.head("POST", "/api/v1/jobs", "Content-Type: application/json", *headers)
        for request, why in (
                (post("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", "exclude each other"),
                (post("Content-Length: 2", "Content-Length: 3") + b"{}", "more than once"),
                (post("Transfer-Encoding: gzip"), "other than chunked"), (post("Transfer-Encoding: chunked, gzip"), "other than chunked"),
                (post("Host: y", "Content-Length: 2") + b"{}", "one Host"), (b"GET /livez HTTP/1.1\r\n\r\n", "one Host"),
                (self.head("GET", "/livez", "X-Spaced : 1"), "ends with a space"), (self.head("GET", "/api/v1/sources/a b"), "space")):
            head, body = self.answer_to(request)
            self.assertRegex(head, r"^HTTP/1.1 400 ", request)
            self.assertIn("Connection: close", head)
            problem = json.loads(body)
            self.assertEqual((problem["code"], f"X-Request-Id: {problem['request_id']}" in head), ("invalid_request", True), request)
            self.assertIn(why, problem["detail"])
        self.assertRegex(self.answer_to(b"GET /livez HTTP/1.0\r\n\r\n")[0], "^HTTP/1.1 200 ")

    def test_what_the_transport_cannot_read_is_answered_by_itself_and_the_connection_closed(self):
        """libmicrohttpd's own pages: docs/internals/api.md lists them; no handler of ours is asked."""
        large, post = "x" * 40000, lambda header, body=b"": self.head("POST", "/api/v1/jobs", header) + body
        for status, request in (
                (400, b"GET /livez\r\n\r\n"), (505, b"GET /livez HTTP/3.0\r\nHost: x\r\n\r\n"),
                (400, self.head("GET", "/livez", "no colon")), (431, self.head("GET", "/livez", "X-Long: " + large)),
                (431, self.head("GET", "/livez", *[f"X-{n}: 1" for n in range(5000)])), (414, self.head("GET", "/" + large)),
                (400, post("Content-Length: five")), (400, post("Content-Length: -1")), (413, post("Content-Length: " + "9" * 30)),
                (400, post("Transfer-Encoding: chunked", b"zz\r\n")), (413, post("Transfer-Encoding: chunked", b"f" * 20 + b"\r\n"))):
            head, body = self.answer_to(request)
            self.assertRegex(head, f"^HTTP/1.1 {status} ", request[:80])
            self.assertIn("Connection: close", head)
            length = int(re.search("Content-Length: ([0-9]+)", head).group(1))
            self.assertLessEqual(length, len(body), "0.9.75 sends the head of some twice")
        self.assertEqual(self.node.send("GET", "/livez").status, 200)

    def test_a_problem_names_its_request(self):
        problem = self.node.call("GET", "/jobs/job-9", tenant="acme", X_Request_Id="mine-7")
        self.assertEqual((problem.json["request_id"], problem.headers["X-Request-Id"]), ("mine-7", "mine-7"))
        made = self.node.call("GET", "/jobs/job-9", tenant="acme")
        self.assertEqual(made.json["request_id"], made.headers["X-Request-Id"])

    def test_request_ids(self):
        sent = self.node.send("GET", "/livez", None, {"X-Request-Id": "abc-123"})
        self.assertEqual(sent.headers["X-Request-Id"], "abc-123")
        made = [self.node.send("GET", "/livez", None, {"X-Request-Id": "with space"} if n else {}).headers["X-Request-Id"] for n in (0, 1)]
        self.assertNotEqual(made[0], made[1])
        self.assertTrue(all(name.startswith("req-") for name in made))

    def test_headers_have_a_limit(self):
        connection = self.node.raw()
        connection.sendall(self.head("GET", "/livez", "X-Long: " + "x" * 20000))
        answer = connection.recv(1000)
        self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:80])
        connection.close()
        self.assertEqual(self.node.send("GET", "/livez").status, 200)

    def test_slow_clients_are_cut(self):
        def is_cut(connection, drop):
            try:
                if drop:
                    connection.sendall(drop)
                return connection.recv(100) == b""
            except TimeoutError:
                return False
            except OSError:
                return True
        for drop, head in ((b"", b""), (b"x", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")):
            connection = self.node.raw()
            connection.settimeout(0.2)  # The pace of the drops.
            connection.sendall(head)
            until(lambda c=connection, d=drop: is_cut(c, d), "the client is cut")
            connection.close()

    def test_too_many_connections_do_not_stop_the_others(self):
        held = [self.node.raw() for _ in range(63)]
        extra = [self.node.raw() for _ in range(20)]
        held[0].sendall(self.head("GET", "/livez"))
        self.assertEqual(read_answer(held[0]).status, 200)
        for connection in held + extra:
            connection.close()

        def answers():
            try:
                return self.node.send("GET", "/livez").status == 200
            except OSError:
                return False
        until(answers, "the server answers after the crowd has gone")

    def test_uploads_that_stop_in_the_middle_leave_nothing(self):
        content = os.urandom(3000000)
        digest = hashlib.sha256(content).hexdigest()
        for cut in (0, 1000, 300000, 2900000):
            connection = self.node.raw()
            connection.sendall(self.head("PUT", "/api/v1/artifacts/" + digest, f"Content-Length: {len(content)}") + content[:cut])
            connection.close()
        self.assertEqual(self.node.call("GET", "/artifacts/" + digest, tenant="acme").status, 404)
        self.assertEqual(self.node.call("PUT", "/artifacts/" + digest, content, tenant="acme").status, 201)

    def test_a_slow_reader_gets_all_of_a_large_artifact(self):
        content = os.urandom(5000000)
        digest = hashlib.sha256(content).hexdigest()
        self.assertEqual(self.node.call("PUT", "/artifacts/" + digest, content, tenant="acme").status, 201)
        connection = self.node.raw()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.sendall(self.head("GET", "/api/v1/artifacts/" + digest))
        others = [threading.Thread(target=lambda: self.assertEqual(
            self.node.call("GET", "/artifacts/" + digest, tenant="acme").body, content)) for _ in range(4)]
        for thread in others:
            thread.start()
        for thread in others:
            thread.join()
        self.assertEqual(hashlib.sha256(read_answer(connection).body).hexdigest(), digest)
        connection.close()

    def test_a_client_that_is_gone_gets_no_lease(self):
        self.node.job_type("gone")
        body = json.dumps({"claim_id": "gone-1", "worker": "ghost", "job_types": ["gone"], "max": 1, "wait_ms": 20000}).encode()
        connection = self.node.raw()
        connection.sendall((f"POST /api/v1/leases/claim HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.node.worker}\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
        until(lambda: self.node.figure("stella_claims_parked") == 1, "the ghost waits")
        connection.close()
        job = self.node.submit("acme", {"type": "gone"})[0]
        lease = self.node.claim("gone", worker="alive", wait_ms=5000)[0]
        self.assertEqual((lease["job"], lease["grant"]), (job, 1), "the ghost was not given it first")

    def test_parked_claims_are_woken_by_a_submit(self):
        self.node.job_type("park")
        found = []
        waiting = [threading.Thread(target=lambda: found.extend(self.node.claim("park", number=1, wait_ms=15000))) for _ in range(5)]
        for thread in waiting:
            thread.start()
        until(lambda: self.node.figure("stella_claims_parked") == 5, "all of them wait")
        jobs = self.node.submit("acme", *[{"type": "park"}] * 5)
        for thread in waiting:
            thread.join()
        self.assertEqual(sorted(lease["job"] for lease in found), sorted(jobs))


class Exposure(unittest.TestCase):
    def serve(self, *flags):
        done = subprocess.run([PROGRAM, "orchestrator", "serve", "--data", "/nonexistent/folder/x", *flags], capture_output=True,
                              text=True, timeout=30, env=clean_environment(), check=False)
        return done.returncode, done.stderr

    def test_plain_http_stays_on_this_machine(self):
        node = Node()
        done = subprocess.run([PROGRAM, "orchestrator", "serve", *node.database.arguments, "--listen", "0.0.0.0:0"],
                              capture_output=True, text=True, timeout=30, env=clean_environment(), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("allow-plain-http", done.stderr)
        self.assertEqual(node.close(), 0)

    def test_tokens_are_secret_files(self):
        node = Node()
        path = os.path.join(node.data, "admin.token")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(node.log().count(node.admin), 1, "shown once")
        node.stop()
        node.start()
        self.assertEqual(node.log().count(node.admin), 1)
        self.assertEqual(node.call("GET", "/whoami").status, 200)
        node.stop()
        os.chmod(path, 0o644)
        with self.assertRaises(AssertionError):
            node.start()
        os.chmod(path, 0o600)
        node.close()

    def test_unknown_settings_are_errors(self):
        for flags in (["--nope", "1"], ["--http-threads", "0"], ["--http-threads", "x"], ["--http-threads"], ["stray"]):
            status, text = self.serve(*flags)
            self.assertEqual(status, 2, (flags, text))

    def test_serve_does_not_migrate(self):
        node = Node()
        node.close()
        with tempfile.TemporaryDirectory() as folder:
            status, text = self.serve("--data", folder, "--listen", "127.0.0.1:0")
            self.assertNotEqual(status, 0)
            self.assertIn("migrate", text)


if __name__ == "__main__":
    unittest.main()
