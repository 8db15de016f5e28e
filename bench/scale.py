#!/usr/bin/env python3
"""What a full ledger costs, beside an empty one that is served at the same time. Called by
bench/run --scale.

A hundredth of the finished jobs (or what --seed says) goes through the engine; the rest are copies
of the rows that it wrote (bench/copies.sql). Waiting jobs and lanes all come through the engine.
Both ledgers are measured in turns, so that what else the machine does falls on both.
"""
import argparse
import json
import math
import os
import pathlib
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from served import ROOT, Postgres, Server

BEGAN = time.monotonic()
COPIES = dict(re.findall(r"-- name: (\w+)\n(.*?;)\n",
                         (ROOT / "bench/copies.sql").read_text(encoding="utf-8"), re.S))
TENANTS = "SELECT shard, tenant, next_job - 1, head_seq FROM tenants WHERE next_job > 1"
CLAIM = 100
TENANT_COUNT, SUBMIT = 16, 1000  # http_bench makes so many and submits so much at once.


def say(text):
    print(f"{time.monotonic() - BEGAN:6.0f} s  {text}", file=sys.stderr, flush=True)


def middle(values):
    return statistics.median(values)


class Ledger:
    """A served ledger that can be filled behind its server's back while that is stopped."""

    def __init__(self, scratch, postgres):
        self.postgres = postgres
        self.database = postgres.database() if postgres else None
        self.server = Server(scratch, self.database)
        self.server.load(mode="add", make=1, jobs=1000)
        self.server.load(mode="drain")

    def run_jobs(self, jobs):
        self.server.load(mode="add", jobs=jobs)
        self.server.load(mode="drain")

    def copy_finished(self, copies):
        self.server.halt()
        (self.copy_postgres if self.postgres else self.copy_sqlite)(copies)
        return self.server.start()

    def copy_postgres(self, copies):
        rows = [[int(x) for x in line.split("|")] for line in self.psql(TENANTS).split()]
        masks = [random.getrandbits(63) for _ in range(copies)]
        parts = []
        for names in (("jobs",), ("job_keys", "outcomes", "history")):
            script = ["SET search_path = stella; SET synchronous_commit = off; SET enable_seqscan = off;"]
            for copy, mask in enumerate(masks, 1):
                for shard, tenant, jobs, lines in rows:
                    script.append(f"\\set shard {shard}\n\\set tenant {tenant}\n\\set jobs {jobs}\n"
                                  f"\\set lines {lines}\n\\set copy {copy}\n\\set mask {mask}")
                    script += [COPIES[name] for name in names]
            parts.append(subprocess.Popen(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", self.database],
                                          stdin=subprocess.PIPE, text=True))
            parts[-1].stdin.write("\n".join(script))
            parts[-1].stdin.close()
        if any(part.wait() != 0 for part in parts):
            raise SystemExit("bench: the copies failed")
        for shard, tenant, jobs, lines in rows:
            self.psql(COPIES["tenant"], copies=copies, shard=shard, tenant=tenant, jobs=jobs,
                      lines=lines)
        self.settle()

    def settle(self):
        """What autovacuum would have done in the days in which a ledger grows so."""
        self.psql("VACUUM (ANALYZE, PARALLEL 0)")
        self.psql("CHECKPOINT")

    def psql(self, text, **names):
        words = [word for name, value in names.items() for word in ("-v", f"{name}={value}")]
        return subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", *words, self.database],
                              input="SET search_path = stella;\n" + text, check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def sqlite(self):
        db = sqlite3.connect(next(self.server.data.glob("*.db")), isolation_level=None)
        db.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000;")
        return db

    def copy_sqlite(self, copies):
        db = self.sqlite()
        db.executescript("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;"
                         "PRAGMA journal_mode = OFF; PRAGMA temp_store = MEMORY;")
        rows = db.execute(TENANTS).fetchall()
        names = dict(copies=copies)
        db.execute("BEGIN")
        for copy in range(1, copies + 1):
            names.update(copy=copy, mask=random.getrandbits(63))
            for shard, tenant, jobs, lines in rows:
                names.update(shard=shard, tenant=tenant, jobs=jobs, lines=lines)
                for name in ("jobs", "job_keys", "outcomes", "history"):
                    db.execute(COPIES[name], names)
        for shard, tenant, jobs, lines in rows:
            names.update(shard=shard, tenant=tenant, jobs=jobs, lines=lines)
            db.execute(COPIES["tenant"], names)
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
        db.close()

    def stopped(self, statement, **names):
        """Runs one of copies.sql while the server is stopped."""
        self.server.halt()
        if self.postgres:
            self.psql(COPIES[statement], **names)
            self.settle()
        else:
            db = self.sqlite()
            db.execute(COPIES[statement], names)
            db.close()
        self.server.start()

    def remove(self):
        self.server.stop()
        if self.postgres:
            self.postgres.drop(self.database)


