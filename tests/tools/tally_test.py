"""tools/tally.py counts what ran, and never calls a bad end a good one."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../tools"))
import tally  # noqa: E402

CMOCKA = """[==========] Running 3 test(s).
[ RUN      ] a
[       OK ] a
[ RUN      ] b
[  ERROR   ] --- 0
[  FAILED  ] b
[ RUN      ] c
[  SKIPPED ] c
[==========] 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] c
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] b
"""


class Count(unittest.TestCase):
    def test_cmocka_is_counted_by_test(self):
        self.assertEqual(tally.count(CMOCKA, False), (1, 1, 1))

    def test_a_test_that_crashed_has_failed(self):
        self.assertEqual(tally.count("[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n", False), (1, 1, 0))

    def test_a_program_that_ended_badly_after_its_tests_has_failed(self):
        self.assertEqual(tally.count("[ RUN      ] a\n[       OK ] a\n", False), (1, 1, 0))

    def test_unittest_is_counted_by_test(self):
        self.assertEqual(tally.count("....\nRan 4 tests in 0.1s\n\nFAILED (failures=1, skipped=1)\n", False), (2, 1, 1))

    def test_a_summary_line_is_believed(self):
        self.assertEqual(tally.count("12 passed, 0 failed, 2 skipped\n", True), (12, 0, 2))

    def test_a_summary_line_does_not_hide_a_bad_end(self):
        self.assertEqual(tally.count("12 passed, 0 failed, 0 skipped\n", False), (12, 1, 0))

    def test_any_other_program_is_one_test(self):
        self.assertEqual(tally.count("hello\n", True), (1, 0, 0))
        self.assertEqual(tally.count("hello\n", False), (0, 1, 0))


class Junit(unittest.TestCase):
    def of(self, cases):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(f"<testsuite>{cases}</testsuite>")
            file.flush()
            return tally.of_junit(file.name)

    def test_tests_of_all_programs_are_added(self):
        total, failures = self.of('<testcase name="a" status="run"><system-out>3 passed, 0 failed, 0 skipped</system-out></testcase>'
                                  '<testcase name="b" status="fail"><system-out>boom</system-out></testcase>')
        self.assertEqual(total, [3, 1, 0])
        self.assertEqual(failures, [("b", "boom")])

    def test_a_test_that_could_not_run_is_not_passed(self):
        total, _ = self.of('<testcase name="a" status="notrun"><skipped message="Disabled"/></testcase>')
        self.assertEqual(total, [0, 0, 1])

    def test_a_missing_program_has_failed(self):
        total, _ = self.of('<testcase name="a" status="notrun"><skipped message="Unable to find executable"/></testcase>')
        self.assertEqual(total, [0, 1, 0])


if __name__ == "__main__":
    unittest.main()
