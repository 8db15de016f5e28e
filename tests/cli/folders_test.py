#!/usr/bin/env python3
"""Data folders that are wrong, missing, empty, not readable or full of something else: each verb says so and makes nothing."""
import os
import subprocess
import tempfile
import unittest

from rig import PROGRAM, clean_environment


class Folders(unittest.TestCase):
    VERBS = {"serve": ("serve", "--listen", "127.0.0.1:0"), "backup": ("backup", "copy"), "doctor": ("doctor", "--offline")}

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="stella-folders-")
        self.addCleanup(self.folder.cleanup)
        self.data = os.path.join(self.folder.name, "data")

    def run_verb(self, verb, **popen):
        """(exit status, everything that was printed)"""
        words = self.VERBS.get(verb, (verb,))
        done = subprocess.run([PROGRAM, *words, "--data", self.data], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60, check=False, env=clean_environment(), **{"cwd": self.folder.name, **popen})
        return done.returncode, done.stdout

    def assert_refused(self, verb, status, said, **popen):
        got, text = self.run_verb(verb, **popen)
        self.assertEqual(status, got, (verb, text))
        self.assertRegex(text, said, verb)

    def fill(self, content):
        os.mkdir(self.data, 0o700)
        with open(os.path.join(self.data, "ledger.db"), "wb") as file:
            file.write(content)

    def test_what_is_not_there_is_not_made(self):
        for data in ("data", "data/deeper"):
            self.data = os.path.join(self.folder.name, data)
            for verb in ("serve", "backup"):
                self.assert_refused(verb, 1, rf"There is no ledger at .*{data}/ledger.db(.|\n)*--data(.|\n)*orchestrator migrate")
            self.assert_refused("doctor", 1, "No such file or directory\t.*--data of serve.*migrate")
        self.assertEqual([], os.listdir(self.folder.name))
        self.assert_refused("migrate", 1, "cannot make the folder .*data/deeper: No such file")

    def test_an_empty_folder_stays_empty(self):
        os.mkdir(self.data, 0o700)
        for verb in ("serve", "backup"):
            self.assert_refused(verb, 1, "There is no ledger at")
        self.assert_refused("doctor", 1, "ledger file\tfailed\tthere is no .*migrate --data")
        self.assertEqual([], os.listdir(self.data))
        self.assertEqual((0, "ledger: schema 1 written\n"), self.run_verb("migrate"))

    def test_a_file_in_place_of_the_folder(self):
        with open(self.data, "wb"):
            pass
        for verb in ("serve", "backup"):
            self.assert_refused(verb, 1, "There is no ledger at")
        self.assert_refused("doctor", 1, "not a folder")
        self.assert_refused("migrate", 7, "Not a directory")

    def test_a_file_that_is_no_ledger_is_left_as_it_is(self):
        content = b"no database" * 1000
        self.fill(content)
        for verb in ("serve", "backup", "migrate"):
            self.assert_refused(verb, 7, "The file is no ledger, or its beginning is damaged(.|\n)*ledger-unavailable.md")
        self.assert_refused("doctor", 1, "schema\tfailed\tThe file is no ledger")
        with open(os.path.join(self.data, "ledger.db"), "rb") as file:
            self.assertEqual(content, file.read())

    def test_a_ledger_without_a_schema(self):
        self.fill(b"")
        for verb in ("serve", "backup"):
            self.assert_refused(verb, 1, "no schema yet(.|\n)*orchestrator migrate")
        self.assertEqual(0, self.run_verb("migrate")[0])

    def test_a_folder_of_somebody_else(self):
        self.assertEqual(0, self.run_verb("migrate")[0])
        if os.geteuid() == 0:
            os.chmod(self.folder.name, 0o755)
            other = {"user": "nobody", "group": "nogroup", "extra_groups": [], "cwd": "/"}
        else:
            os.chmod(self.data, 0)
            self.addCleanup(os.chmod, self.data, 0o700)
            other = {}
        for verb, status in (("serve", 1), ("backup", 1), ("migrate", 7)):
            self.assert_refused(verb, status, "Permission denied", **other)
        self.assert_refused("doctor", 1, "data folder\tfailed\t.*as the user who owns(.|\n)*schema\tfailed\t.*does not open", **other)


if __name__ == "__main__":
    unittest.main()
