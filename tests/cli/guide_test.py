#!/usr/bin/env python3
"""Pages tell the truth: their console blocks are run, in order, on a server of their own for each page.

In a block a line that begins with "$ " is a command (bash), "> " continues it; what follows is its output, where … stands for
anything within a line and a line with … alone for any lines.
"""
import os
import re
import subprocess
import unittest

from rig import PROGRAM, ROOT, Rig, clean_environment

PAGES = ("guide/cli.md", "internals/explain.md")


def steps(page):
    """(line number, command, expected output) of every block."""
    with open(os.path.join(ROOT, "docs", page), encoding="utf-8") as file:
        lines = file.read().splitlines()
    inside, found = False, []
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append([number, line[2:], []])
        elif inside and line.startswith("> "):
            found[-1][1] += "\n" + line[2:]
        elif inside:
            found[-1][2].append(line)
    return [(number, command, "\n".join(output)) for number, command, output in found]


def pattern(expected):
    lines = [".*" if line == "…" else re.escape(line).replace("…", "[^\n]*") for line in expected.split("\n")]
    return "(?s:" + "\n".join(line if line == ".*" else f"(?-s:{line})" for line in lines) + ")\n?"


class Guide(unittest.TestCase):
    def test_every_command_prints_what_the_page_says(self):
        for page in PAGES:
            self.follow(page)

    def follow(self, page):
        rig = Rig()
        try:
            names = os.path.join(rig.folder.name, "bin")
            os.makedirs(names)
            os.symlink(PROGRAM, os.path.join(names, "stella"))
            os.makedirs(os.path.join(rig.folder.name, ".stella"))
            os.symlink(rig.server.data, os.path.join(rig.folder.name, ".stella", "data"))
            environment = clean_environment(STELLA_SERVER=rig.environment["STELLA_SERVER"],
                                            PATH=names + ":" + os.environ["PATH"], HOME=rig.folder.name)
            self.assertGreater(len(steps(page)), 5)
            for number, command, expected in steps(page):
                with self.subTest(page=page, line=number, command=command):
                    done = subprocess.run(["bash", "-c", command], cwd=rig.folder.name, env=environment, text=True, check=False,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
                    self.assertRegex(done.stdout, "^" + pattern(expected) + "$")
        finally:
            rig.close()


if __name__ == "__main__":
    unittest.main()
