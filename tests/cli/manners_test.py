#!/usr/bin/env python3
"""Contexts, watching, dry runs, completion of ids, and hints: what all commands share."""
import json
import os
import pty
import signal
import stat
import subprocess
import tempfile
import unittest

from rig import PROGRAM, Rig, clean_environment, stella, stella_on_terminal


class Manners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig()
        cls.rig.json("tenants", "add", "acme")
        cls.rig.environment["STELLA_TENANT"] = "acme"
        cls.rig.json("job-types", "put", "report.build")
        cls.rig.json("sources", "put", "osv-debian", "--kind", "other", "--url", "https://example.org/a")

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stella-config-")
        self.addCleanup(folder.cleanup)
        self.config = folder.name

    def submit(self):
        return self.rig.json("jobs", "submit", "--type", "report.build")[0]["id"]

    # -- contexts --

    def context(self, *words, **environment):
        """A command that knows nothing but the contexts."""
        return stella(*words, XDG_CONFIG_HOME=self.config, **environment)

    def add_context(self, name="here", tenant="acme"):
        done = self.context("contexts", "add", name, "--server", self.rig.environment["STELLA_SERVER"],
                            "--token-file", self.rig.environment["STELLA_TOKEN_FILE"], "-T", tenant)
        self.assertEqual((0, ""), done[:2], done)

    def test_a_context_says_where_as_whom_and_for_which_tenant(self):
        self.add_context()
        path = os.path.join(self.config, "stella", "contexts.json")
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))
        with open(path, encoding="utf-8") as file:
            self.assertNotIn("stl_", file.read())
        status, out, err = self.context("sources", "list", "-o", "name")
        self.assertEqual((0, "osv-debian\n", ""), (status, out, err))

    def test_contexts_are_listed_used_and_removed(self):
        self.add_context("one")
        self.add_context("two", tenant="nobody")
        shown = json.loads(self.context("contexts", "list", "-o", "json")[1])
        self.assertEqual({"one": True, "two": False}, {item["name"]: item["current"] for item in shown})
        self.assertEqual(0, self.context("contexts", "use", "two")[0])
        self.assertEqual(3, self.context("sources", "list")[0])  # There is no tenant "nobody".
        self.assertEqual(0, self.context("sources", "list", "--context", "one")[0])
        self.assertEqual(0, self.context("sources", "list", STELLA_CONTEXT="one")[0])
        self.assertEqual(0, self.context("contexts", "remove", "two")[0])
        status, _, err = self.context("contexts", "use", "ome")
        self.assertEqual(3, status)
        self.assertIn("did you mean one?", err)
        self.assertEqual(3, self.context("sources", "list", "--context", "gone")[0])

    def test_options_win_over_the_named_context_and_that_over_variables(self):
        self.add_context()
        self.assertEqual(3, self.context("sources", "list", "-T", "nobody")[0])
        self.assertEqual(3, self.context("sources", "list", STELLA_TENANT="nobody")[0])
        self.assertEqual(0, self.context("sources", "list", "--context", "here", STELLA_TENANT="nobody")[0])
        self.assertEqual(2, self.context("sources", "list", "--context", "here", "--server", "http://127.0.0.1:9")[0])

    def test_the_token_of_a_context_goes_to_no_other_server(self):
        self.add_context()
        for words, more in ((["--server", "http://127.0.0.1:9"], {}), ([], {"STELLA_SERVER": "http://127.0.0.1:9"})):
            status, _, err = self.context("sources", "list", *words, **more)
            self.assertEqual(4, status, err)  # No token at all: nothing was sent.
            self.assertIn("no token file was found", err)

    def test_a_file_of_contexts_that_others_can_read_is_refused(self):
        self.add_context()
        path = os.path.join(self.config, "stella", "contexts.json")
        os.chmod(path, 0o644)
        status, _, err = self.context("sources", "list")
        self.assertEqual(2, status)
        self.assertIn(f"chmod 600 {path}", err)
        os.chmod(path, 0o600)
        with open(path, "w", encoding="utf-8") as file:
            file.write("{")
        self.assertEqual(2, self.context("sources", "list")[0])
        self.assertEqual(0, self.context("contexts", "--help")[0])

    def test_an_expired_context_says_how_to_renew_it(self):
        token = self.rig.path("old.token", "stl_old\n")
        self.context("contexts", "add", "old", "--server", self.rig.environment["STELLA_SERVER"], "--token-file", token)
        status, _, err = self.context("whoami")
        self.assertEqual(4, status)
        self.assertRegex(err, "the token of context old is not valid any more.*contexts add old")

    # -- watching --

    def watch(self, *words):
        return subprocess.Popen([PROGRAM, *words, "--watch", "--every", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=clean_environment(**self.rig.environment))

    def test_a_watched_object_is_printed_again_when_it_changed(self):
        job = self.submit()
        watch = self.watch("jobs", "get", job, "-o", "jsonl")
        self.assertEqual("pending", json.loads(watch.stdout.readline())["state"])
        self.rig.json("jobs", "cancel", job, "--reason", "test")
        self.assertEqual("canceled", json.loads(watch.stdout.readline())["state"])
        watch.send_signal(signal.SIGINT)
        rest = watch.communicate(timeout=10)
        self.assertEqual((130, ("", "")), (watch.returncode, rest))

    def test_watching_ends_when_its_reader_has_gone(self):
        watch = self.watch("sources", "list", "-o", "name")
        watch.stdout.readline()
        watch.stdout.close()
        self.assertEqual(0, watch.wait(timeout=10))
        watch.stderr.close()

    def test_sigterm_ends_a_watched_list(self):
        watch = self.watch("sources", "list", "-o", "name")
        self.assertEqual("osv-debian\n", watch.stdout.readline())
        watch.send_signal(signal.SIGTERM)
        watch.communicate(timeout=10)
        self.assertEqual(143, watch.returncode)

    def test_a_terminal_gets_a_second_screen_and_has_the_first_back(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(PROGRAM, [PROGRAM, "sources", "list", "--watch"], clean_environment(**self.rig.environment))
        shown = b""
        while b"osv-debian" not in shown:
            shown += os.read(terminal, 65536)
        self.assertTrue(shown.startswith(b"\x1b[?1049h"), shown)
        os.kill(pid, signal.SIGINT)
        try:
            while chunk := os.read(terminal, 65536):
                shown += chunk
        except OSError:
            pass  # The other end closed: it ended.
        self.assertEqual(130, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os.close(terminal)
        self.assertTrue(shown.endswith(b"\x1b[?1049l"), shown)

    def test_changes_and_endless_commands_are_not_watched(self):
        job = self.submit()
        status, out, err = self.rig.run("jobs", "cancel", job, "--reason", "test", "--watch")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("jobs cancel changes something", err)
        self.assertEqual("pending", self.rig.json("jobs", "get", job)["state"])
        self.assertEqual(2, self.rig.run("history", "watch", "--watch")[0])
        self.assertEqual(3, self.rig.run("jobs", "get", "job-999999", "--watch")[0])

    # -- dry runs --

    def test_a_dry_run_shows_the_request_and_changes_nothing(self):
        job = self.submit()
        shown = self.rig.json("jobs", "cancel", job, "--reason", "why", "--ticket", "OPS-1", "--dry-run")
        self.assertEqual({"method": "POST", "path": f"/jobs/{job}/cancel", "reason": "why", "ticket": "OPS-1", "tenant": "acme"}, shown)
        self.assertEqual("pending", self.rig.json("jobs", "get", job)["state"])
        shown = self.rig.json("sources", "put", "osv-debian", "--kind", "vex", "--dry-run")
        self.assertEqual(({"kind": "vex"}, "PUT"), (shown["body"], shown["method"]))
        self.assertTrue(shown["if_match"])  # What would be replaced was read.
        self.assertEqual("other", self.rig.json("sources", "get", "osv-debian")["kind"])

    def test_a_dry_run_still_refuses_what_is_wrong(self):
        self.assertEqual(2, self.rig.run("jobs", "cancel", "job-1", "--dry-run")[0])
        self.assertEqual(2, self.rig.run("jobs", "submit", "-f", "-", "--dry-run", stdin="{")[0])

    # -- hints --

    def test_a_mistyped_name_gets_the_nearest_one(self):
        for words, name in ((["sources", "get", "osv-debain"], "osv-debian"), (["job-types", "get", "report.bild"], "report.build"),
                            (["tenants", "get", "acm"], "acme")):
            status, _, err = self.rig.run(*words)
            self.assertEqual(3, status)
            self.assertIn(f"hint: did you mean {name}?", err)
        self.assertIn("an id looks like job-17", self.rig.run("jobs", "get", "17")[2])

    # -- completion --

    def complete(self, *words):
        return [line.split("\t")[0] for line in self.rig.run("__complete", *words)[1].splitlines()]

    def test_ids_and_names_are_completed_from_the_server(self):
        job = self.submit()
        self.assertIn(job, self.complete("jobs", "get", "job-"))
        self.assertEqual(["osv-debian"], self.complete("sources", "get", ""))
        self.assertEqual(["acme"], self.complete("sources", "list", "-T", "ac"))
        self.assertEqual([], self.complete("sources", "get", "-T", "nobody", ""))

    def test_completion_is_silent_without_a_server(self):
        done = stella("__complete", "jobs", "get", "", STELLA_SERVER="http://127.0.0.1:9", STELLA_TOKEN_FILE="/nowhere")
        self.assertEqual((0, "", ""), done)

    # -- progress --

    def test_progress_is_not_shown_without_a_terminal(self):
        path = self.rig.path("big.bin", "x" * 3000000)
        self.assertEqual("", self.rig.run("artifacts", "upload", path)[2])
        self.assertEqual(0, stella_on_terminal("artifacts", "upload", path, **self.rig.environment)[0])


if __name__ == "__main__":
    unittest.main()