def mixed_share(empty, full, options):
    """Lifecycles a second of both in turns; the share by wall time and by the server's CPU."""
    rates, costs = {empty: [], full: []}, {empty: [], full: []}
    for number in range(options.windows):
        for ledger in ((empty, full), (full, empty))[number % 2]:
            result = ledger.server.load(mode="mixed", seconds=options.seconds)
            rates[ledger].append(result["per_second"])
            costs[ledger].append(result["cpu_s"] / max(result["jobs"], 1))
            ledger.server.load(mode="drain")
    return {"empty_per_s": middle(rates[empty]), "full_per_s": middle(rates[full]),
            "share": middle(f / e for e, f in zip(rates[empty], rates[full])),
            "share_by_cpu": middle(e / f for e, f in zip(costs[empty], costs[full]))}


def claim_ratio(empty, full, options):
    """Claims of 100 by one worker, in turns: p50 of both and their ratio."""
    jobs = options.claims * CLAIM
    for ledger in (empty, full):
        ledger.server.load(mode="add", jobs=jobs * (2 * options.windows + 1))
    times = {empty: [], full: []}
    for ledger in (empty, full):
        ledger.server.load(mode="claim", jobs=jobs)
    for number in range(2 * options.windows):
        for ledger in ((empty, full), (full, empty))[number % 2]:
            times[ledger].append(ledger.server.load(mode="claim", jobs=jobs)["claim_p50_ms"])
    return {"empty_ms": middle(times[empty]), "full_ms": middle(times[full]),
            "ratio": middle(f / e for e, f in zip(times[empty], times[full]))}


def starts(ledger):
    seconds = []
    for _ in range(3):
        ledger.server.halt()
        seconds.append(ledger.server.start())
    return {"ready_ms": 1000 * middle(seconds), "resident_mb": ledger.server.resident_mb()}


