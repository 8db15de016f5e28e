#!/usr/bin/env python3
"""Records the served ledger under mixed load and draws flame graphs. Called by bench/flame."""
import argparse
import collections
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from served import ROOT, Postgres, Server, run

# From Debian's libdevel-nytprof-perl; nothing of it is kept here, see still().
DRAW = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"
RECORD = ["perf", "record", "-q", "-F", "999", "-e", "cpu-clock", "--call-graph", "dwarf,16384"]
FRAME = re.compile(r"\s+[0-9a-f]+ (.*) \((.*)\)$")
LIBRARY = re.compile(r"([^/]+)\.so[.\d]*$")
NAMES = {"postgres": "PostgreSQL", "sqlite": "SQLite"}


def frame_name(line):
    """What the graph calls a frame: the function, or the library of one without a name. A kernel's
    stack is cut to the call that led there. None for what every stack has."""
    match = FRAME.match(line)
    if match is None:
        return None
    symbol, where = match.groups()
    symbol = re.sub(r"\.(constprop|isra|part|cold)\.?\d*", "", symbol)
    if where == "[kernel.kallsyms]":
        call = re.match(r"__x64_sys_(\w+)", symbol)
        return f"kernel: {call.group(1)}" if call else "kernel"
    library = LIBRARY.search(where)
    if symbol in ("clone3", "start_thread"):
        return None
    if symbol == "[unknown]":
        return f"[{library.group(1)}]" if library else "[unknown]"
    return symbol


def fold(script):
    """"thread;outermost;…;innermost" with how often it was met."""
    stacks = collections.Counter()
    for block in script.strip().split("\n\n"):
        head, *lines = block.split("\n")
        stack = [head.strip()]
        for line in reversed(lines):
            name = frame_name(line)
            is_inside = name == "kernel" and stack[-1].startswith("kernel")
            if name is not None and name != stack[-1] and not is_inside:
                stack = stack[:-1] if stack[-1] == "kernel" else stack
                stack.append(name)
        stacks[";".join(stack)] += 1
    return stacks


def record(server, seconds, scratch):
    data = pathlib.Path(scratch) / "perf.data"
    server.load(mode="add", make=1, jobs=1000)
    server.load(mode="mixed", seconds=1)
    with subprocess.Popen([*RECORD, "-p", str(server.process.pid), "-o", data, "--", "sleep",
                           str(seconds)]) as perf:
        server.load(mode="mixed", warm=0, seconds=seconds)
        perf.wait()
    return run(["perf", "script", "--no-inline", "-i", data, "-F", "comm,ip,sym,dso"],
               stderr=subprocess.DEVNULL)


def still(svg):
    """The picture alone, without the program that flamegraph.pl puts into it."""
    svg = re.sub(r"<script.*?</script>\n?", "", svg, flags=re.S)
    svg = re.sub(r"<!-- Flame graph.*?-->\n?", "", svg, flags=re.S)
    svg = re.sub(r'<text [^>]*id="(?:unzoom|search|matched)"[^>]*>.*?</text>\n?', "", svg, flags=re.S)
    svg = re.sub(r' (?:onload|onclick|onmouseover|onmouseout)="[^"]*"', "", svg)
    return svg.replace("; cursor:pointer;", ";")


def draw(stacks, backend, path):
    text = "".join(f"{stack} {count}\n" for stack, count in sorted(stacks.items()))
    title = f"Orchestrator on {NAMES[backend]}, mixed load: processor time by function"
    svg = run(["perl", DRAW, "--hash", "--width", "1100", "--minwidth", "3", "--title", title],
              input=text)
    path.write_text(still(svg), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(prog="bench/flame", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/flames")
    parser.add_argument("backends", nargs="*", metavar="postgres|sqlite")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="stella-flame-")
    os.chmod(scratch, 0o755)
    postgres = None
    options.out.mkdir(exist_ok=True)
    try:
        for backend in options.backends or list(NAMES):
            if backend == "postgres":
                postgres = Postgres(pathlib.Path(scratch) / "postgres")
            server = Server(scratch, postgres.database() if backend == "postgres" else None)
            try:
                stacks = fold(record(server, options.seconds, scratch))
            finally:
                server.stop()
            path = options.out / f"{backend}.svg"
            draw(stacks, backend, path)
            print(f"{path}: {sum(stacks.values())} samples")
    finally:
        if postgres is not None:
            postgres.remove()
        shutil.rmtree(scratch, ignore_errors=True)


main()
