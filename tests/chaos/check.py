#!/usr/bin/env python3
"""Checks what clients were told against what the ledger's history says.

Shares no code with the product: it knows the wire contract and the history's line types, nothing else.
Two inputs, per tenant:
  history  the lines of GET /history, every one, in order;
  log      what clients asked and were answered (the format is described in recorder.py).

usage: check.py --history FILE... --log FILE...     (files of lines; a history file holds one tenant)
"""
import argparse
import collections
import datetime
import json
import sys

LIVE = ("blocked", "pending", "leased", "running")
HELD = ("leased", "running")
ENDED = ("succeeded", "dead", "canceled")
EDGE_SUCCESS = 0
SLACK_US = 100_000   # Between a client's clock reading and the ledger's.
QUICK_US = 300_000   # A claim repeated that soon cannot have lapsed (ttl is 1 s).

Violation = collections.namedtuple("Violation", "kind text")


class Report:
    """Violations by kind; keeps the first of each kind in full."""

    KEPT = 20

    def __init__(self):
        self.counts = collections.Counter()
        self.kept = []

    def add(self, kind, text):
        self.counts[kind] += 1
        if self.counts[kind] <= self.KEPT:
            self.kept.append(Violation(kind, text))

    @property
    def total(self):
        return sum(self.counts.values())


def microseconds(at):
    """Ledger time as the export or the API writes it: a number, or RFC 3339 in UTC."""
    if isinstance(at, int):
        return at
    moment = datetime.datetime.fromisoformat(at.replace("Z", "+00:00"))
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


class Job:
    __slots__ = ("id", "state", "grant", "job_seq", "key", "run", "name", "spent", "worker", "granted", "endings",
                 "ended_grant", "cancels_asked", "lives", "needs", "accepted")

    def __init__(self, id_):
        self.id = id_
        self.state = None
        self.grant = 0
        self.job_seq = 0
        self.key = None
        self.run = 0
        self.name = None
        self.spent = 0
        self.worker = {}      # grant -> worker that the history names
        self.granted = {}     # grant -> when
        self.endings = {}     # grant -> (line type, class, at) that ended it
        self.ended_grant = None
        self.cancels_asked = 0
        self.lives = 1
        self.needs = ()       # (predecessor's number, kind)
        self.accepted = collections.Counter()  # control actions accepted


