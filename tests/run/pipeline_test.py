"""./run --once from end to end, on both backends; the findings row by row."""
import os
import subprocess
import sys
import unittest

from rig import ROOT, SHARED, Folder, Postgres, once, processes_of

PRODUCERS = os.path.join(ROOT, "tests/producers")


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


class Pipeline(unittest.TestCase):
    def run_once(self, folder, *options):
        status, text = once(folder, *options)
        self.assertEqual(status, 0, text)
        self.assertEqual(processes_of(os.path.join(folder, "data")), [], "left running")
        return read(folder, "out/findings.jsonl"), text


class Examples(Pipeline):
    wanted = read(PRODUCERS, "examples-findings.jsonl")

    def test_the_embedded_ledger_gives_the_checked_in_findings_and_a_summary(self):
        with Folder() as folder:
            findings, text = self.run_once(folder)
        self.assertEqual(findings, self.wanted)
        for line in ("documents    read ", "quarantined  ", "jobs         succeeded ", "findings     ", "seconds      "):
            self.assertIn("\n" + line, text)

    def test_a_second_run_on_the_same_ledger_gives_the_same_bytes(self):
        with Folder() as folder:
            first, _ = self.run_once(folder)
            second, _ = self.run_once(folder)
        self.assertEqual(first, second)

    def test_postgresql_is_migrated_and_gives_the_same_bytes(self):
        with Folder() as folder, Postgres(folder) as url:
            findings, text = self.run_once(folder, "--database", url)
        self.assertEqual(findings, self.wanted)
        self.assertIn("==> migrate: the schema of the PostgreSQL database", text)


class Shared(Pipeline):
    """Over the large feed; where it does not lie beside this clone there is no such test."""

    def test_both_backends_give_the_expected_rows_and_the_same_bytes(self):
        with Folder() as folder:
            embedded, _ = self.run_once(folder, "--feeds", SHARED)
            done = subprocess.run([sys.executable, os.path.join(PRODUCERS, "compare_expected.py"),
                                   os.path.join(SHARED, "expected-matches.json"), os.path.join(folder, "out/findings.jsonl")],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with Folder() as folder, Postgres(folder) as url:
            findings, _ = self.run_once(folder, "--feeds", SHARED, "--database", url)
        self.assertEqual(findings, embedded)


if not os.path.exists(os.path.join(SHARED, "expected-matches.json")):
    del Shared


if __name__ == "__main__":
    unittest.main()
