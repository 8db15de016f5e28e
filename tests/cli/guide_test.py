#!/usr/bin/env python3
"""Pages tell the truth: their console blocks are run, in order, each page in a shell of its own.

In a block a line that begins with "$ " is a command (bash), "> " continues it; what follows is its output, where … stands for
anything within a line and a line with … alone for any lines.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from rig import PROGRAM, ROOT, Rig, clean_environment

sys.path.insert(0, os.path.join(ROOT, "tests", "chaos"))
from stage import free_port  # noqa: E402  (found through the path above)

BUILD = os.path.dirname(os.path.dirname(PROGRAM))
# Followed on a server that is there already; the others start their own.
PAGES = ("guide/cli.md", "guide/bulk-actions.md", "internals/explain.md", "operate/upstream-throttles.md", "operate/breaker-open.md", "operate/quotas.md")
END = "--- end of step ---"
PATIENCE = 60


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


class Shell:
    """One bash that does a page's commands as a reader would type them."""

    def __init__(self, folder, **environment):
        self.bash = subprocess.Popen(["bash", "--norc"], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, env=clean_environment(**environment), start_new_session=True)

    def run(self, command):
        self.bash.stdin.write(f"{command}\nprintf '%s\\n' '{END}'\n")
        self.bash.stdin.flush()
        printed, limit = "", threading.Timer(PATIENCE, os.killpg, (self.bash.pid, signal.SIGKILL))
        limit.start()
        while not printed.endswith(END + "\n"):
            line = self.bash.stdout.readline()
            if not line:
                limit.cancel()
                raise AssertionError("the shell ended: " + printed)
            printed += line
        limit.cancel()
        return printed[:-len(END) - 1]

    def close(self):
        """Also what a page left running because one of its steps failed."""
        os.killpg(self.bash.pid, signal.SIGTERM)
        os.killpg(self.bash.pid, signal.SIGKILL)
        self.bash.communicate()


class Guide(unittest.TestCase):
    def follow(self, page, shell, replace=()):
        self.addCleanup(shell.close)
        self.assertGreater(len(steps(page)), 5)
        for number, command, expected in steps(page):
            for old, new in replace:
                command, expected = command.replace(old, new), expected.replace(old, new)
            self.assertRegex(shell.run(command), "^" + pattern(expected) + "$", f"docs/{page}:{number}: {command}")

    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="stella-guide-")
        self.addCleanup(folder.cleanup)
        names = os.path.join(folder.name, "bin")
        os.makedirs(names)
        os.symlink(PROGRAM, os.path.join(names, "stella"))
        return folder.name, names + ":" + os.environ["PATH"]

    def test_every_command_prints_what_the_page_says(self):
        for page in PAGES:
            self.follow_on_server(page)

    def follow_on_server(self, page):
        rig = Rig()
        self.addCleanup(rig.close)
        folder, path = self.folder()
        os.makedirs(os.path.join(folder, ".stella"))
        os.symlink(rig.server.data, os.path.join(folder, ".stella", "data"))
        self.follow(page, Shell(folder, STELLA_SERVER=rig.environment["STELLA_SERVER"], PATH=path, HOME=folder))

    def test_the_first_steps(self):
        folder, path = self.folder()
        self.follow("guide/first-steps.md", Shell(folder, PATH=path, HOME=folder), [("8700", str(free_port()))])

    def test_a_backup_and_the_way_back(self):
        folder, path = self.folder()
        self.follow("operate/backup.md", Shell(folder, PATH=path, HOME=folder), [("8700", str(free_port()))])

    def test_the_first_worker(self):
        home, _ = self.folder()
        if not os.path.exists(os.path.join(BUILD, "CMakeCache.txt")) or os.path.dirname(BUILD) != os.path.join(ROOT, "build"):
            self.skipTest("needs a build folder of this checkout")
        preset = os.path.basename(BUILD)
        self.follow("guide/your-first-worker.md", Shell(ROOT, HOME=home),
                    [("8700", str(free_port())), ("build/release", f"build/{preset}"), ("--preset release", f"--preset {preset}")])


if __name__ == "__main__":
    unittest.main()
