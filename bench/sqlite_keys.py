#!/usr/bin/env python3
"""Shapes of the index of job keys on SQLite: what a key costs when N are kept.

usage: bench/sqlite_keys.py [--rows 1000000] [--dir DIR] [SHAPE...]

Shapes: wide (tenant, key), hash (tenant, 8-byte keyed hash), generation (tenant, generation, hash).
Each fills a file of its own in transactions of 200 keys (WAL, synchronous=FULL, 64 MiB of cache,
checkpoint above 64 MiB), every key looked up first (in all generations), as a submit does it. Figures are of the last
tenth: CPU time of this process, and bytes written to the log, which is what the disk sees.
"""
import argparse
import hashlib
import os
import resource
import sqlite3
import tempfile

GROUP = 200
GENERATIONS = 10
WAL_MAX = 64 << 20

SHAPES = {
    "wide": ("key TEXT NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (shard, tenant, key)",
             "SELECT job FROM keys WHERE shard = 3 AND tenant = 7 AND key = ?",
             "INSERT INTO keys VALUES (3, 7, ?, ?)"),
    "hash": ("hash INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (shard, tenant, hash, job)",
             "SELECT job FROM keys WHERE shard = 3 AND tenant = 7 AND hash = ?",
             "INSERT INTO keys VALUES (3, 7, ?, ?)"),
    "generation": ("generation INTEGER NOT NULL, hash INTEGER NOT NULL, job INTEGER NOT NULL, "
                   "PRIMARY KEY (shard, tenant, generation, hash, job)",
                   "SELECT job FROM keys WHERE shard = 3 AND tenant = 7 AND generation IN "
                   "(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) AND hash = ?",
                   "INSERT INTO keys VALUES (3, 7, ?, ?, ?)"),
}


def key_of(job):
    """What people use as a key: a prefix and something random, 44 characters."""
    return "advisory:" + hashlib.sha256(str(job).encode()).hexdigest()[:35]


def hash_of(job):
    return int.from_bytes(hashlib.blake2b(str(job).encode(), digest_size=8).digest(), "big",
                          signed=True)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Index:
    def __init__(self, shape, path, rows):
        self.shape, self.path, self.rows = shape, path, rows
        self.wal = 0
        columns, self.find, self.insert = SHAPES[shape]
        self.db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 0",
                       "cache_size = -65536"):
            self.db.execute("PRAGMA " + pragma).fetchall()
        self.db.execute(f"CREATE TABLE keys (shard INTEGER NOT NULL, tenant INTEGER NOT NULL, "
                        f"{columns}) STRICT, WITHOUT ROWID")

    def generation(self, job):
        return job * GENERATIONS // self.rows

    def arguments(self, jobs):
        if self.shape == "wide":
            return [(key_of(job), job) for job in jobs]
        if self.shape == "hash":
            return [(hash_of(job), job) for job in jobs]
        return [(self.generation(job), hash_of(job), job) for job in jobs]

    def group(self, arguments):
        self.db.execute("BEGIN IMMEDIATE")
        for key in arguments:
            self.db.execute(self.find, key[-2:-1]).fetchone()
        self.db.executemany(self.insert, arguments)
        self.db.execute("COMMIT")
        size = os.path.getsize(self.path + "-wal")
        if size > WAL_MAX:
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self.wal += size

    def written(self):
        return self.wal + os.path.getsize(self.path + "-wal")


def measure(shape, folder, rows):
    index = Index(shape, os.path.join(folder, shape + ".db"), rows)
    spent, wal_before, measured = 0.0, 0, 0
    for first in range(0, rows, GROUP):
        arguments = index.arguments(range(first, first + GROUP))
        is_last_tenth = first >= rows - rows // 10
        if is_last_tenth and measured == 0:
            wal_before = index.written()
        before = cpu()
        index.group(arguments)
        if is_last_tenth:
            spent += cpu() - before
            measured += GROUP
    written = (index.written() - wal_before) / measured
    before = cpu()
    if shape == "generation":
        index.db.execute("DELETE FROM keys WHERE shard = 3 AND tenant = 7 AND generation = 0")
    drop = (cpu() - before) * 1e6 / (rows / GENERATIONS)
    index.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    size = os.path.getsize(index.path) / rows
    dropped = f"{drop:.2f}" if shape == "generation" else "-"
    print(f"| {shape} | {spent * 1e6 / measured:.1f} | {written:.0f} | {size:.0f} | {dropped} |",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dir", default=None)
    parser.add_argument("shapes", nargs="*")
    options = parser.parse_args()
    print(f"{options.rows} keys kept, {GENERATIONS} generations; SQLite {sqlite3.sqlite_version}\n")
    print("| shape | CPU us a key (look up, insert) | log bytes a key | file bytes a key "
          "| CPU us a key dropped |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        for shape in options.shapes or SHAPES:
            measure(shape, folder, options.rows)


main()
