#!/usr/bin/env python3
"""A client that submits jobs and runs, cancels, retries and replays, and records it. Ends on SIGTERM.

usage: submitter.py --port PORT --token-file FILE --log FILE --name NAME --seed N --tenants A,B --rate N
"""
import argparse
import os
import random
import signal
import time

from recorder import Caller, Recorder, Unanswered

TYPES = ["chaos.fast", "chaos.fast", "chaos.fast", "chaos.slow"]
STEPS = [("batch", 50), ("single", 20), ("unkeyed", 10), ("repeat", 6), ("run", 10), ("cancel", 8), ("retry", 4),
         ("replay", 2)]
AGAIN = 0.05
KEPT = 400
REPEATED_S = 7          # A batch is repeated for that long: half of what keys outlive their job (stage.py)


class Submitter:
    def __init__(self, options):
        self.rng = random.Random(options.seed)
        with open(options.token_file, encoding="ascii") as file:
            token = file.read().strip()
        self.caller = Caller(options.port, token, self.rng)
        self.recorder = Recorder(options.log, options.name)
        self.name, self.rate, self.pause_file = options.name, options.rate, options.pause_file
        self.tenants = options.tenants.split(",")
        self.batches = []   # (until, tenant, jobs) to send again
        self.known = []     # (tenant, job)
        self.submitted = 0
        self.stopping = False

    def unique(self):
        return f"{self.name}-{self.recorder.count}-{self.rng.getrandbits(32):08x}"

    def asked(self, op, tenant, path, body, decode, idempotency=None, reason=None, **what):
        n = self.recorder.ask(op, tenant=tenant, **what)
        headers = {"X_Stella_Tenant": tenant}
        if idempotency:
            headers["Idempotency_Key"] = idempotency
        if reason:
            headers["X_Stella_Reason"] = reason
        first = None
        while True:
            status, answer, sends = self.caller.call("POST", path, body, **headers)
            told = decode(answer) if status in (200, 201) else answer
            self.recorder.answer(n, status, told, sends)
            first = told if first is None and status in (200, 201) else first
            if not idempotency or self.rng.random() >= AGAIN:
                return first

    def jobs(self, count, keyed):
        made = []
        for i in range(count):
            job = {"type": self.rng.choice(TYPES), "payload": {"from": self.name, "i": i}, "priority": self.rng.choice([0, 0, 5])}
            if keyed:
                job["key"] = f"{self.unique()}-{i}"
            if self.rng.random() < 0.05:
                job["delay_ms"] = self.rng.randint(1, 500)
            made.append(job)
        return made

    def send_jobs(self, tenant, jobs, idempotency):
        told = self.asked("submit", tenant, "/jobs", {"jobs": jobs},
                          lambda answer: [[job["id"], job["duplicate"], job["state"]] for job in answer["jobs"]],
                          idempotency=idempotency, jobs=[[job.get("key"), job["type"]] for job in jobs])
        self.submitted += len(jobs)
        for id_, _, _ in (told or ())[:3]:
            self.remember(self.known, (tenant, id_))

    @staticmethod
    def remember(some, one):
        some.append(one)
        if len(some) > KEPT:
            del some[:KEPT // 2]

    def batch(self, tenant, least=20, most=200):
        jobs = self.jobs(self.rng.randint(least, most), True)
        self.remember(self.batches, (time.monotonic() + REPEATED_S, tenant, jobs))
        self.send_jobs(tenant, jobs, self.unique() if self.rng.random() < 0.5 else None)

    def single(self, tenant):
        self.batch(tenant, 1, 1)

    def unkeyed(self, tenant):
        self.send_jobs(tenant, self.jobs(self.rng.randint(1, 60), False), self.unique())

    def repeat(self, tenant):
        """The same jobs again, as a client does that forgot that it was answered."""
        self.batches = [batch for batch in self.batches if batch[0] > time.monotonic()]
        if self.batches:
            self.send_jobs(*self.rng.choice(self.batches)[1:], self.unique())

    def run(self, tenant):
        count = self.rng.randint(2, 40)
        jobs, drawn = [], []
        for i in range(count):
            job = {"name": f"j{i}", "type": self.rng.choice(TYPES), "payload": i}
            before = self.rng.sample(range(i), min(i, self.rng.randint(0, 3)))
            needs = [(f"j{k}", 0 if self.rng.random() < 0.7 else 1) for k in before]
            if needs:
                job["needs"] = [{"job": name, "on": "always" if kind else "success"} for name, kind in needs]
            jobs.append(job)
            drawn.append([job["name"], job["type"], needs])
        told = self.asked("run", tenant, "/runs", {"name": self.unique(), "jobs": jobs},
                          lambda answer: {"id": answer["id"], "jobs": [[job["id"], job["name"]] for job in answer["jobs"]]},
                          idempotency=self.unique(), jobs=drawn)
        self.submitted += count
        if told:
            self.remember(self.known, (tenant, self.rng.choice(told["jobs"])[0]))

    def control(self, verb, decode, idempotency=None):
        if self.known:
            tenant, job = self.rng.choice(self.known)
            self.asked(verb, tenant, f"/jobs/{job}/{verb}", None, decode, idempotency=idempotency, reason="chaos", job=job)

    def cancel(self, tenant):
        self.control("cancel", lambda answer: answer["state"])

    def retry(self, tenant):
        self.control("retry", lambda answer: answer["state"])

    def replay(self, tenant):
        self.control("replay", lambda answer: answer["id"], self.unique())

    def stop(self, *_):
        self.stopping = True

    def main(self):
        signal.signal(signal.SIGTERM, self.stop)
        names, weights = zip(*STEPS)
        began = time.monotonic()
        while not self.stopping:
            ahead = self.submitted / self.rate - (time.monotonic() - began)
            if ahead > 0 or os.path.exists(self.pause_file):
                began += 0.02 if ahead <= 0 else 0   # Time that was paused is not caught up with.
                time.sleep(0.02)
                continue
            began = max(began, time.monotonic() - self.submitted / self.rate - 2.0)
            try:
                getattr(self, self.rng.choices(names, weights)[0])(self.rng.choice(self.tenants))
            except Unanswered:
                pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token-file", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tenants", required=True)
    parser.add_argument("--rate", type=float, required=True, help="jobs a second")
    parser.add_argument("--pause-file", required=True, help="while it exists nothing is submitted")
    Submitter(parser.parse_args()).main()


if __name__ == "__main__":
    main()