class Fold:
    """One tenant's history, line by line; complains to `report` about every line that cannot be."""

    def __init__(self, tenant, report):
        self.tenant = tenant
        self.report = report
        self.seq = 0
        self.tick = 0
        self.at = None
        self.jobs = {}
        self.by_key = {}
        self.runs = {}       # number -> {"name", "total", "jobs", "state"}
        self.terminal_at = []
        self.steps = {
            "job.submitted": self.submitted, "job.released": self.released, "job.eligible": self.eligible,
            "job.leased": self.leased, "job.running": self.running, "job.requests": self.held,
            "job.cancel_asked": self.cancel_asked, "job.succeeded": self.ended, "job.dead": self.ended,
            "job.canceled": self.ended, "job.retrying": self.put_off, "job.throttled": self.put_off,
            "job.returned": self.put_off, "job.retried": self.retried, "run.submitted": self.run_submitted,
            "run.edges": self.run_edges, "run.ended": self.run_ended, "run.reopened": self.run_reopened,
            "control.accepted": self.control,
        }

    def bad(self, kind, text, line):
        self.report.add(kind, f"{self.tenant} seq {line.get('seq')} {line.get('type')} {line.get('job', '')}: {text}")

    def take(self, line):
        line["at"] = microseconds(line["at"])
        if line.get("tenant") != self.tenant:
            self.bad("foreign_line", f"a line of tenant {line.get('tenant')}", line)
        if line["seq"] != self.seq + 1:
            self.bad("seq_not_dense", f"follows seq {self.seq}", line)
        if line["tick"] < self.tick:
            self.bad("time_backwards", f"tick {line['tick']} after {self.tick}", line)
        if self.at is not None and line["at"] < self.at:
            self.bad("time_backwards", f"at {line['at']} after {self.at}", line)
        self.seq, self.tick, self.at = line["seq"], line["tick"], line["at"]
        job = self.job_of(line)
        step = self.steps.get(line["type"])
        if step is not None:
            step(line, line["facts"], job)

    def job_of(self, line):
        if "job" not in line:
            return None
        job = self.jobs.get(line["job"])
        if job is None:
            if line["type"] != "job.submitted":
                self.bad("bad_transition", "a line of a job that was not submitted", line)
            job = self.jobs[line["job"]] = Job(line["job"])
        if line["job_seq"] != job.job_seq + 1:
            self.bad("job_seq_not_dense", f"job_seq {line['job_seq']} follows {job.job_seq}", line)
        job.job_seq = line["job_seq"]
        return job

    def expect(self, line, job, *states):
        if job.state not in states:
            kind = "two_terminals" if job.state in ENDED and line["type"] in (
                "job.succeeded", "job.dead", "job.canceled") else "bad_transition"
            self.bad(kind, f"the job is {job.state}", line)

    # -- jobs --

    def submitted(self, line, facts, job):
        self.expect(line, job, None)
        job.state = facts["state"]
        job.key = facts.get("key") or None
        job.run = facts.get("run", 0)
        job.name = facts.get("name") or None
        if job.key is not None:
            if job.key in self.by_key:
                self.bad("key_twice", f"key {job.key} is {self.by_key[job.key]}'s", line)
            self.by_key[job.key] = job.id
        if job.run:
            self.runs[job.run]["jobs"].append(job)

    def released(self, line, facts, job):
        self.expect(line, job, "blocked")
        self.check_needs(line, job)
        job.state = "pending"

    def eligible(self, line, facts, job):
        self.expect(line, job, "pending")

    def leased(self, line, facts, job):
        self.expect(line, job, "pending")
        if facts["grant"] != job.grant + 1:
            self.bad("grant_gap", f"grant {facts['grant']} follows {job.grant}", line)
        self.check_needs(line, job)
        job.grant = facts["grant"]
        job.worker[job.grant] = facts["worker"]
        job.granted[job.grant] = line["at"]
        job.state = "leased"

    def check_needs(self, line, job):
        for predecessor, kind in job.needs:
            before = self.jobs.get(f"job-{predecessor}")
            state = before.state if before else None
            if state != "succeeded" and (kind == EDGE_SUCCESS or state not in ENDED):
                self.bad("dag_order", f"job-{predecessor}, which it needs, is {state}", line)

    def running(self, line, facts, job):
        self.expect(line, job, "leased")
        job.state = "running"

    def held(self, line, facts, job):
        self.expect(line, job, *HELD)

    def cancel_asked(self, line, facts, job):
        self.expect(line, job, *HELD)
        job.cancels_asked += 1

    def ending(self, line, facts, job):
        if job.state in HELD:
            job.endings[job.grant] = (line["type"], facts.get("class", ""), line["at"])
        job.spent = facts.get("spent", job.spent)

    def ended(self, line, facts, job):
        to = line["type"].split(".")[1]
        allowed = {"succeeded": HELD, "dead": HELD + ("pending",), "canceled": LIVE}[to]
        self.expect(line, job, *allowed)
        self.ending(line, facts, job)
        job.ended_grant = job.grant if job.state in HELD else None
        job.state = to
        self.terminal_at.append(line["at"])

    def put_off(self, line, facts, job):
        self.expect(line, job, *HELD)
        self.ending(line, facts, job)
        job.state = "pending"

    def retried(self, line, facts, job):
        self.expect(line, job, "dead", "canceled")
        job.state = "blocked" if facts.get("remaining", 0) > 0 else "pending"
        job.lives += 1
        job.spent = 0

    # -- runs --

    def run_submitted(self, line, facts, job):
        if facts["run"] in self.runs:
            self.bad("run_twice", f"run-{facts['run']} was submitted before", line)
        self.runs[facts["run"]] = {"name": facts.get("name"), "total": facts["total"], "jobs": [],
                                   "state": "active"}

    def run_edges(self, line, facts, job):
        for predecessor, successor, kind in facts["edges"]:
            after = self.jobs.get(f"job-{successor}")
            if after is None:
                self.bad("dag_order", f"an edge to job-{successor}, which was not submitted", line)
            elif predecessor > 0:
                after.needs += ((predecessor, kind),)

    def run_state(self, run):
        states = collections.Counter(job.state for job in run["jobs"])
        if len(run["jobs"]) < run["total"] or any(states[state] for state in LIVE):
            return "active"
        return "failed" if states["dead"] else "canceled" if states["canceled"] else "succeeded"

    def run_ended(self, line, facts, job):
        run = self.runs[int(facts["run"].split("-")[1])]
        if facts["state"] != self.run_state(run):
            self.bad("run_state", f"{facts['run']} {facts['state']}, its jobs say {self.run_state(run)}", line)
        run["state"] = facts["state"]

    def run_reopened(self, line, facts, job):
        run = self.runs[int(facts["run"].split("-")[1])]
        if run["state"] == "active":
            self.bad("run_state", f"{facts['run']} was active", line)
        run["state"] = "active"

    def control(self, line, facts, job):
        about = self.jobs.get(facts["about"])
        if about is not None:
            about.accepted[facts["action"]] += 1


