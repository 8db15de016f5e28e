#!/usr/bin/env python3
"""Counts what a test run did, down to single tests where the program says so.

usage: tally.py JUNIT    a file that ctest --output-junit wrote
       tally.py --text FILE STATUS   the output and exit status of one script

Prints "PASSED FAILED SKIPPED" on the first line and then one line for each failure. Understood are
cmocka, Python's unittest, and a last line "N passed, N failed, N skipped"; any other program
is one test.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree


def of_cmocka(text):
    ran = len(re.findall(r"^\[ RUN      \]", text, re.M))
    if not ran:
        return None
    passed = len(re.findall(r"^\[       OK \]", text, re.M))
    skipped = len(re.findall(r"^\[  SKIPPED \] (?!tests?:|\d+ test)", text, re.M))
    # cmocka names a skipped test once when it is met, and once more in its summary.
    listed = sum(int(n) for n in re.findall(r"^\[  SKIPPED \] (?:tests: )?(\d+) test", text, re.M))
    skipped = listed if listed else skipped
    return passed, ran - passed - skipped, skipped


def of_unittest(text):
    found = re.search(r"^Ran (\d+) tests? in .*$", text, re.M)
    if not found:
        return None
    ran = int(found.group(1))
    tail = text[found.end():]
    # Of one test every subtest may fail.
    failed = min(ran, sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", tail)))
    skipped = sum(int(n) for n in re.findall(r"skipped=(\d+)", tail))
    return ran - failed - skipped, failed, skipped


def of_summary(text):
    found = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.M)
    return tuple(int(n) for n in found[-1]) if found else None


def count(text, ended_well, was_skipped=False):
    """The tests in one program's output. A program that ended badly has at least one failure."""
    if was_skipped:
        return 0, 0, 1
    found = of_summary(text) or of_cmocka(text) or of_unittest(text)
    passed, failed, skipped = found or (1, 0, 0)
    if ended_well:
        # Its status says that all is well: what its lines call a failure must not be hidden.
        return passed, failed, skipped
    if found is None:
        return 0, 1, 0
    return passed, max(failed, 1), skipped


def of_junit(path):
    total, failures = [0, 0, 0], []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        text = case.findtext("system-out") or ""
        numbers = count(text, status == "run", status in ("notrun", "disabled"))
        if status == "notrun" and case.find("skipped") is not None and \
                "Unable to find executable" in (case.find("skipped").get("message") or ""):
            numbers = (0, 1, 0)
        total = [a + b for a, b in zip(total, numbers)]
        if numbers[1]:
            failures.append((case.get("name"), text))
        for name in re.findall(r"^\[  SKIPPED \] (\w+)$", text, re.M):
            failures.append((f"{case.get('name')}: skipped {name}", ""))
    return total, failures


def main(arguments):
    if arguments[:1] == ["--text"]:
        with open(arguments[1], encoding="utf-8", errors="replace") as file:
            print(*count(file.read(), arguments[2] == "0"))
        return
    total, failures = of_junit(arguments[0])
    print(*total)
    for name, text in failures:
        print(name)
        lines = [line for line in text.splitlines() if line.strip()]
        telling = [line for line in lines if re.search(r"\[  (FAILED|ERROR)|FAIL|[Ee]rror|Sanitizer", line)]
        for line in (telling or lines)[-25:]:
            print("    " + line[:300])


if __name__ == "__main__":
    main(sys.argv[1:])
