#!/usr/bin/env python3
"""Kills the server, workers and PostgreSQL at random moments under load, and checks what was acknowledged.

A round is some kills on tenants of its own, then healing (no kills, no cuts), draining (all work must end), and
the checker over every history line and every recorded answer. The ledger lives through all rounds.

usage: kill_loop.py --backend sqlite|postgres [--kills 40] [--seed N] [--rate JOBS/S] [--program FILE]
                    [--state DIR] [--resume] [--json FILE]
exit status: 0 all kept, 1 a violation (its evidence stays in the state folder), 2 usage
"""
import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import check
from stage import ROOT, Cast, Postgres, Server

ROUND_KILLS = 40
TENANTS = 3
CUT = 0.008              # Share of chunks at which the proxy cuts.
WAIT_S = (0.2, 1.3)      # Between two kills.
SETTLE = 0.75            # Share of kills that wait until the server is ready; the others may hit its start.
WAITING_MAX = 4000       # Live jobs above which submitters pause.
DRAIN_S = 60
STILL_S = 3              # No job ended for so long: look whether any could.
SHARES = {"sqlite": {"server": 6, "worker": 4}, "postgres": {"server": 5, "worker": 4, "database": 1}}
TYPE = {"ttl_ms": 1000, "max_attempts": 6, "backoff_base_ms": 20, "backoff_max_ms": 400}


def targets(backend, kills, rng):
    """What is killed, in which order: exact shares, shuffled."""
    shares = SHARES[backend]
    whole = sum(shares.values())
    order = []
    for target, share in shares.items():
        order += [target] * (kills * share // whole)
    order += ["server"] * (kills - len(order))
    rng.shuffle(order)
    return order


class Loop:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rng = random.Random(options.seed)
        self.postgres = Postgres(os.path.join(self.database_folder(), "pg")) if options.backend == "postgres" else None
        if self.postgres:
            self.postgres.start()
        self.server = Server(options.program, folder, self.postgres.url if self.postgres else None)
        self.kills = collections.Counter()

    def database_folder(self):
        """User postgres must be able to reach it, so it does not lie in the state folder when root runs this."""
        marker = os.path.join(self.folder, "cluster")
        if not os.path.exists(marker):
            place = tempfile.mkdtemp(prefix="stella-chaos-")
            os.chmod(place, 0o755)
            with open(marker, "w", encoding="utf-8") as file:
                file.write(place)
        with open(marker, encoding="utf-8") as file:
            return file.read()

    def open(self):
        self.server.migrate()
        self.server.process.start()
        self.server.wait_ready()
        for name in ("chaos.fast", "chaos.slow"):
            if self.server.get(f"/api/v1/job-types/{name}")[0] != 200:
                self.server.must("PUT", f"/job-types/{name}", TYPE)

    def close(self):
        if self.server.process.child is not None:
            self.server.process.stop()
        if self.postgres:
            self.postgres.remove()
            shutil.rmtree(self.database_folder(), ignore_errors=True)

    def kill(self, target, cast):
        if target == "worker":
            cast.kill_worker()
        elif target == "server":
            self.server.process.kill()
            self.server.process.start()
        else:
            self.server.wait_ready()  # It need not survive a start without a database, only the loss of one.
            self.postgres.kill()
            time.sleep(self.rng.uniform(0, 0.3))
            self.postgres.start()
        self.kills[target] += 1

    def live(self, tenants):
        """Jobs that have not ended, or None while nobody answers."""
        live = 0
        for tenant in tenants:
            status, answer = self.server.get(f"/api/v1/tenants/{tenant}")
            if status != 200:
                return None
            live += answer["live_jobs"]
        return live

    def strike(self, order, cast, tenants):
        """Kills under load; returns the seconds it took."""
        began = time.monotonic()
        for target in order:
            if self.rng.random() < SETTLE:
                self.server.wait_ready()
            time.sleep(self.rng.uniform(*WAIT_S))
            if not self.server.process.alive():
                raise SystemExit(f"the server ended by itself:\n{self.server.process.last_words()}")
            self.kill(target, cast)
            live = self.live(tenants)
            if live is not None:
                cast.pause(live > WAITING_MAX)
        time.sleep(WAIT_S[0])
        return time.monotonic() - began

    def movable(self, tenants):
        """Something could still go on; blocked jobs alone may wait rightly, the checker says."""
        return any(self.server.must("GET", f"/jobs?state={state}&limit=1", tenant=tenant)["items"]
                   for tenant in tenants for state in ("pending", "leased", "running"))

    def drain(self, tenants):
        self.server.wait_ready()
        deadline = time.monotonic() + DRAIN_S
        live, since = self.live(tenants), time.monotonic()
        while live != 0 and time.monotonic() < deadline:
            time.sleep(0.1)
            before, live = live, self.live(tenants)
            since = since if live == before else time.monotonic()
            if time.monotonic() - since > STILL_S and not self.movable(tenants):
                return

    def evidence(self, cast, tenants):
        histories = {tenant: list(self.server.history(tenant)) for tenant in tenants}
        rows = {tenant: {"jobs": list(self.server.pages("/jobs", tenant)), "runs": list(self.server.pages("/runs", tenant))}
                for tenant in tenants}
        records = [record for path in cast.logs() for record in check.read_lines(path)]
        return histories, rows, records

    def round(self, number, kills):
        folder = os.path.join(self.folder, f"round-{number}")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        seed = self.options.seed * 1000 + number
        self.rng = random.Random(seed)
        # A round that was interrupted may have left its tenants in the ledger.
        tenants = [f"chaos-{number}-{i}-{os.getpid()}" for i in range(TENANTS)]
        for tenant in tenants:
            self.server.must("POST", "/tenants", {"name": tenant, "weight": self.rng.randint(1, 4)})
        cast = Cast(self.server, folder, tenants, self.options.rate, CUT, seed)
        try:
            cast.begin()
            began_us = time.time_ns() // 1000
            seconds = self.strike(targets(self.options.backend, kills, self.rng), cast, tenants)
            ended_us = time.time_ns() // 1000
            calm = time.monotonic()
            cast.calm_down()
            self.drain(tenants)
            cast.end()
            drained = time.monotonic()
            evidence = self.evidence(cast, tenants)
        finally:
            cast.end()
        read = time.monotonic()
        result = self.judge(evidence, folder, began_us, ended_us)
        return {"round": number, "seed": seed, "kills": kills, "seconds": round(seconds, 1),
                "drain_seconds": round(drained - calm, 1), "read_seconds": round(read - drained, 1),
                "check_seconds": round(time.monotonic() - read, 1), **result}

    def judge(self, evidence, folder, began_us, ended_us):
        histories, rows, records = evidence
        report, folds, client = check.check(histories, records, rows)
        ended = sum(began_us <= at < ended_us for fold in folds.values() for at in fold.terminal_at)
        if report.total:
            for tenant, lines in histories.items():
                with open(os.path.join(folder, f"history-{tenant}.jsonl"), "w", encoding="utf-8") as file:
                    file.writelines(json.dumps(line) + "\n" for line in lines)
            for violation in report.kept:
                print(f"  VIOLATION {violation.kind}: {violation.text}", flush=True)
        else:
            shutil.rmtree(folder)
        resent = sum(record.get("sends", 1) > 1 for record in records if "op" not in record)
        return {"jobs": sum(len(fold.jobs) for fold in folds.values()), "lines": sum(fold.seq for fold in folds.values()),
                "answers": sum(client.answered.values()), "resent": resent, "unanswered": client.lost,
                "ended_under_fire": ended, "lifecycles_per_s": round(ended * 1e6 / (ended_us - began_us)),
                "violations": dict(report.counts)}


def load_state(path):
    if not os.path.exists(path):
        return {"rounds": []}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, value):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)


