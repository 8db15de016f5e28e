#!/usr/bin/env python3
"""Each check of the doctor: fine when all is well, and found when it is made to fail."""
import http.server
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from rig import PROGRAM, ROOT, Rig, clean_environment, stella

sys.path.insert(0, os.path.join(ROOT, "tests", "chaos"))
from stage import Postgres  # noqa: E402  (found through the path above)

SERVER_CHECKS = {"server", "clock", "ready", "paused", "breakers", "contract", "token", "queues", "retention", "sockets", "worker clocks",
                 "worker versions"}
LOCAL_CHECKS = {"settings", "open files", "memory", "port", "tls", "data folder", "disk", "file system", "fsync",
                "backups", "admin token", "ledger file", "lock", "blobs", "schema", "wal", "ledger clock", "due shards"}
YEAR_US = 365 * 86400 * 1000000


class Findings(dict):
    """What one run of the doctor found, by check."""

    def __init__(self, done):
        super().__init__((item["check"], item) for item in json.loads(done.stdout))
        self.status = done.returncode

    def states(self):
        return {item["state"] for item in self.values()}


class Asking:
    """What the tests of all parts share."""

    def ask(self, *words, environment=None, prepare=None, **popen):
        return Findings(subprocess.run([PROGRAM, "doctor", "-o", "json", *words], capture_output=True, text=True, timeout=60,
                                       check=False, preexec_fn=prepare, env=clean_environment(**environment or {}), **popen))

    def assert_found(self, state, check, mend, findings):
        self.assertEqual(state, findings[check]["state"], findings[check])
        self.assertRegex(findings[check]["mend"], mend)
        self.assertEqual(1 if "failed" in findings.states() else 0, findings.status)


