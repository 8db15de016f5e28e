"""The worker library as its users get it: installed, found by pkg-config, linked from outside.

Usage: install_test.py BUILD SOURCE CC
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE, CC = sys.argv[1:4]
HEADER = os.path.join(SOURCE, "include", "stella", "worker.h")
EXAMPLE = os.path.join(SOURCE, "examples", "worker", "greet.c")


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise AssertionError(" ".join(command) + "\n" + done.stdout + done.stderr)
    return done.stdout


def declared():
    with open(HEADER) as file:
        return set(re.findall(r"^STELLA_API[^;(]*?\b(stella_\w+)\(", file.read(), flags=re.M))


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.prefix = os.path.join(cls.folder.name, "usr")
        run("cmake", "--install", BUILD, "--component", "worker_library", "--prefix", cls.prefix)
        for root, _, names in os.walk(cls.prefix):
            if "libstella_worker.so" in names:
                cls.lib = root
        cls.environment = dict(os.environ, LC_ALL="C",
                               PKG_CONFIG_PATH=os.path.join(cls.lib, "pkgconfig"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def flags(self, *what):
        return run("pkg-config", *what, "stella-worker", "jansson", env=self.environment).split()

    def test_the_shared_object_shows_what_the_header_declares_and_nothing_else(self):
        lines = run("nm", "-D", "--defined-only", os.path.join(self.lib, "libstella_worker.so"))
        shown = {line.split()[-1] for line in lines.splitlines()}
        self.assertEqual({name for name in shown if not name.startswith("STELLA_WORKER_")},
                         {name + "@@STELLA_WORKER_1" for name in declared()})

    def test_the_archive_shows_the_same(self):
        lines = run("nm", "-g", "--defined-only", os.path.join(self.lib, "libstella_worker.a"))
        shown = {line.split()[-1] for line in lines.splitlines() if len(line.split()) == 3}
        self.assertEqual(shown, declared())

    def test_a_program_from_outside_links_and_runs(self):
        program = os.path.join(self.folder.name, "greet")
        run(CC, "-Wall", "-Wextra", "-Werror", EXAMPLE, "-o", program,
            *self.flags("--cflags", "--libs"), "-Wl,-rpath," + self.lib)
        done = subprocess.run([program, "ftp://nowhere"], capture_output=True, text=True,
                              env=dict(self.environment, STELLA_TOKEN="stl_x"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("url must begin with", done.stderr)

    def test_the_header_is_also_c_plus_plus(self):
        source = os.path.join(self.folder.name, "use.cpp")
        with open(source, "w") as file:
            file.write("#include <stella/worker.h>\n"
                       "int main() { stella_worker_options o = STELLA_WORKER_OPTIONS_INIT;\n"
                       "  return o.slots == 4 ? 0 : 1; }\n")
        run("c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source,
            *self.flags("--cflags"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[4:])