class Claims:
    """Who was told that it holds what."""

    def __init__(self, report):
        self.report = report
        self.holders = {}  # (tenant, job, grant) -> claim id

    def told(self, claim, lease):
        key = tuple(lease)
        holder = self.holders.setdefault(key, claim)
        if holder != claim:
            self.report.add("two_holders", f"{key} was given to claim {holder} and to claim {claim}")


class Client:
    """The clients' log against the folds."""

    def __init__(self, folds, report):
        self.folds = folds
        self.report = report
        self.claims = Claims(report)
        self.asks = {}
        self.first = {}         # ask -> its first answer
        self.by_key = {}        # (tenant, key) -> ask that was told "not a duplicate"
        self.reported = {}      # (tenant, job, grant) -> accepted (op, content)
        self.cancels = collections.Counter()
        self.answered = collections.Counter()
        self.lost = 0
        self.checks = {"submit": self.submit, "run": self.run, "claim": self.claim, "complete": self.reports,
                       "fail": self.reports, "throttled": self.reports, "release": self.reports,
                       "heartbeat": self.heartbeat, "cancel": self.control, "retry": self.control,
                       "replay": self.replay}

    def take(self, records):
        for record in records:
            if "op" in record:
                self.asks[record["n"]] = record
            else:
                self.answer(self.asks[record["n"]], record)

    def finish(self):
        self.lost = len(self.asks) - len(self.first)
        for (tenant, job, action), count in self.cancels.items():
            accepted = self.folds[tenant].jobs[job].accepted[action] if job in self.folds[tenant].jobs else 0
            if accepted < count:
                self.report.add("lost_control", f"{tenant} {job}: {count} × {action} acknowledged, {accepted} kept")

    def answer(self, ask, record):
        status = record["status"]
        self.answered[ask["op"]] += 1
        if status in (200, 201):
            self.checks[ask["op"]](ask, record, record["body"])
        elif not self.may_refuse(ask, status):
            self.report.add("unexpected_status", f"{ask['op']} {ask['n']} was answered {status}: {record.get('body')}")
        self.first.setdefault(ask["n"], record)

    @staticmethod
    def may_refuse(ask, status):
        """409 for a control call that came too late; 503 and 429 are only given up on at the end."""
        return status in (429, 503) or (status in (409, 410) and ask["op"] in ("cancel", "retry", "replay"))

    # -- submits --

    def job(self, tenant, id_, kind, text):
        job = self.folds[tenant].jobs.get(id_)
        if job is None:
            self.report.add(kind, f"{tenant} {id_}: {text}, history does not know it")
        return job

    def submit(self, ask, record, told):
        for (key, _type), (id_, duplicate, _state) in zip(ask["jobs"], told):
            job = self.job(ask["tenant"], id_, "lost_submit", f"submit {ask['n']} was acknowledged")
            if job is not None and (job.key or None) != key:
                self.report.add("wrong_key", f"{ask['tenant']} {id_}: submitted as {key}, kept as {job.key}")
            if key is not None:
                self.keyed(ask, key, id_, duplicate)
        self.same_ids(ask, record, [job[0] for job in told])

    def keyed(self, ask, key, id_, duplicate):
        known = self.folds[ask["tenant"]].by_key.get(key)
        if known != id_:
            self.report.add("key_other_job", f"{ask['tenant']} key {key}: told {id_}, history says {known}")
        if not duplicate:
            maker = self.by_key.setdefault((ask["tenant"], key), ask["n"])
            if maker != ask["n"]:
                self.report.add("key_twice", f"{ask['tenant']} key {key}: asks {maker} and {ask['n']} were both first")
        elif not ask["keys_before"][key]:
            self.report.add("false_duplicate", f"{ask['tenant']} key {key}: told duplicate, nobody asked before")


    def same_ids(self, ask, record, ids):
        before = self.first.get(ask["n"])
        if before is not None and before["status"] in (200, 201):
            old = [job[0] for job in before["body"]] if ask["op"] == "submit" else [job[0] for job in before["body"]["jobs"]]
            if old != ids:
                self.report.add("other_answer", f"{ask['op']} {ask['n']}: told {old[:3]}…, then {ids[:3]}…")

    def run(self, ask, record, told):
        fold = self.folds[ask["tenant"]]
        number = int(told["id"].split("-")[1])
        run = fold.runs.get(number)
        if run is None or run["total"] != len(ask["jobs"]) or len(run["jobs"]) != run["total"]:
            self.report.add("lost_run", f"{ask['tenant']} {told['id']}: acknowledged with {len(ask['jobs'])} jobs, "
                            f"history has {run and len(run['jobs'])}")
            return
        ids = {name: id_ for id_, name in told["jobs"]}
        for name, _type, needs in ask["jobs"]:
            job = self.job(ask["tenant"], ids[name], "lost_submit", f"run {told['id']} was acknowledged")
            want = sorted((int(ids[before].split("-")[1]), kind) for before, kind in needs)
            if job is not None and (job.name != name or job.run != number or sorted(job.needs) != want):
                self.report.add("lost_edge", f"{ask['tenant']} {job.id}: asked {name} {want}, kept {job.name} {job.needs}")
        self.same_ids(ask, record, [job[0] for job in told["jobs"]])

    # -- leases --

    def is_repeated(self, before, told):
        """The same leases again; a claim that had got nothing may get what was granted since."""
        if before["body"]:
            return sorted(before["body"]) == sorted(told)
        jobs = [(self.folds[tenant].jobs.get(id_), grant) for tenant, id_, grant in told]
        return all(job is not None and job.granted.get(grant, 0) > before["t"] - SLACK_US for job, grant in jobs)

    def claim(self, ask, record, told):
        before = self.first.get(ask["n"])
        if before is not None and before["status"] == 200 and record["t"] - before["t"] < QUICK_US \
                and not self.is_repeated(before, told):
            self.report.add("other_answer", f"claim {ask['claim']}: told {before['body'][:3]}…, then {told[:3]}…")
        for lease in told:
            tenant, id_, grant = lease
            self.claims.told(ask["claim"], lease)
            job = self.job(tenant, id_, "lost_grant", f"grant {grant} was given out")
            if job is not None and job.worker.get(grant) != ask["worker"]:
                self.report.add("lost_grant", f"{tenant} {id_} grant {grant}: given to {ask['worker']}, "
                                f"history says {job.worker.get(grant)}")

    def heartbeat(self, ask, record, told):
        for (tenant, id_, grant), code in zip(ask["items"], told):
            job = self.job(tenant, id_, "lost_grant", f"a heartbeat was answered {code}")
            if code != "ok" or job is None:
                continue
            if grant not in job.worker:
                self.report.add("lost_grant", f"{tenant} {id_}: heartbeat of grant {grant}, which never was, was ok")
            ending = job.endings.get(grant)
            if ending is not None and ask["t"] > ending[2] + SLACK_US:
                self.report.add("stale_accepted", f"{tenant} {id_} grant {grant}: heartbeat was ok after {ending}")

    def reports(self, ask, record, told):
        for item, (code, _state) in zip(ask["items"], told):
            tenant, id_, grant, content = item
            job = self.job(tenant, id_, "lost_report", f"a report was answered {code}")
            if job is None:
                continue
            if code == "ok":
                self.accepted(ask, job, tenant, grant, content)
            elif code == "lease_lost":
                self.refused(ask, record, job, tenant, grant)
            else:
                self.report.add("unexpected_code", f"{tenant} {id_} grant {grant}: {ask['op']} was answered {code}")

    EXPECTED = {"complete": ("job.succeeded",), "fail": ("job.retrying", "job.dead", "job.canceled"),
                "throttled": ("job.throttled", "job.canceled", "job.dead"), "release": ("job.returned", "job.canceled")}

    def accepted(self, ask, job, tenant, grant, content):
        ending = job.endings.get(grant)
        if ending is None or ending[0] not in self.EXPECTED[ask["op"]] or not self.same_class(ask["op"], ending, content):
            kind = "stale_accepted" if ending and ending[1] in ("expired", "timed_out", "stalled") else "lost_report"
            self.report.add(kind, f"{tenant} {job.id} grant {grant}: {ask['op']} {content} was ok, history says {ending}")
        before = self.reported.setdefault((tenant, job.id, grant), (ask["op"], content))
        if before != (ask["op"], content):
            self.report.add("two_reports", f"{tenant} {job.id} grant {grant}: {before} and {ask['op']} {content} were both ok")

    @staticmethod
    def same_class(op, ending, content):
        return op != "fail" or ending[0] == "job.canceled" or ending[1] == content

    def refused(self, ask, record, job, tenant, grant):
        """Lost is only what had ended otherwise, or was granted anew since."""
        ending = job.endings.get(grant)
        if grant in job.worker and (ending is None or ending[2] > record["t"] + SLACK_US):
            self.report.add("false_lost", f"{tenant} {job.id} grant {grant}: {ask['op']} was lease_lost, but it is current")
        elif (tenant, job.id, grant) in self.reported and grant == job.grant:
            self.report.add("other_answer", f"{tenant} {job.id} grant {grant}: {ask['op']} was ok, then lease_lost")
        elif ask["op"] == "complete" and ending is not None and ending[0] == "job.succeeded":
            self.report.add("false_lost", f"{tenant} {job.id} grant {grant}: complete was lease_lost, but it succeeded with it")

    # -- control --

    def control(self, ask, record, told):
        if self.first.get(ask["n"]) is None:
            self.cancels[(ask["tenant"], ask["job"], "job." + ask["op"])] += 1
        job = self.job(ask["tenant"], ask["job"], "lost_control", f"{ask['op']} was acknowledged")
        if ask["op"] == "cancel" and told == "canceled" and job is not None and job.state != "canceled" and job.lives == 1:
            self.report.add("lost_control", f"{ask['tenant']} {ask['job']}: told canceled, it is {job.state}")

    def replay(self, ask, record, told):
        self.job(ask["tenant"], told, "lost_submit", f"replay {ask['n']} of {ask['job']} was acknowledged")