class Server(Asking, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig()
        cls.data = cls.rig.server.data
        os.chmod(cls.data, 0o700)
        cls.environment = cls.rig.environment

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()

    def test_all_is_well(self):
        found = self.ask("--data", self.data, "--strict", environment=self.environment)
        self.assertEqual((0, {"ok"}), (found.status, found.states()), found)
        self.assertEqual(SERVER_CHECKS | LOCAL_CHECKS, set(found))

    def test_without_a_data_folder_only_the_server_is_looked_at(self):
        with tempfile.TemporaryDirectory() as nowhere:
            found = self.ask(environment=self.environment, cwd=nowhere)
        self.assertEqual(SERVER_CHECKS | {"data folder"}, set(found))

    def test_nobody_answers_and_the_ledger_is_held(self):
        found = self.ask("--data", self.data, environment=dict(self.environment, STELLA_SERVER="http://127.0.0.1:9"))
        self.assert_found("failed", "server", "is it running", found)
        self.assert_found("warn", "lock", "fuser", found)

    def test_the_server_has_another_ledger(self):
        with tempfile.TemporaryDirectory() as other:
            stella("migrate", "--data", other)
            found = self.ask("--data", other, environment=self.environment)
        self.assert_found("warn", "lock", "--data of the server", found)

    def test_a_token_that_others_can_read_or_that_is_wrong(self):
        path = self.rig.path("open.token", self.rig.token())
        os.chmod(path, 0o644)
        found = self.ask(environment=dict(self.environment, STELLA_TOKEN_FILE=path))
        self.assert_found("warn", "token", "chmod 600 " + path, found)
        wrong = self.rig.path("wrong.token", "stl_wrong\n")
        found = self.ask(environment=dict(self.environment, STELLA_TOKEN_FILE=wrong))
        self.assert_found("failed", "token", "--token-file", found)

    def test_a_job_waits_and_nobody_works(self):
        self.rig.json("tenants", "add", "queues")
        self.rig.json("job-types", "put", "waiting", "-T", "queues")
        self.rig.json("jobs", "submit", "--type", "waiting", "-T", "queues")
        found = self.ask("--waiting-s", "0", environment=self.environment)
        self.assert_found("warn", "queues", "start workers", found)
        self.assertEqual(12, self.ask("--waiting-s", "0", "--strict", environment=self.environment).status)
        self.assertEqual("ok", self.ask("--waiting-s", "9999", environment=self.environment)["queues"]["state"])

    def register(self, name, **more):
        self.rig.work("/workers/register", {"worker": name, "version": "1", "slots": 1, "job_types": ["worked"], **more})

    def test_workers_whose_clocks_are_wrong(self):
        self.register("wrong/1", clock_ms=time.time_ns() // 1000000 + 3600 * 1000)
        try:
            found = self.ask(environment=self.environment)
            self.assert_found("warn", "worker clocks", "chrony.*workers.md", found)
            self.assertRegex(found["worker clocks"]["found"], r"of 1 workers, wrong/1 is 3(599|600)\.\d s off")
        finally:
            self.register("wrong/1", clock_ms=time.time_ns() // 1000000)
        self.assertEqual("ok", self.ask(environment=self.environment)["worker clocks"]["state"])

    def test_workers_of_several_versions(self):
        self.register("old/1", version="1.2")
        self.register("new/1", version="1.3")
        self.register("else/1", version="7", job_types=["other"])
        try:
            found = self.ask(environment=self.environment)
            self.assert_found("warn", "worker versions", "workers list", found)
            self.assertIn("jobs of type worked are done by versions", found["worker versions"]["found"])
        finally:
            for name in ("old/1", "new/1"):
                self.register(name)

    def test_shards_that_the_server_overlooks(self):
        ledger = sqlite3.connect(os.path.join(self.data, "ledger.db"))
        before = ledger.execute("SELECT next_due_at FROM shards WHERE shard = 9").fetchone()[0]
        try:
            with ledger:
                ledger.execute("UPDATE shards SET next_due_at = 1 WHERE shard = 9")
            found = self.ask("--data", self.data, environment=self.environment)
            self.assert_found("failed", "due shards", "start the server again", found)
        finally:
            with ledger:
                ledger.execute("UPDATE shards SET next_due_at = ? WHERE shard = 9", (before,))
            ledger.close()


class FakeServer(http.server.BaseHTTPRequestHandler):
    """Answers like a server that is wrong in every way; and says of itself what a test wants."""
    figures = None

    def do_GET(self):  # pylint: disable=invalid-name
        answers = {"/livez": (200, {}), "/openapi.json": (200, {"info": {"version": "2.0.0"}}),
                   "/readyz": (503, {"code": "ledger_unavailable", "title": "no ledger"})}
        status, body = answers.get(self.path, (401, {"code": "unauthenticated", "title": "no"}))
        text = json.dumps(body)
        if self.path == "/metrics" and self.figures is not None:
            status, text = 200, "".join(f"{name} {value}\n" for name, value in self.figures.items())
        self.send_response_only(status)
        self.send_header("Date", "Tue, 03 Nov 2020 04:05:06 GMT")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class WrongServer(Asking, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.HTTPServer(("127.0.0.1", 0), FakeServer)
        cls.thread = threading.Thread(target=cls.server.serve_forever)
        cls.thread.start()
        cls.token = tempfile.NamedTemporaryFile("w", suffix=".token")
        cls.token.write("stl_x\n")
        cls.token.flush()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.thread.join()
        cls.server.server_close()
        cls.token.close()

    def look(self, **figures):
        FakeServer.figures = figures or None
        return self.ask("--server", f"http://127.0.0.1:{self.server.server_port}", "--token-file", self.token.name, cwd="/")

    def test_clock_ledger_and_contract_are_wrong(self):
        found = self.look()
        self.assert_found("warn", "clock", "chrony", found)
        self.assert_found("failed", "ready", "ledger-unavailable.md", found)
        self.assert_found("warn", "contract", "server's version", found)
        self.assert_found("failed", "token", "--token-file", found)
        self.assert_found("failed", "queues", "token", found)

    def test_retention_that_fails_or_does_not_end(self):
        interval = {"stella_retention_interval_seconds": 600}
        last = lambda ago: {"stella_retention_last_run_timestamp_seconds": time.time() - ago}
        never = {"stella_retention_last_run_timestamp_seconds": 0}
        failed = {"stella_retention_failures_total": 3}
        for state, figures in (("warn", {**interval, **never, **failed}), ("warn", {**interval, **last(1900)}),
                               ("ok", {**interval, **last(1700), **failed}), ("ok", {**interval, **never}),
                               ("ok", {"stella_retention_interval_seconds": 0, **failed})):
            found = self.look(**figures)
            self.assertEqual(state, found["retention"]["state"], (figures, found["retention"]))
        self.assert_found("warn", "retention", "event retention.*disk-full.md", self.look(**interval, **last(1900)))

    def test_a_server_that_runs_out_of_files_or_connections(self):
        may = lambda files, wanted, connections: self.look(process_max_fds=files, stella_http_connections_max=wanted,
                                                           stella_http_connections=connections)
        self.assert_found("warn", "sockets", "LimitNOFILE", may(1024, 4096, 7))
        self.assert_found("warn", "sockets", "ss -tnp", may(65536, 4096, 4000))
        self.assertEqual("ok", may(65536, 4096, 7)["sockets"]["state"])


class Offline(Asking, unittest.TestCase):
    """No server: a fresh data folder, spoiled in one way in each test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stella-doctor-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.data = os.path.join(folder.name, "data")
        subprocess.run([PROGRAM, "migrate", "--data", self.data], check=True, stdout=subprocess.DEVNULL, env=clean_environment())

    def look(self, *words, **more):
        return self.ask("--offline", "--data", self.data, *words, **more)

    def settings(self, *lines):
        path = os.path.join(self.folder, "settings")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return ["--settings", path]

    def ledger(self, sql):
        ledger = sqlite3.connect(os.path.join(self.data, "ledger.db"))
        with ledger:
            ledger.execute(sql)
        ledger.close()

    def test_all_is_well(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        found = self.look(*self.settings(f"listen = 127.0.0.1:{port}"), "--strict")
        self.assertEqual((0, {"ok"}, LOCAL_CHECKS), (found.status, found.states(), set(found)), found)

    def test_settings_unknown_and_out_of_bounds(self):
        self.assert_found("failed", "settings", "settings.md", self.look(*self.settings("http_treads = 2")))
        found = self.look(*self.settings("http_threads = 1000000"))
        self.assert_found("failed", "settings", "settings.md", found)
        self.assertIn("http_threads", found["settings"]["found"])

    def test_too_few_open_files(self):
        found = self.look(prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
        self.assert_found("failed", "open files", "LimitNOFILE", found)

    def test_little_memory_and_little_disk(self):
        found = self.look("--memory-mib", "1000000000", "--disk-mib", "1000000000")
        self.assert_found("warn", "memory", "free some", found)
        self.assert_found("warn", "disk", "disk-full.md", found)

    def test_a_port_in_use_and_one_that_is_none(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            found = self.look(*self.settings(f"listen = 127.0.0.1:{taken.getsockname()[1]}"))
        self.assert_found("failed", "port", "ss -ltnp", found)
        self.assert_found("failed", "port", "an address and a port", self.look(*self.settings("listen = nonsense")))

    def certificate(self, name, days):
        paths = [os.path.join(self.folder, f"{name}.{ending}") for ending in ("crt", "key")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        "/CN=localhost", "-days", str(days), "-out", paths[0], "-keyout", paths[1]], check=True,
                       capture_output=True)
        return paths

    def expired(self):
        """A certificate of the year 2020."""
        good, key = self.certificate("old", 90)
        config = os.path.join(self.folder, "ca.conf")
        for name, content in (("ca.conf", f"[ca]\ndefault_ca = it\n[it]\ndatabase = {self.folder}/index\nserial = {self.folder}/serial\n"
                               f"new_certs_dir = {self.folder}\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n"),
                              ("index", ""), ("serial", "01\n")):
            with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
                file.write(content)
        request = os.path.join(self.folder, "request")
        for words in (["req", "-new", "-key", key, "-subj", "/CN=localhost", "-out", request],
                      ["ca", "-batch", "-selfsign", "-config", config, "-keyfile", key, "-in", request, "-out", good, "-notext",
                       "-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        return good, key

    def tls(self, certificate, key):
        return self.look(*self.settings(f"tls_certificate = {certificate}", f"tls_key = {key}"))

    def test_tls_files(self):
        good, key = self.certificate("good", 90)
        other, other_key = self.certificate("other", 3)
        self.assertEqual("ok", self.tls(good, key)["tls"]["state"])
        self.assert_found("failed", "tls", "PEM", self.tls(good, "/nowhere"))
        self.assert_found("failed", "tls", "made for", self.tls(good, other_key))
        self.assert_found("warn", "tls", "renew", self.tls(other, other_key))
        self.assert_found("failed", "tls", "renew", self.tls(*self.expired()))
        os.chmod(key, 0o644)
        self.assert_found("warn", "tls", "chmod 600", self.tls(good, key))
        self.assert_found("warn", "tls", "tls_certificate", self.look(*self.settings("allow_plain_http = true")))

    def test_no_data_folder_or_one_that_others_see(self):
        os.chmod(self.data, 0o755)
        self.assert_found("warn", "data folder", "chmod 700", self.look())
        shutil.rmtree(self.data)
        self.assert_found("failed", "data folder", "migrate", self.look())

    def test_a_data_folder_of_somebody_else(self):
        if os.geteuid() == 0:
            os.chmod(self.folder, 0o755)
            found = self.look(user="nobody", group="nogroup", extra_groups=[], cwd="/")
        else:
            os.chmod(self.data, 0o500)
            self.addCleanup(os.chmod, self.data, 0o700)
            found = self.look()
        self.assert_found("failed", "data folder", "as the user", found)

    def test_a_backup_that_did_not_finish(self):
        beside, old = os.path.join(self.folder, "monday.partial"), time.time() - 2 * 86400
        for path in (beside, os.path.join(self.data, "in.partial"), os.path.join(self.folder, "notes.partial")):
            os.makedirs(path)
        for path in (beside, os.path.join(self.data, "in.partial")):
            with open(os.path.join(path, "ledger.db"), "wb"):
                pass
        self.assertEqual("ok", self.look()["backups"]["state"], "one may be under way")
        os.utime(os.path.join(beside, "ledger.db"), (old, old))
        found = self.look()
        self.assert_found("warn", "backups", "rm -r .*monday.partial", found)
        self.assertIn("a backup that did not finish", found["backups"]["found"])

    def test_a_data_folder_in_memory(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            self.data = memory
            self.assert_found("warn", "file system", "on a disk", self.look())

    def test_a_disk_that_is_slow_or_takes_nothing(self):
        def take_nothing():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

        self.assert_found("warn", "fsync", "faster disk", self.look("--fsync-ms", "0"))
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pipe:
            done = subprocess.run([PROGRAM, "doctor", "--offline", "--data", self.data, "-o", "json"], stdout=pipe.stdin,
                                  preexec_fn=take_nothing, env=clean_environment(), check=False, timeout=60)
            text = pipe.communicate()[0]
        self.assertEqual(1, done.returncode)
        found = {item["check"]: item for item in json.loads(text)}
        self.assertEqual("failed", found["fsync"]["state"])

    def test_token_files_that_others_can_read(self):
        admin, worker = os.path.join(self.data, "admin.token"), os.path.join(self.data, "worker.token")
        for path in (admin, worker):
            with open(path, "w", encoding="ascii") as file:
                file.write("stl_x\n")
            os.chmod(path, 0o640)
        found = self.look(*self.settings(f"worker_token = {worker}"))
        self.assert_found("warn", "admin token", "chmod 600 " + admin, found)
        self.assert_found("warn", "worker token", "chmod 600 " + worker, found)

    def test_a_ledger_that_is_not_there_or_open_to_others(self):
        path = os.path.join(self.data, "ledger.db")
        os.chmod(path, 0o644)
        self.assert_found("warn", "ledger file", "chmod 600", self.look())
        os.remove(path)
        found = self.look()
        self.assert_found("failed", "ledger file", "migrate", found)
        self.assert_found("failed", "schema", "migrate", found)

    def test_another_schema(self):
        self.ledger("UPDATE ledger SET schema_version = 999")
        self.assert_found("failed", "schema", "migrate.md", self.look())

    def test_blobs_on_another_file_system(self):
        blobs = os.path.join(self.data, "ledger.db.blobs")
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            os.symlink(memory, blobs)
            self.assert_found("warn", "blobs", "both", self.look())

    def test_a_log_that_cannot_be_taken_over(self):
        with open(os.path.join(self.data, "ledger.db-wal"), "wb") as file:
            file.truncate(600 * 1024 * 1024)
        self.assert_found("warn", "wal", "reads the file", self.look())

    def test_a_clock_behind_the_ledger(self):
        self.ledger(f"UPDATE shards SET last_at = CAST(strftime('%s') AS INTEGER) * 1000000 + {YEAR_US} WHERE shard = 3")
        self.assert_found("failed", "ledger clock", "clock.md", self.look())

    def test_shards_that_wait_for_a_server(self):
        self.ledger("UPDATE shards SET next_due_at = 1 WHERE shard = 3")
        self.assert_found("warn", "due shards", "start the server", self.look())


class PostgresLedger(Asking, unittest.TestCase):
    SETTINGS = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="stella-doctor-pg-")
        os.chmod(cls.folder.name, 0o755)
        os.environ["STELLA_POSTGRES_OPTIONS"] = "max_connections = 14; superuser_reserved_connections = 1; " + "; ".join(
            f"{name} = off" for name in cls.SETTINGS)
        cls.cluster = Postgres(os.path.join(cls.folder.name, "pg"))
        cls.cluster.start()
        del os.environ["STELLA_POSTGRES_OPTIONS"]
        cls.data = os.path.join(cls.folder.name, "data")
        cls.where = ["--data", cls.data, "--database", cls.cluster.url]

    @classmethod
    def tearDownClass(cls):
        cls.cluster.remove()
        cls.folder.cleanup()

    def sql(self, *statements):
        words = [word for statement in statements for word in ("-c", statement)]
        subprocess.run(["psql", "-qX", self.cluster.url, *words], check=True, capture_output=True)

    def test_a_database_that_forgets(self):
        found = self.ask("--offline", *self.where)
        self.assert_found("failed", "schema", "migrate", found)
        subprocess.run([PROGRAM, "migrate", *self.where], check=True, stdout=subprocess.DEVNULL, env=clean_environment())
        found = self.ask("--offline", *self.where)
        for name in self.SETTINGS:
            self.assert_found("warn" if name == "autovacuum" else "failed", name, f"SET {name} = on", found)
        self.assert_found("warn", "connections", "max_connections", found)
        self.assertEqual("ok", found["postgres version"]["state"])
        self.sql(*(f"ALTER SYSTEM SET {name} = on" for name in self.SETTINGS), "SELECT pg_reload_conf()")
        found = self.ask("--offline", *self.where)
        self.assertEqual({"ok"}, {found[name]["state"] for name in self.SETTINGS}, found)
        self.sql("ALTER TABLE stella.jobs DISABLE ROW LEVEL SECURITY")
        found = self.ask("--offline", *self.where)
        self.assert_found("failed", "schema", "migrate", found)
        self.assertIn("Row security", found["schema"]["found"])

    def test_no_database(self):
        found = self.ask("--offline", "--data", self.data, "--database", "postgres://127.0.0.1:9/none")
        self.assert_found("failed", "schema", "ledger-unavailable.md", found)


if __name__ == "__main__":
    unittest.main()
