#!/usr/bin/env python3
"""Interleaved rounds of the orchestrator and its peers; a table and JSON. Called by bench/run."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile

from served import ROOT, Postgres, Server, run


def ours(server, options):
    """All figures of one served ledger; tenants, then phases."""
    figures = {"idle_resident_mb": server.resident_mb()}
    server.load(mode="add", make=1, jobs=1000)
    server.load(mode="drain")
    figures["pickup_p50_ms"] = server.load(mode="pickup", jobs=options.pickups)["claim_p50_ms"]
    figures["add_per_s"] = server.load(mode="add", jobs=options.jobs)["per_second"]
    figures["drain_per_s"] = server.load(mode="drain")["per_second"]
    mixed = server.load(mode="mixed", seconds=options.seconds)
    jobs = max(mixed["jobs"], 1)
    figures["mixed_per_s"] = mixed["per_second"]
    figures["claim_p99_ms"] = mixed["claim_p99_ms"]
    # The warm-up second counts in CPU and commits too.
    whole = jobs * (options.seconds + 1) / options.seconds
    figures["cpu_us_per_lifecycle"] = mixed["cpu_s"] * 1e6 / whole
    figures["commits_per_lifecycle"] = mixed["commits"] / whole
    server.load(mode="drain")
    figures["mixed_1_tenant_per_s"] = server.load(mode="mixed", tenants=1,
                                                  seconds=options.seconds)["per_second"]
    server.load(mode="drain")
    single = server.load(mode="mixed", producers=32, workers=32, submit=1, claim=1, backlog=1000,
                         seconds=options.seconds)
    figures["single_per_s"] = single["per_second"]
    figures["single_commits_per_lifecycle"] = (
        single["commits"] / max(single["jobs"] * (options.seconds + 1) / options.seconds, 1))
    return figures


def peer(script, url, options):
    return json.loads(run(["node", ROOT / "bench/peers" / script, url, str(options.jobs),
                           str(options.pickups)]).strip().splitlines()[-1])


def add_then_drain(figures):
    return 1 / (1 / figures["add_per_s"] + 1 / figures["drain_per_s"])


def one_round(postgres, scratch, options):
    figures = {}
    for name, script in (("graphile-worker", "graphile.mjs"), ("pg-boss", "pgboss.mjs")):
        url = postgres.database()
        figures[name] = peer(script, url, options)
        figures[name]["mixed_per_s"] = add_then_drain(figures[name])
        postgres.drop(url)
    url = postgres.database()
    for name, database in (("stella, PostgreSQL", url), ("stella, SQLite", None)):
        server = Server(scratch, database)
        try:
            figures[name] = ours(server, options)
        finally:
            server.stop()
    postgres.drop(url)
    return figures


def summary(rounds, name, figure):
    values = sorted(r[name][figure] for r in rounds if figure in r[name])
    if not values:
        return None
    quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return {"median": statistics.median(values), "low": quartiles[0], "high": quartiles[2]}


def ratio(rounds, ours_name, our_figure, peer_name, peer_figure):
    values = [r[ours_name][our_figure] / r[peer_name][peer_figure] for r in rounds]
    return statistics.median(values), min(values), max(values)


def print_tables(rounds):
    names = list(rounds[0])
    figures = sorted({figure for name in names for figure in rounds[0][name]})
    print("| figure | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for figure in figures:
        cells = []
        for name in names:
            s = summary(rounds, name, figure)
            cells.append("–" if s is None else f"{s['median']:.4g} [{s['low']:.4g}..{s['high']:.4g}]")
        print(f"| {figure} | " + " | ".join(cells) + " |")
    print("\n| ratio in the same round | median [min..max] |\n|---|---|")
    g, b, p, s = "graphile-worker", "pg-boss", "stella, PostgreSQL", "stella, SQLite"
    for title, row in (
            ("add alone, PostgreSQL, to graphile-worker", (p, "add_per_s", g, "add_per_s")),
            ("drain alone, PostgreSQL, to graphile-worker", (p, "drain_per_s", g, "drain_per_s")),
            ("mixed, 16 tenants, to graphile-worker add-then-drain", (p, "mixed_per_s", g, "mixed_per_s")),
            ("mixed, 1 tenant, to graphile-worker add-then-drain", (p, "mixed_1_tenant_per_s", g, "mixed_per_s")),
            ("mixed, to pg-boss work()", (p, "mixed_per_s", b, "mixed_per_s")),
            ("SQLite mixed, to graphile-worker", (s, "mixed_per_s", g, "mixed_per_s")),
            ("one job a request, PostgreSQL, to 64 concurrent pg-boss send", (p, "single_per_s", b, "send_per_s"))):
        median, low, high = ratio(rounds, *row)
        print(f"| {title} | {median:.2f} [{low:.2f}..{high:.2f}] |")


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="measured, of each mixed load")
    parser.add_argument("--jobs", type=int, default=20000, help="of add alone and drain alone")
    parser.add_argument("--pickups", type=int, default=300)
    parser.add_argument("--out", default="build/bench.json")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="stella-bench-")
    os.chmod(scratch, 0o755)
    postgres = Postgres(pathlib.Path(scratch) / "postgres")
    rounds = []
    try:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
            rounds.append(one_round(postgres, scratch, options))
    finally:
        postgres.remove()
        shutil.rmtree(scratch, ignore_errors=True)
    pathlib.Path(options.out).write_text(json.dumps(rounds, indent=1), encoding="utf-8")
    print_tables(rounds)


main()