def mark_resends(asks, answers):
    """Which keys an ask may rightly be told are duplicates: asked by another ask that began before
    this one was answered, or sent more than once itself."""
    begun = collections.defaultdict(list)
    for ask in asks:
        if ask["op"] == "submit":
            for key, _type in ask["jobs"]:
                if key is not None:
                    begun[(ask["tenant"], key)].append(ask)
    for ask in asks:
        if ask["op"] != "submit":
            continue
        ended = answers.get(ask["n"], {"t": float("inf"), "sends": 2})
        again = ended.get("sends", 1) > 1
        twice = collections.Counter(key for key, _type in ask["jobs"])
        ask["keys_before"] = {
            key: again or twice[key] > 1 or any(other is not ask and other["t"] <= ended["t"]
                                                for other in begun[(ask["tenant"], key)])
            for key, _type in ask["jobs"] if key is not None}


def check_rows(fold, rows, report):
    """What GET /jobs and GET /runs say now against the fold."""
    for row in rows.get("jobs", ()):
        job = fold.jobs.get(row["id"])
        if job is None:
            report.add("row_without_history", f"{fold.tenant} {row['id']}")
        elif (job.state, job.grant) != (row["state"], row["grant"]):
            report.add("row_differs", f"{fold.tenant} {row['id']}: row {row['state']} grant {row['grant']}, "
                       f"history {job.state} grant {job.grant}")
    if "jobs" in rows and len(rows["jobs"]) != len(fold.jobs):
        report.add("rows_missing", f"{fold.tenant}: {len(rows['jobs'])} rows, history has {len(fold.jobs)} jobs")
    for row in rows.get("runs", ()):
        run = fold.runs[int(row["id"].split("-")[1])]
        counts = collections.Counter(job.state for job in run["jobs"])
        told = {state: row["counts"].get(state, 0) for state in LIVE + ENDED}
        if told != {state: counts[state] for state in LIVE + ENDED} or row["state"] != fold.run_state(run):
            report.add("counts_differ", f"{fold.tenant} {row['id']}: {row['state']} {told}, history {dict(counts)}")
    if "runs" in rows and len(rows["runs"]) != len(fold.runs):
        report.add("rows_missing", f"{fold.tenant}: {len(rows['runs'])} runs, history has {len(fold.runs)}")


