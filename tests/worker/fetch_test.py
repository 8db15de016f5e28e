"""Reading documents, against a scripted upstream on real sockets and a scripted folder.

Usage: fetch_test.py FETCH_PROBE
"""

import email.utils
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROBE = sys.argv[1]
BODY = b'{"id": "GO-2024-0001"}'
EMPTY = hashlib.sha256(b"").hexdigest()


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []  # (path, If-None-Match)

    def log_message(self, *arguments):
        pass

    def give(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        Upstream.seen.append((self.path, self.headers["If-None-Match"]))
        name = self.path.split("?")[0].strip("/").split("/")[-1]
        act = getattr(self, "do_" + name.replace("-", "_").split(".")[0], None)
        if act is None:
            self.give(404, b"nothing here")
        else:
            act()

    def do_plain(self):
        self.give(200, BODY)

    def do_tagged(self):
        if self.headers["If-None-Match"] == '"v1"':
            self.give(304, ETag='"v1"')
        else:
            self.give(200, BODY, ETag='"v1"')

    def do_busy(self):
        self.give(429, b"later", Retry_After="7")

    def do_busy_date(self):
        at = email.utils.formatdate(time.time() + 100, usegmt=True)
        self.give(429, b"later", Retry_After=at)

    def do_down_for_a_while(self):
        self.give(503, b"later", Retry_After="3")

    def do_broken(self):
        self.give(500, b"oops")

    def do_forbidden(self):
        self.give(403, b"no")

    def do_truncated(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(BODY)
        self.close_connection = True

    def do_unfinished(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n")
        self.close_connection = True

    def do_large(self):
        self.give(200, b"x" * 100001)

    def do_large_unannounced(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass
        self.close_connection = True

    def do_slow(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x")
        self.wfile.flush()
        self.server.stopping.wait(20)
        self.close_connection = True

    def do_moved(self):
        self.give(302, Location="/feed/plain")

    def do_moved_signed(self):
        self.give(302, Location="/feed/described?token=hidden#part", Content_Type="text/html")

    def do_described(self):
        self.give(200, BODY, Content_Type="application/json; charset=utf-8\xff", Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT", ETag='"a"')

    def do_moved_away(self):
        self.give(302, Location="file:///etc/passwd")

    def do_moved_forever(self):
        self.give(302, Location="/feed/moved-forever")

    def do_moved_inside(self):
        # Another name for this very host: only the connected address tells that it is not public.
        self.give(302, Location="http://localhost:%d/feed/plain" % self.server.server_port)


def fetch(base, *paths, flags=("-p",)):
    out = subprocess.run([PROBE, *flags, base, *paths], capture_output=True, text=True, timeout=60)
    if out.returncode != 0:
        raise AssertionError(out.stderr)
    return [line.split()[:6] for line in out.stdout.splitlines()]


def answers(base, path):
    """What was answered on the way: STATUS,CONTENT_TYPE,VALIDATORS,URL of each."""
    out = subprocess.run([PROBE, "-p", base, path], capture_output=True, text=True, timeout=60, check=True)
    return out.stdout.split(maxsplit=6)[6:]


class WebTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        cls.server.daemon_threads = True
        cls.server.handle_error = lambda *arguments: None  # Clients that go away are part of it.
        cls.server.stopping = threading.Event()
        cls.thread = threading.Thread(target=cls.server.serve_forever, kwargs={"poll_interval": 0.02})
        cls.thread.start()
        cls.base = "http://127.0.0.1:%d/feed" % cls.server.server_port

    @classmethod
    def tearDownClass(cls):
        cls.server.stopping.set()
        cls.server.shutdown()
        cls.thread.join()
        cls.server.server_close()

    def test_a_document_arrives_whole(self):
        (line,) = fetch(self.base, "plain")
        self.assertEqual(line, ["ok", "-", "again", "0", "origin", hashlib.sha256(BODY).hexdigest()])

    def test_names_are_escaped(self):
        (line,) = fetch(self.base, "a b%/plain")
        self.assertEqual(line[0], "ok")
        self.assertIn("/feed/a%20b%25/plain", [path for path, _ in Upstream.seen])

    def test_an_unchanged_document_comes_from_the_cache(self):
        with tempfile.TemporaryDirectory() as cache:
            flags = ("-p", "-c", cache)
            self.assertEqual(fetch(self.base, "tagged", flags=flags)[0][4], "origin")
            again = fetch(self.base, "tagged", flags=flags)[0]
            self.assertEqual(again[4:], ["cache", hashlib.sha256(BODY).hexdigest()])
            self.assertEqual(Upstream.seen[-1][1], '"v1"')

    def test_a_damaged_cache_is_not_believed(self):
        with tempfile.TemporaryDirectory() as cache:
            flags = ("-p", "-c", cache)
            fetch(self.base, "tagged", flags=flags)
            (entry,) = os.listdir(cache)
            with open(os.path.join(cache, entry), "ab") as file:
                file.write(b"x")
            line = fetch(self.base, "tagged", flags=flags)[0]
            self.assertEqual(line[4:], ["origin", hashlib.sha256(BODY).hexdigest()])

    def test_retry_after_in_both_forms_is_a_throttle(self):
        self.assertEqual(fetch(self.base, "busy")[0][:4], ["throttled", "throttled", "again", "7000"])
        line = fetch(self.base, "busy-date")[0]
        self.assertEqual(line[0], "throttled")
        self.assertTrue(90000 <= int(line[3]) <= 100000, line)
        self.assertEqual(fetch(self.base, "down-for-a-while")[0][3], "3000")

    def test_errors_have_classes_and_say_whether_to_try_again(self):
        for name, expected in (("broken", ["failed", "http_5xx", "again"]),
                               ("forbidden", ["failed", "http_4xx", "permanent"]),
                               ("absent", ["failed", "not_found", "permanent"])):
            self.assertEqual(fetch(self.base, name)[0][:3], expected)
        self.assertEqual(fetch("http://127.0.0.1:1", "x")[0][:3], ["failed", "unreachable", "again"])

    def test_a_truncated_body_is_no_document(self):
        for name in ("truncated", "unfinished"):
            line = fetch(self.base, name)[0]
            self.assertEqual(line[:3] + line[5:], ["failed", "truncated", "again", EMPTY], name)

    def test_a_body_beyond_the_limit_is_refused(self):
        for name in ("large", "large-unannounced"):
            line = fetch(self.base, name, flags=("-p", "-m", "100000"))[0]
            self.assertEqual(line[:3], ["failed", "too_large", "permanent"], name)
        self.assertEqual(fetch(self.base, "large", flags=("-p", "-m", "100001"))[0][0], "ok")

    def test_a_body_that_stands_still_is_given_up(self):
        line = fetch(self.base, "slow", flags=("-p", "-t", "700"))[0]
        self.assertEqual(line[:3], ["failed", "timeout", "again"])

    def test_redirects_are_followed_and_bounded(self):
        self.assertEqual(fetch(self.base, "moved")[0][0], "ok")
        self.assertEqual(fetch(self.base, "moved-away")[0][1], "refused_redirect")
        self.assertEqual(fetch(self.base, "moved-forever")[0][1], "too_many_redirects")

    def test_what_was_answered_on_the_way_is_told_without_secrets_of_urls(self):
        (told,) = answers(self.base, "moved-signed")
        self.assertEqual(told.strip(), f"302,text/html,,{self.base}/moved-signed "
                                       f"200,application/json; charset=utf-8?,em,{self.base}/described")
        self.assertEqual(answers(self.base, "plain"), [f"200,,,{self.base}/plain\n"])
        self.assertEqual(len(answers(self.base, "moved-forever")[0].split()), 6, "five redirects are followed")
        self.assertEqual(answers(self.base, "moved-away"), [f"302,,,{self.base}/moved-away\n"])
        self.assertEqual(answers("http://127.0.0.1:1", "x"), [])

    def test_a_paced_host_is_not_left(self):
        flags = ("-p", "-h", "127.0.0.1")
        self.assertEqual(fetch(self.base, "moved", flags=flags)[0][0], "ok")
        self.assertEqual(fetch(self.base, "moved-inside")[0][0], "ok")
        line = fetch(self.base, "moved-inside", flags=flags)[0]
        self.assertEqual(line[:3], ["failed", "refused_redirect", "permanent"])

    def test_addresses_that_are_not_public_are_refused(self):
        port = self.server.server_port
        before = len(Upstream.seen)
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001", "[::1]"):
            line = fetch("http://%s:%d/feed" % (host, port), "plain", flags=())[0]
            self.assertEqual(line[:3], ["failed", "refused_address", "permanent"], host)
        self.assertEqual(len(Upstream.seen), before)

    def test_paths_that_are_not_plain_are_refused(self):
        for path in ("../plain", "a//b", "/plain", "a/./b", "a/"):
            self.assertEqual(fetch(self.base, path)[0][1], "bad_path", path)


class FolderTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = os.path.join(self.folder.name, "feeds")
        os.makedirs(os.path.join(self.root, "vex"))
        for name, text in (("feeds/vex/a.json", BODY), ("secret", b"secret"), ("feeds/top", BODY)):
            with open(os.path.join(self.folder.name, name), "wb") as file:
                file.write(text)

    def tearDown(self):
        self.folder.cleanup()

    def get(self, base, path, root=None):
        return fetch(base, path, flags=("-r", root or self.root))[0]

    def test_a_file_below_the_root_is_read(self):
        digest = hashlib.sha256(BODY).hexdigest()
        self.assertEqual(self.get("file:" + self.root, "vex/a.json")[5], digest)
        self.assertEqual(self.get("file://" + self.root + "/vex", "a.json")[5], digest)
        self.assertEqual(self.get("file:" + self.root + "/", "top", root=self.root + "/")[5], digest)

    def test_nothing_outside_the_root_is_read(self):
        self.assertEqual(self.get("file:" + self.folder.name, "secret")[1], "refused_root")
        self.assertEqual(self.get("file:" + self.root + "-other", "x")[1], "refused_root")
        self.assertEqual(self.get("file:" + self.root + "/..", "secret")[1], "refused_path")
        self.assertEqual(fetch("file:" + self.root, "top", flags=())[0][1], "refused_root")

    def test_links_cannot_lead_out(self):
        os.symlink("../secret", os.path.join(self.root, "relative"))
        os.symlink(os.path.join(self.folder.name, "secret"), os.path.join(self.root, "absolute"))
        os.symlink("vex/a.json", os.path.join(self.root, "inside"))
        for name in ("relative", "absolute"):
            self.assertEqual(self.get("file:" + self.root, name)[:3],
                             ["failed", "refused_path", "permanent"], name)
        self.assertEqual(self.get("file:" + self.root, "inside")[0], "ok")

    def test_only_regular_files_are_documents(self):
        os.mkfifo(os.path.join(self.root, "pipe"))
        self.assertEqual(self.get("file:" + self.root, "pipe")[1], "not_a_file")
        self.assertEqual(self.get("file:" + self.root, "vex")[1], "not_a_file")
        self.assertEqual(self.get("file:" + self.root, "absent")[:3],
                         ["failed", "not_found", "permanent"])

    def test_the_size_limit_holds_for_files(self):
        flags = ("-r", self.root, "-m", str(len(BODY)))
        self.assertEqual(fetch("file:" + self.root, "top", flags=flags)[0][0], "ok")
        flags = ("-r", self.root, "-m", str(len(BODY) - 1))
        self.assertEqual(fetch("file:" + self.root, "top", flags=flags)[0][1], "too_large")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])
