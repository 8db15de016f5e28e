#!/usr/bin/env python3
"""A worker that speaks the protocol directly, records it, and is meant to be killed at any moment.

usage: worker.py --port PORT --token-file FILE --log FILE --name NAME --seed N [--calm]
With --calm it completes everything it gets; without, it also fails, throttles, releases, dawdles, forgets.
"""
import argparse
import random
import time

from recorder import Caller, Recorder, Unanswered

TYPES = ["chaos.fast", "chaos.slow"]
CLAIM_MAX = 60
WAIT_MS = 500
FATES = [("complete", 90.0), ("fail", 4.0), ("fail_for_good", 0.7), ("throttled", 1.0), ("release", 1.5),
         ("forget", 0.8), ("dawdle", 0.05)]
AGAIN = 0.03     # Share of answers that are asked for once more.
BEAT = 0.15      # Share of batches that send a heartbeat first.


class Worker:
    def __init__(self, options):
        self.rng = random.Random(options.seed)
        with open(options.token_file, encoding="ascii") as file:
            token = file.read().strip()
        self.caller = Caller(options.port, token, self.rng)
        self.recorder = Recorder(options.log, options.name)
        self.name = options.name
        self.calm = options.calm

    def register(self):
        self.caller.call("POST", "/workers/register", {"worker": self.name, "version": "chaos", "slots": CLAIM_MAX,
                                                       "job_types": TYPES})

    def asked(self, path, body, op, decode, patience=8.0, **what):
        """Asks, records, sometimes asks once more; the first answer's decoded body, or None."""
        n = self.recorder.ask(op, **what)
        first = None
        for _ in range(2):
            status, answer, sends = self.caller.call("POST", path, body, patience=patience)
            told = decode(answer) if status == 200 else answer
            self.recorder.answer(n, status, told, sends)
            first = (told if status == 200 else None) if first is None else first
            if self.calm or self.rng.random() >= AGAIN:
                break
        return first

    def claim(self):
        claim = f"{self.name}:{self.recorder.count}:{self.rng.getrandbits(32):08x}"
        body = {"claim_id": claim, "worker": self.name, "job_types": TYPES, "max": self.rng.randint(1, CLAIM_MAX),
                "wait_ms": WAIT_MS}
        tickets = {}

        def decode(answer):
            for lease in answer["leases"]:
                tickets[(lease["tenant"], lease["job"], lease["grant"])] = lease["lease"]
            return [[lease["tenant"], lease["job"], lease["grant"]] for lease in answer["leases"]]

        leases = self.asked("/leases/claim", body, "claim", decode, claim=claim, worker=self.name)
        return [(tuple(lease), tickets[tuple(lease)]) for lease in leases or ()]

    def beat(self, held):
        body = {"worker": self.name,
                "leases": [{"lease": ticket, "grant": lease[2], "progress": {"done": 1, "total": 2}}
                           for lease, ticket in held]}
        self.asked("/leases/heartbeat", body, "heartbeat", lambda answer: [item["code"] for item in answer["results"]],
                   items=[list(lease) for lease, _ in held])

    def report(self, op, held, content, extra):
        """content: what the checker compares; extra: members of the report."""
        body = {"worker": self.name, "reports": [{"lease": ticket, "grant": lease[2], **extra} for lease, ticket in held]}
        self.asked(f"/leases/{op}", body, op,
                   lambda answer: [[item["code"], item.get("state")] for item in answer["results"]],
                   items=[[*lease, content] for lease, _ in held])

    def dawdle(self, held):
        """Works for longer than a lease lasts, with heartbeats."""
        for _ in range(self.rng.randint(2, 5)):
            time.sleep(0.3)
            self.beat(held)

    def settle(self, fate, held):
        number = self.rng.randint(1, 1_000_000)
        if fate == "complete":
            self.report("complete", held, f"r{number}", {"result": {"by": self.name, "number": number}})
        elif fate == "fail":
            class_ = self.rng.choice(["timeout", "http_5xx"])
            self.report("fail", held, class_, {"class": class_, "message": f"chaos {number}"})
        elif fate == "fail_for_good":
            self.report("fail", held, "parse_error", {"class": "parse_error", "message": f"chaos {number}", "permanent": True})
        elif fate == "throttled":
            self.report("throttled", held, "throttled", {"retry_after_ms": self.rng.randint(10, 300)})
        elif fate == "release":
            self.report("release", held, "release", {})
        elif fate == "dawdle":
            self.dawdle(held)
            self.settle("complete", held)

    def work(self, held):
        if not self.calm and self.rng.random() < BEAT:
            self.beat(held)
        names, weights = zip(*FATES)
        fates = {}
        for one in held:
            fate = "complete" if self.calm else self.rng.choices(names, weights)[0]
            fates.setdefault(fate, []).append(one)
        dawdling = fates.pop("dawdle", [])
        for fate, some in fates.items():
            self.settle(fate, some)
        if dawdling:
            self.settle("dawdle", dawdling)

    def run(self):
        self.register()
        while True:
            try:
                held = self.claim()
                if held:
                    self.work(held)
            except Unanswered:
                pass  # The log has the question without an answer; the lease lapses, another gets it.


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token-file", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calm", action="store_true")
    Worker(parser.parse_args()).run()


if __name__ == "__main__":
    main()