def with_finished(empty, scratch, postgres, options):
    figures = {}
    full = Ledger(scratch, postgres)
    seed = max(options.retained // 10, 1000)
    full.run_jobs(seed - 1000)
    full.copy_finished(options.retained // seed - 1)
    say(f"{options.retained:,} finished jobs retained")
    figures["retained"] = mixed_share(empty, full, options)
    say(f"throughput beside an empty ledger: {figures['retained']}")
    full.copy_finished(max(round(options.finished / options.retained) - 1, 0))
    say(f"{options.finished:,} finished jobs retained")
    figures["claim_finished"] = claim_ratio(empty, full, options)
    say(f"claim of {CLAIM}: {figures['claim_finished']}")
    figures["start_finished"] = starts(full)
    say(f"start: {figures['start_finished']}")
    full.remove()
    return figures


def with_waiting(empty, scratch, postgres, options):
    figures = {}
    full = Ledger(scratch, postgres)
    full.server.load(mode="add", jobs=options.waiting)
    figures["waiting_resident_mb"] = full.server.resident_mb()
    say(f"{options.waiting:,} jobs wait, {figures['waiting_resident_mb']:.0f} MB resident")
    figures["start_waiting"] = starts(full)
    say(f"start: {figures['start_waiting']}")
    figures["claim_waiting"] = claim_ratio(empty, full, options)
    figures["waiting_resident_mb"] = max(full.server.resident_mb(), figures["waiting_resident_mb"])
    say(f"claim of {CLAIM}: {figures['claim_waiting']}")
    full.remove()
    return figures


def with_held(empty, scratch, postgres, options):
    full = Ledger(scratch, postgres)
    full.server.load(mode="add", make=1, jobs=0, sources=1)
    full.stopped("sources", sources=math.ceil(options.lanes / TENANT_COUNT / SUBMIT) * SUBMIT)
    full.server.load(mode="add", jobs=options.lanes, sources=options.lanes)
    full.stopped("hold_lanes")
    say(f"{options.lanes:,} lanes held")
    figures = {"claim_held": claim_ratio(empty, full, options)}
    say(f"claim of {CLAIM}: {figures['claim_held']}")
    full.remove()
    return figures


def print_table(result):
    rows = (("1,000,000 retained: throughput, share of empty", "≥ 0.85 / 0.5", "retained", "share"),
            ("the same by CPU of the orchestrator", "", "retained", "share_by_cpu"),
            ("claim of 100, 1,000,000 waiting, to empty", "≤ 1.3", "claim_waiting", "ratio"),
            ("claim of 100, 10,000,000 finished, to empty", "≤ 1.3", "claim_finished", "ratio"),
            ("claim of 100, 100,000 held lanes, to empty", "≤ 1.3", "claim_held", "ratio"),
            ("resident with 1,000,000 waiting, MB", "≤ 150", "waiting_resident_mb", None),
            ("start to ready, 1,000,000 waiting, ms", "≤ 500", "start_waiting", "ready_ms"),
            ("start to ready, 10,000,000 finished, ms", "", "start_finished", "ready_ms"))
    names = list(result)
    print(f"| measure (at full scale) | done | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}")
    for title, goal, figure, part in rows:
        values = [result[name][figure] for name in names]
        cells = [f"{value[part] if part else value:.4g}" for value in values]
        print(f"| {title} | {goal} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(prog="bench/run --scale", description=__doc__)
    parser.add_argument("--retained", type=int, default=1000000)
    parser.add_argument("--finished", type=int, default=10000000)
    parser.add_argument("--waiting", type=int, default=1000000)
    parser.add_argument("--lanes", type=int, default=100000)
    parser.add_argument("--windows", type=int, default=3, help="measured in turns")
    parser.add_argument("--seconds", type=int, default=3, help="of each mixed window")
    parser.add_argument("--claims", type=int, default=30, help="of each claim window")
    parser.add_argument("--backend", choices=("postgres", "sqlite"))
    parser.add_argument("--out", default="build/bench-scale.json")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="stella-bench-")
    os.chmod(scratch, 0o755)
    postgres = None if options.backend == "sqlite" else Postgres(pathlib.Path(scratch) / "postgres")
    result = {}
    try:
        for name, cluster in (("PostgreSQL", postgres), ("SQLite", None)):
            if options.backend and options.backend != {"PostgreSQL": "postgres"}.get(name, "sqlite"):
                continue
            say(name)
            empty = Ledger(scratch, cluster)
            result[name] = {"scale": vars(options)}
            for measure in (with_finished, with_waiting, with_held):
                result[name].update(measure(empty, scratch, cluster, options))
            empty.remove()
    finally:
        if postgres:
            postgres.remove()
        shutil.rmtree(scratch, ignore_errors=True)
    pathlib.Path(options.out).write_text(json.dumps(result, indent=1), encoding="utf-8")
    print_table(result)
    say("done")


main()
