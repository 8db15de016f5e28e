#!/usr/bin/env python3
"""What is printed, in every format, on a terminal and piped."""
import csv
import io
import json
import os
import re
import struct
import termios
import unittest
from fcntl import ioctl

from rig import PROGRAM, Rig, clean_environment, stella_on_terminal

LONG = "https://example.org/" + "very-long/" * 30


class Output(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig()
        cls.rig.json("tenants", "add", "acme")
        cls.rig.environment["STELLA_TENANT"] = "acme"
        cls.rig.json("sources", "put", "long", "--kind", "other", "--url", LONG)
        cls.rig.json("sources", "put", "true", "--kind", "other", "--url", 'https://example.org/a,b"c', "--settings",
                     '{"list":[1,"two",null,[],{}],"text":"line\\n\\u0001 é"}')
        cls.rig.json("sources", "put", "short", "--kind", "other", "--url", "https://example.org/short")

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()

    def output(self, form, *words):
        status, out, err = self.rig.run(*words, "-o", form)
        self.assertEqual((0, ""), (status, err), words)
        return out

    def test_yaml_of_an_object_quotes_what_would_be_read_as_something_else(self):
        out = self.output("yaml", "sources", "get", "true")
        self.assertIn('name: "true"\n', out)
        self.assertIn("\nversion: 1\n", out)
        self.assertIn("list:\n  - 1\n  - two\n  - null\n  - []\n  - {}\n", out)
        self.assertIn('text: "line\\n\\x01 é"\n', out)

    def test_yaml_of_a_list_is_the_same_document_as_json(self):
        out = self.output("yaml", "sources", "list")
        self.assertRegex(out, r"^items:\n- ")
        self.assertIn("\nnext_cursor: null\n", out)

    def test_csv_has_a_heading_and_survives_commas_and_quotes(self):
        rows = list(csv.DictReader(io.StringIO(self.output("csv", "sources", "list"))))
        found = {row["name"]: row for row in rows}
        self.assertEqual({"long", "short", "true"}, set(found))
        self.assertEqual('https://example.org/a,b"c', found["true"]["url"])
        self.assertEqual(LONG, found["long"]["url"])
        self.assertEqual("true", next(csv.DictReader(io.StringIO(self.output("csv", "sources", "get", "true"))))["name"])

    def test_jsonl_and_name_have_one_line_for_each(self):
        self.assertEqual(["long", "short", "true"], sorted(self.output("name", "sources", "list").split()))
        self.assertEqual(3, len([json.loads(line) for line in self.output("jsonl", "sources", "list").splitlines()]))

    def test_a_table_fits_into_columns_and_wide_does_not_cut(self):
        for columns in (40, 60, 100):
            shown = stella_on_terminal("sources", "list", COLUMNS=str(columns), **self.rig.environment)[1]
            lines = shown.splitlines()
            self.assertTrue(all(len(line) <= columns for line in lines), shown)
            self.assertRegex(shown, r"long +other.*…\r\n")
        shown = stella_on_terminal("sources", "list", "--wide", COLUMNS="60", **self.rig.environment)[1]
        self.assertIn(LONG, shown)
        self.assertNotIn("…", shown)

    def test_a_table_takes_the_width_of_its_terminal(self):
        master, slave = os.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
        pid = os.fork()
        if pid == 0:
            os.dup2(slave, 1)
            os.execve(PROGRAM, [PROGRAM, "sources", "list"], clean_environment(**self.rig.environment))
        os.close(slave)
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:
            pass  # The other end closed: it ended.
        self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os.close(master)
        lines = shown.decode().splitlines()
        self.assertEqual(72, max(len(line) for line in lines), shown)

    def test_a_wrong_format_exits_2_and_names_the_right_ones(self):
        status, out, err = self.rig.run("sources", "list", "-o", "xml")
        self.assertEqual((2, ""), (status, out))
        self.assertRegex(err, re.escape("table, json, jsonl, yaml, csv or name"))


if __name__ == "__main__":
    unittest.main()
