#!/usr/bin/env python3
"""Runs producers_check over a folder and compares what it writes with files that are checked in.

Findings are made twice, the documents taken in both orders, and must be the same bytes. With
--update the checked-in files are written instead of compared. Python's standard library only.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MUST_QUARANTINE = ("does-not-parse", "no-schema-applies")


def run(tool, folder, *options):
    subprocess.run([tool, *options, folder], check=True, stderr=subprocess.DEVNULL)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def compare(path, actual, update):
    """The differing lines, as many as one wants to see; writes the file when updating."""
    if update:
        with open(path, "wb") as file:
            file.write(actual)
        return []
    expected = read(path)
    if expected == actual:
        return []
    missing = sorted(set(expected.splitlines()) - set(actual.splitlines()))[:10]
    extra = sorted(set(actual.splitlines()) - set(expected.splitlines()))[:10]
    return [f"{path} differs"] + [f"- {x!r}" for x in missing] + [f"+ {x!r}" for x in extra]


def check_findings(args, scratch):
    first, second = os.path.join(scratch, "first"), os.path.join(scratch, "second")
    observations = os.path.join(scratch, "observations")
    policy = ["--policy", args.policy] if args.policy else []
    run(args.tool, args.feed, "--findings", first, "--observations", observations, *policy)
    run(args.tool, args.feed, "--findings", second, "--reverse", *policy)
    problems = []
    if read(first) != read(second):
        problems.append("the order of the documents shows in the findings")
    if args.findings:
        problems += compare(args.findings, read(first), args.update)
    if args.rows:
        problems += compare_by("compare_expected.py", args.rows, first)
        problems += compare_by("compare_joins.py", args.rows, observations)
    return problems


def compare_by(script, expected, actual):
    command = [sys.executable, os.path.join(HERE, script), expected, actual]
    failed = subprocess.run(command, check=False).returncode != 0
    return [f"{script} found differences"] if failed else []


def check_outcomes(args, scratch):
    table = os.path.join(scratch, "table")
    run(args.tool, args.feed, "--table", table, *(["--any"] if args.any else []))
    lines = [x for x in read(table).splitlines(True) if not x.startswith(b"index.json\t")]
    problems = compare(args.outcomes, b"".join(lines), args.update)
    if args.index:
        problems += check_index(args.index, lines)
    return problems


def check_index(index, lines):
    """Every document of the index has an outcome, and the unusable ones are quarantined."""
    outcomes = {x.split(b"\t")[0].decode(): x.split(b"\t")[2].decode() for x in lines}
    problems = []
    for entry in json.loads(read(index)):
        name = entry["file"].split("/", 1)[1]
        outcome = outcomes.pop(name, "lost")
        if outcome == "lost":
            problems.append(f"{name} was lost")
        elif entry["verdict"] in MUST_QUARANTINE and outcome != "quarantined":
            problems.append(f"{name} is {entry['verdict']} and was {outcome}")
    return problems + [f"{name} is not in the index" for name in outcomes]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--feed", help="the folder to read")
    parser.add_argument("--reference", help="checked-in page of classes and rules")
    parser.add_argument("--findings", help="checked-in findings")
    parser.add_argument("--policy", help="a policy to use instead of the default")
    parser.add_argument("--rows", help="an expected-matches.json")
    parser.add_argument("--outcomes", help="checked-in table of outcomes")
    parser.add_argument("--index", help="an invalid/index.json")
    parser.add_argument("--any", action="store_true", help="read every file as whatever it is")
    parser.add_argument("--update", action="store_true", help="write the checked-in files")
    args = parser.parse_args()
    problems = []
    with tempfile.TemporaryDirectory() as scratch:
        if args.findings or args.rows:
            problems += check_findings(args, scratch)
        if args.outcomes:
            problems += check_outcomes(args, scratch)
    if args.reference:
        page = subprocess.run([args.tool, "--reference"], check=True, capture_output=True).stdout
        problems += compare(args.reference, page, args.update)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
