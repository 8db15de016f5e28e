"""Each rule of tools/tidy.py finds what it is for, leaves good code alone, and can be waived."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../tools"))
import tidy  # noqa: E402

HEADER = "/*\n * {name} - what it is.\n */\n#ifndef X_H\n#define X_H\n{body}\n#endif\n"


def findings(path, text, **others):
    """The rules that complain about this file, in a tree with only it and `others`."""
    tree = tidy.Tree()
    files = {"CMakeLists.txt": path, path: text, **{key.replace("__", "/"): value for key, value in others.items()}}
    for name, content in files.items():
        tree[name] = tidy.File(name, content)
        tree.names.add(name)
    return [rule for _, _, rule, _ in tidy.check(tree[path], tree)]


class Include(unittest.TestCase):
    def test_a_room_may_include_those_below_it(self):
        self.assertEqual(findings("src/engine/tick.c", '#include "ledger/ledger.h"\n#include "contract/errors.h"\n'), [])

    def test_core_may_not_include_the_ledger(self):
        self.assertEqual(findings("src/core/lane.c", '#include "ledger/ledger.h"\n'), ["include"])

    def test_the_api_may_not_include_the_ledger(self):
        self.assertEqual(findings("src/api/jobs.c", '#include "ledger/ledger.h"\n'), ["include"])

    def test_the_cli_may_not_include_the_engine(self):
        self.assertEqual(findings("src/cli/jobs.c", '#include "engine/engine.h"\n'), ["include"])

    def test_one_backend_may_not_include_the_other(self):
        self.assertEqual(findings("src/ledger/sqlite/a.c", '#include "ledger/postgres/backend.h"\n'), ["include"])

    def test_the_port_may_not_include_a_backend(self):
        self.assertEqual(findings("src/ledger/ledger.c", '#include "ledger/sqlite/backend.h"\n'), ["include"])

    def test_a_driver_stays_in_its_room(self):
        self.assertEqual(findings("src/engine/tick.c", "#include <sqlite3.h>\n"), ["include"])

    def test_core_includes_no_header_of_the_outside_world(self):
        self.assertEqual(findings("src/core/lane.c", "#include <unistd.h>\n"), ["include"])

    def test_an_installed_header_includes_nothing_private(self):
        text = HEADER.format(name="stella/worker", body='#include "base/str.h"\n#include "core/job.h"')
        self.assertEqual(findings("include/stella/worker.h", text), ["include"])

    def test_a_producer_may_not_include_the_server(self):
        self.assertEqual(findings("workers/sbom/main.c", '#include "engine/engine.h"\n'), ["include"])

    def test_a_room_without_a_row_is_noticed(self):
        self.assertEqual(findings("src/attic/a.c", '#include "core/job.h"\n'), ["include"])

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual(findings("src/core/lane.c", '/*\n#include "ledger/ledger.h"\n*/\n'), [])


class Calls(unittest.TestCase):
    def test_banned_calls_are_found(self):
        for name in tidy.BANNED:
            self.assertEqual(findings("src/base/a.c", f"static int f(void)\n{{\n    return {name}(x);\n}}\n"), ["banned"], name)

    def test_their_names_in_comments_strings_and_members_are_not_calls(self):
        self.assertEqual(findings("src/base/a.c", '/* rand() */\nint a = b("system(x)");\nint c = d->random(e);\n'), [])

    def test_a_clock_is_read_in_platform_only(self):
        text = "static void f(void)\n{\n    clock_gettime(a, b);\n}\n"
        self.assertEqual(findings("src/engine/a.c", text), ["clock"])
        self.assertEqual(findings("src/platform/a.c", text), [])

    def test_a_test_may_not_sleep(self):
        sleeps = "static void f(void)\n{\n    usleep(5);\n}\n"
        for path in ("tests/unit/a_test.c", "tests/worker/probe.c", "src/engine/a.c"):
            self.assertEqual(findings(path, sleeps), ["sleep"], path)
        self.assertEqual(findings("bench/a.c", sleeps), [])

    def test_a_python_test_sleeps_only_between_looks_before_a_deadline(self):
        looks = "import time\n\n\ndef until(holds):\n    deadline = time.monotonic() + 5\n    while not holds():\n        time.sleep(0.01)\n"
        hopes = "\n\ndef hopes():\n    time.sleep(1)\n"
        self.assertEqual(findings("tests/e2e/rig.py", looks), [])
        self.assertEqual(findings("tests/e2e/rig.py", looks + hopes), ["sleep"], "another function's deadline is not its own")
        self.assertEqual(findings("tests/e2e/a_test.py", "from time import sleep\nsleep(1)\n"), ["sleep"])
        self.assertEqual(findings("tests/chaos/kill_loop.py", hopes), [])


class Text(unittest.TestCase):
    def test_sql_in_a_string_is_found(self):
        self.assertEqual(findings("src/engine/a.c", 'const char *a = "SELECT 1";\n'), ["sql"])

    def test_what_is_left_undone_is_found(self):
        self.assertEqual(findings("src/base/a.c", "/* TO" "DO: later */\n"), ["left"])

    def test_a_path_of_this_machine_is_found(self):
        self.assertEqual(findings("docs/a.md", "see /ho" "me/somebody/notes\n"), ["path"])

    def test_a_dead_link_is_found(self):
        self.assertEqual(findings("docs/a.md", "[b](b.md)\n[c](https://example.org/)\n"), ["link"])
        self.assertEqual(findings("docs/a.md", "[b](../docs/b.md#part)\n", docs__b=""), ["link"])
        self.assertEqual(findings("docs/a.md", "[b](../src/base/)\n", src__base__b=""), [])

    def test_a_page_that_the_index_does_not_name_is_found(self):
        tree = {"docs/README.md": "[a](a.md)", "docs/a.md": "", "docs/b.md": ""}
        files = tidy.Tree({name: tidy.File(name, text) for name, text in tree.items()})
        self.assertEqual([f[3] for f in tidy.check(files["docs/README.md"], files)], ["does not name docs/b.md"])

    def test_a_long_function_is_found(self):
        body = "    a();\n" * tidy.FUNCTION_LINES
        self.assertEqual(findings("src/base/a.c", "static void f(void)\n{\n" + body + "}\n"), ["size"])
        self.assertEqual(findings("src/base/a.c", "static void f(void)\n{\n" + body[9 * 2:] + "}\n"), [])

    def test_a_long_file_is_found(self):
        self.assertEqual(findings("src/base/a.c", "int a;\n" * (tidy.FILE_LINES + 1)), ["size"])


class House(unittest.TestCase):
    def test_a_source_that_nobody_builds_is_found(self):
        self.assertEqual(findings("src/base/a.c", "int a;\n", CMakeLists__txt=""), [])
        tree = tidy.Tree({name: tidy.File(name, text) for name, text in
                          {"CMakeLists.txt": "src/base/ab.c", "src/base/a.c": "int a;\n"}.items()})
        self.assertEqual([f[2] for f in tidy.check(tree["src/base/a.c"], tree)], ["built"])

    def test_a_name_that_other_rooms_use_says_where_it_is_from(self):
        others = {"src__base__lease.h": HEADER.format(name="base/lease", body="void renew(void);\nvoid lease_end(void);"),
                  "src__core__user.c": '#include "base/lease.h"\n'}
        self.assertEqual(findings("src/base/lease.c", "void renew(void)\n{\n}\n", **others), ["prefix"])
        self.assertEqual(findings("src/base/lease.c", "void lease_end(void)\n{\n}\n", **others), [])

    def test_a_header_says_what_it_is(self):
        self.assertEqual(findings("src/base/a.h", HEADER.format(name="base/a", body="int a;")), [])
        self.assertEqual(findings("src/base/a.h", "#ifndef A_H\n#define A_H\n#endif\n"), ["header"])
        self.assertEqual(findings("src/base/a.h", "/* base/a - what it is. */\n"), ["header"])


class Waivers(unittest.TestCase):
    CALL = "static void f(void)\n{{\n    {before}\n    usleep(5);{after}\n}}\n"

    def test_a_waiver_stands_on_the_line_or_before_it(self):
        self.assertEqual(findings("src/base/a.c", self.CALL.format(before="/* tidy: sleep: reason */", after="")), [])
        self.assertEqual(findings("src/base/a.c", self.CALL.format(before="", after=" /* tidy: sleep: reason */")), [])

    def test_a_file_can_be_waived(self):
        self.assertEqual(findings("src/base/a.c", "/* tidy-file: sleep: reason */\n\n\n" + self.CALL.format(before="", after="")), [])

    def test_a_waiver_of_another_rule_does_not_help(self):
        self.assertEqual(findings("src/base/a.c", self.CALL.format(before="/* tidy: clock: reason */", after="")), ["sleep", "waiver"])

    def test_a_waiver_without_a_reason_does_not_help(self):
        self.assertEqual(findings("src/base/a.c", self.CALL.format(before="/* tidy: sleep: */", after="")), ["sleep"])

    def test_a_waiver_that_waives_nothing_is_found(self):
        self.assertEqual(findings("src/base/a.c", "/* tidy: sleep: reason */\nint a;\n"), ["waiver"])


class Labels(unittest.TestCase):
    def test_each_label_begins_a_line(self):
        text = HEADER.replace("{name} - what it is.", "x - what it is.\n *\n * Use      x().\n * Owns     nothing.")
        self.assertEqual(findings("src/core/x.h", text.format(body="int x(void);")), [])

    def test_a_label_within_a_line_is_found(self):
        text = HEADER.replace("{name} - what it is.", "x - what it is.\n *\n * Use      x(). Owns     nothing.")
        self.assertEqual(findings("src/core/x.h", text.format(body="int x(void);")), ["labels"])


if __name__ == "__main__":
    unittest.main()