def commit():
    found = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def summary(options, state, kills):
    rounds = state["rounds"]
    seconds = sum(one["seconds"] for one in rounds)
    violations = collections.Counter()
    for one in rounds:
        violations.update(one["violations"])
    return {"backend": options.backend, "commit": state["commit"], "seed": options.seed,
            "kills": sum(one["kills"] for one in rounds), "killed": kills,
            "jobs": sum(one["jobs"] for one in rounds), "history_lines": sum(one["lines"] for one in rounds),
            "answers": sum(one["answers"] for one in rounds), "resent": sum(one["resent"] for one in rounds),
            "unanswered": sum(one["unanswered"] for one in rounds),
            "lifecycles_per_s": round(sum(one["ended_under_fire"] for one in rounds) / seconds) if seconds else 0,
            "seconds": round(seconds), "violations": dict(violations)}


def run(options, folder):
    state_file = os.path.join(folder, f"{options.backend}.json")
    state = load_state(state_file) if options.resume else {"rounds": []}
    state.setdefault("commit", commit())
    state["seed"] = options.seed
    state.setdefault("killed", {})
    loop = Loop(options, folder)
    try:
        loop.open()
        while sum(one["kills"] for one in state["rounds"]) < options.kills:
            done = sum(one["kills"] for one in state["rounds"])
            began = time.monotonic()
            one = loop.round(len(state["rounds"]) + 1, min(ROUND_KILLS, options.kills - done))
            state["rounds"].append(one)
            state["killed"] = dict(collections.Counter(state["killed"]) + loop.kills)
            loop.kills.clear()
            save(state_file, state)
            print(f"{options.backend} kills {done + one['kills']}/{options.kills}: {one['jobs']} jobs, {one['answers']} answers "
                  f"({one['resent']} after resends), {one['lifecycles_per_s']} lifecycles/s, "
                  f"{sum(one['violations'].values())} violations, {time.monotonic() - began:.0f} s", flush=True)
            if one["violations"]:
                break
    finally:
        loop.close()
    return summary(options, state, state["killed"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=("sqlite", "postgres"), required=True)
    parser.add_argument("--kills", type=int, default=ROUND_KILLS)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--rate", type=float, default=800, help="jobs a second that are submitted")
    parser.add_argument("--program", default=os.path.join(
        os.environ.get("STELLA_BUILD", os.path.join(ROOT, "build", "release")), "src", "stella"))
    parser.add_argument("--state", help="keeps finished rounds, and the evidence of violations")
    parser.add_argument("--resume", action="store_true", help="go on after the rounds that --state has")
    parser.add_argument("--json", help="write the summary here")
    options = parser.parse_args()
    folder = options.state or tempfile.mkdtemp(prefix="stella-kill-loop-")
    os.makedirs(folder, exist_ok=True)
    kept = load_state(os.path.join(folder, f"{options.backend}.json")) if options.resume else {}
    options.seed = options.seed or kept.get("seed") or random.SystemRandom().randrange(1, 1_000_000)
    if not options.resume:
        shutil.rmtree(os.path.join(folder, "data"), ignore_errors=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # So that what was started is ended.
    print(f"kill loop on {options.backend}, seed {options.seed}, state in {folder}", flush=True)
    result = run(options, folder)
    if options.json:
        save(options.json, result)
    print(json.dumps(result))
    if result["violations"]:
        return 1
    if not options.state:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