def waits_rightly(fold, job):
    """A retried job may wait for ever: for one that it needs, ended badly, and was not retried itself."""
    waiting, seen = [job], set()
    while waiting:
        job = waiting.pop()
        for predecessor, kind in job.needs:
            before = fold.jobs[f"job-{predecessor}"]
            if before.state in ("dead", "canceled") and kind == EDGE_SUCCESS:
                return True
            if before.state == "blocked" and before.id not in seen:
                seen.add(before.id)
                waiting.append(before)
    return False


def check_progress(fold, report):
    retried = any(job.lives > 1 for job in fold.jobs.values())
    for job in fold.jobs.values():
        if job.state not in ENDED and not (retried and job.state == "blocked" and waits_rightly(fold, job)):
            report.add("no_progress", f"{fold.tenant} {job.id} is still {job.state}")


def check(histories, records, rows=None, drained=True):
    """histories: {tenant: lines}; records: of all clients; rows: {tenant: {"jobs", "runs"}}."""
    report = Report()
    folds = {}
    for tenant, lines in histories.items():
        fold = folds[tenant] = Fold(tenant, report)
        for line in lines:
            fold.take(line)
    client = Client(folds, report)
    answers = {}
    for record in records:
        if "op" not in record:
            answers.setdefault(record["n"], record)
    mark_resends([record for record in records if "op" in record], answers)
    client.take(records)
    client.finish()
    for tenant, fold in folds.items():
        check_rows(fold, (rows or {}).get(tenant, {}), report)
        if drained:
            check_progress(fold, report)
    return report, folds, client


def read_lines(path):
    """Lines of JSON; a last line without its end was cut by a kill and does not count."""
    with open(path, "rb") as file:
        return [json.loads(line) for line in file if line.endswith(b"\n")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", nargs="+", required=True)
    parser.add_argument("--log", nargs="+", required=True)
    parser.add_argument("--not-drained", action="store_true", help="jobs may still be live")
    options = parser.parse_args()
    histories = {}
    for path in options.history:
        lines = read_lines(path)
        if lines:
            histories[lines[0]["tenant"]] = lines
    records = [record for path in options.log for record in read_lines(path)]
    report, folds, client = check(histories, records, drained=not options.not_drained)
    for violation in report.kept:
        print(f"VIOLATION {violation.kind}: {violation.text}")
    print(f"{sum(len(fold.jobs) for fold in folds.values())} jobs, {sum(client.answered.values())} answers, "
          f"{report.total} violations")
    return 1 if report.total else 0


if __name__ == "__main__":
    sys.exit(main())
