#!/usr/bin/env python3
"""Compares findings with the rows of an expected-matches.json; Python's standard library only.

usage: compare_expected.py EXPECTED FINDINGS

Every expected row must be there with the same affected, fixed, cve, vex.status and verdict, and
nothing else may be there. Exit status 0 when both agree, 1 when they do not.
"""
import json
import sys

SHOWN = 20


def verdict_of(row):
    """The shipped policy, written once more."""
    if row["affected"] == "no":
        return "pass"
    if row["vex"] and row["vex"]["status"] in ("not_affected", "fixed"):
        return "suppressed"
    if row["affected"] == "unknown" or row.get("informational"):
        return "warn"
    return "fail"


def expected_rows(path):
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)["rows"]
    wanted = {}
    for row in rows:
        vex = row["vex"]
        wanted[row["sbom"], row["component"], row["advisory"]] = {
            "affected": row["affected"],
            "fixed": row["fixed"],
            "cve": row["cve"],
            "vex": vex["status"] if vex else None,
            "hint": bool(vex and vex["status"] is None),
            "verdict": verdict_of(row),
        }
    assert len(wanted) == len(rows), "expected rows repeat a key"
    return wanted


def found_rows(path):
    found, repeated = {}, []
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    assert lines.pop() == b"", "the last line has no newline"
    assert lines == sorted(set(lines)), "the findings are not sorted and distinct"
    for line in lines:
        row = json.loads(line)
        key = row["sbom"], row["component"], row["advisory"]
        if key in found:
            repeated.append(key)
        found[key] = {
            "affected": row["affected"],
            "fixed": row["fixed"],
            "cve": row["cve"],
            "vex": row["vex"]["status"] if row["vex"] else None,
            "hint": "vex_hint" in row,
            "verdict": row["verdict"],
        }
    return found, repeated


def show(title, items):
    print(f"{title}: {len(items)}")
    for item in items[:SHOWN]:
        print("  ", item)


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    wanted = expected_rows(sys.argv[1])
    found, repeated = found_rows(sys.argv[2])
    missing = sorted(set(wanted) - set(found))
    extra = sorted(set(found) - set(wanted))
    different = [
        (key, {name: (wanted[key][name], found[key][name]) for name in wanted[key]
               if wanted[key][name] != found[key][name]})
        for key in sorted(set(wanted) & set(found)) if wanted[key] != found[key]
    ]
    show("missing", missing)
    show("extra", extra)
    show("different (expected, found)", different)
    show("repeated", repeated)
    print(f"{len(wanted)} expected, {len(found)} found")
    return 1 if missing or extra or different or repeated else 0


if __name__ == "__main__":
    sys.exit(main())
