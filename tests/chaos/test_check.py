#!/usr/bin/env python3
"""The checker notices: a sound world passes, and each kind of fault put into it is found."""
import copy
import unittest

import check

TENANT = "acme"


class World:
    """Writes a history and a log that agree."""

    def __init__(self):
        self.lines, self.records, self.seqs, self.clock = [], [], {}, 1_000_000

    def line(self, type_, job=None, **facts):
        self.clock += 10
        line = {"actor": "t", "at": self.clock, "facts": facts, "seq": len(self.lines) + 1, "tenant": TENANT,
                "tick": len(self.lines) + 1, "type": type_, "v": 1}
        if job:
            self.seqs[job] = self.seqs.get(job, 0) + 1
            line.update(job=job, job_seq=self.seqs[job])
        self.lines.append(line)

    def ask(self, op, body, status=200, sends=1, answered=True, **what):
        self.clock += 10
        n = f"c-{len(self.records)}"
        self.records.append({"n": n, "t": self.clock, "op": op, **what})
        if answered:
            self.clock += 10
            self.records.append({"n": n, "t": self.clock, "status": status, "body": body, "sends": sends})
        return n

    def again(self, n, body, status=200):
        self.clock += 10
        self.records.append({"n": n, "t": self.clock, "status": status, "body": body, "sends": 1})

    def submit(self, job, key, **what):
        self.line("job.submitted", job, state="pending", key=key, run=0, name="")
        return self.ask("submit", [[job, False, "pending"]], 201, tenant=TENANT, jobs=[[key, "t"]], **what)

    def claim(self, job, grant, worker="w1", claim="k1"):
        self.line("job.leased", job, grant=grant, worker=worker)
        return self.ask("claim", [[TENANT, job, grant]], claim=claim, worker=worker)

    def report(self, op, job, grant, content="r1", code="ok"):
        return self.ask(op, [[code, "x"]], items=[[TENANT, job, grant, content]])

    def complete(self, job, grant, content="r1"):
        self.line("job.succeeded", job, spent=1, **{"class": ""})
        return self.report("complete", job, grant, content)


def sound():
    """One job done, one failed once and done, one canceled, a run of two."""
    world = World()
    world.submit("job-1", "a")
    world.submit("job-2", "b")
    world.submit("job-3", "c")
    world.line("control.accepted", about="job-3", action="job.cancel")
    world.line("job.canceled", "job-3", spent=0, **{"class": "canceled"})
    world.ask("cancel", "canceled", tenant=TENANT, job="job-3")
    world.claim("job-1", 1)
    world.complete("job-1", 1)
    world.claim("job-2", 1, claim="k2")
    world.line("job.retrying", "job-2", spent=1, **{"class": "timeout"})
    world.report("fail", "job-2", 1, "timeout")
    world.line("job.eligible", "job-2")
    world.claim("job-2", 2, claim="k3")
    world.complete("job-2", 2, "r2")
    world.line("run.submitted", run=1, total=2, name="run", key="")
    world.line("job.submitted", "job-4", state="pending", run=1, name="x")
    world.line("job.submitted", "job-5", state="blocked", run=1, name="y")
    world.line("run.edges", edges=[[4, 5, 0]], run=1)
    world.ask("run", {"id": "run-1", "jobs": [["job-4", "x"], ["job-5", "y"]]}, 201, tenant=TENANT,
              jobs=[["x", "t", []], ["y", "t", [["x", 0]]]])
    world.claim("job-4", 1, claim="k4")
    world.complete("job-4", 1)
    world.line("job.released", "job-5")
    world.claim("job-5", 1, claim="k5")
    world.complete("job-5", 1)
    world.line("run.ended", run="run-1", state="succeeded")
    return world


def kinds(world, rows=None, drained=True):
    report, _, _ = check.check({TENANT: copy.deepcopy(world.lines)}, copy.deepcopy(world.records), rows, drained)
    return set(report.counts)


def without(world, type_, job):
    """The world in which this line was never kept; numbers stay dense."""
    kept = [line for line in world.lines if (line["type"], line.get("job")) != (type_, job)]
    seqs = {}
    for i, line in enumerate(kept):
        line["seq"] = i + 1
        if "job" in line:
            seqs[line["job"]] = line["job_seq"] = seqs.get(line["job"], 0) + 1
    world.lines = kept
    return world


class Checker(unittest.TestCase):
    def found(self, kind, world, **options):
        self.assertIn(kind, kinds(world, **options))

    def test_a_sound_world_passes(self):
        self.assertEqual(set(), kinds(sound()))

    def test_a_lost_submit_is_found(self):
        world = sound()
        world.ask("submit", [["job-9", False, "pending"]], 201, tenant=TENANT, jobs=[["z", "t"]])
        self.found("lost_submit", world)

    def test_a_lost_completion_is_found(self):
        self.found("lost_report", without(sound(), "job.succeeded", "job-1"), drained=False)

    def test_a_lost_failure_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        world.claim("job-6", 1, claim="k9")
        world.report("fail", "job-6", 1, "timeout")
        self.found("lost_report", world, drained=False)

    def test_a_lost_cancel_is_found(self):
        world = sound()
        self.found("lost_control", without(world, "control.accepted", None), drained=False)

    def test_a_canceled_job_that_went_on_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        world.line("control.accepted", about="job-6", action="job.cancel")
        world.ask("cancel", "canceled", tenant=TENANT, job="job-6")
        self.found("lost_control", world, drained=False)

    def test_two_holders_of_a_grant_are_found(self):
        world = sound()
        world.ask("claim", [[TENANT, "job-1", 1]], claim="other", worker="w1")
        self.found("two_holders", world)

    def test_a_grant_that_was_not_told_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        world.line("job.leased", "job-6", grant=1, worker="w1")
        world.clock += 2 * check.SLACK_US
        empty = world.ask("claim", [], claim="k9", worker="w1")
        world.again(empty, [[TENANT, "job-6", 1]])
        self.found("other_answer", world, drained=False)

    def test_a_claim_that_got_nothing_may_get_something(self):
        world = sound()
        empty = world.ask("claim", [], claim="k9", worker="w1")
        world.submit("job-6", "f")
        world.line("job.leased", "job-6", grant=1, worker="w1")
        world.again(empty, [[TENANT, "job-6", 1]])
        world.complete("job-6", 1)
        self.assertEqual(set(), kinds(world))

    def test_a_grant_that_history_gave_to_another_is_found(self):
        world = sound()
        world.ask("claim", [[TENANT, "job-1", 2]], claim="other", worker="w2")
        self.found("lost_grant", world)

    def test_a_gap_in_grants_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        world.claim("job-6", 2, claim="k9")
        self.found("grant_gap", world, drained=False)

    def test_a_lease_over_a_lease_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        world.claim("job-6", 1, claim="k9")
        world.claim("job-6", 2, claim="k10")
        self.found("bad_transition", world, drained=False)

    def test_a_completion_from_an_old_grant_is_found(self):
        world = sound()
        world.report("complete", "job-2", 1, "r9")
        self.found("lost_report", world)

    def test_a_completion_accepted_after_the_lapse_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        world.claim("job-6", 1, claim="k9")
        world.line("job.retrying", "job-6", spent=1, **{"class": "expired"})
        world.report("complete", "job-6", 1)
        self.found("stale_accepted", world, drained=False)

    def test_a_heartbeat_accepted_long_after_the_end_is_found(self):
        world = sound()
        world.clock += 10 * check.SLACK_US
        world.ask("heartbeat", ["ok"], items=[[TENANT, "job-1", 1]])
        self.found("stale_accepted", world)

    def test_two_results_for_one_grant_are_found(self):
        world = sound()
        world.report("complete", "job-1", 1, "r-other")
        self.found("two_reports", world)

    def test_a_current_grant_told_lost_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        world.claim("job-6", 1, claim="k9")
        world.report("complete", "job-6", 1, code="lease_lost")
        self.found("false_lost", world, drained=False)

    def test_a_grant_told_lost_before_it_lapsed_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        world.claim("job-6", 1, claim="k9")
        world.report("complete", "job-6", 1, code="lease_lost")
        world.clock += 10 * check.SLACK_US
        world.line("job.retrying", "job-6", spent=1, **{"class": "expired"})
        self.found("false_lost", world, drained=False)

    def test_a_repeated_completion_told_lost_is_found(self):
        world = sound()
        world.report("complete", "job-1", 1, code="lease_lost")
        self.found("other_answer", world)

    def test_a_result_conflict_is_found(self):
        world = sound()
        world.report("complete", "job-1", 1, code="result_conflict")
        self.found("unexpected_code", world)

    def test_two_terminal_lines_in_one_life_are_found(self):
        world = sound()
        world.line("job.dead", "job-1", spent=1, **{"class": "x"})
        self.found("two_terminals", world)

    def test_a_second_life_may_end_again(self):
        world = sound()
        world.line("job.retried", "job-3", remaining=0)
        world.claim("job-3", 1, claim="k9")
        world.complete("job-3", 1)
        self.assertEqual(set(), kinds(world))

    def test_gaps_in_seq_and_job_seq_are_found(self):
        world = sound()
        world.lines[5]["seq"] += 1
        self.found("seq_not_dense", world)
        world = sound()
        next(line for line in world.lines if line.get("job_seq") == 2)["job_seq"] = 3
        self.found("job_seq_not_dense", world)

    def test_a_line_twice_is_found(self):
        world = sound()
        world.lines.insert(3, copy.deepcopy(world.lines[2]))
        self.found("seq_not_dense", world)

    def test_ledger_time_going_back_is_found(self):
        world = sound()
        world.lines[4]["at"] -= 1000
        self.found("time_backwards", world)

    def test_a_line_of_another_tenant_is_found(self):
        world = sound()
        world.lines[4]["tenant"] = "other"
        self.found("foreign_line", world)

    def test_a_false_duplicate_is_found(self):
        world = sound()
        world.line("job.submitted", "job-6", state="pending", key="f", run=0, name="")
        world.ask("submit", [["job-6", True, "pending"]], 201, tenant=TENANT, jobs=[["f", "t"]])
        self.found("false_duplicate", world, drained=False)

    def test_a_true_duplicate_is_not(self):
        world = sound()
        world.ask("submit", [["job-1", True, "succeeded"]], 201, tenant=TENANT, jobs=[["a", "t"]])
        self.assertEqual(set(), kinds(world))

    def test_a_duplicate_after_a_lost_answer_is_not(self):
        world = sound()
        world.line("job.submitted", "job-6", state="pending", key="f", run=0, name="")
        world.ask("submit", [["job-6", True, "pending"]], 201, sends=2, tenant=TENANT, jobs=[["f", "t"]])
        self.assertEqual({"no_progress"}, kinds(world))

    def test_a_key_with_two_jobs_is_found(self):
        world = sound()
        world.submit("job-6", "a")
        self.found("key_twice", world, drained=False)

    def test_a_duplicate_of_the_wrong_job_is_found(self):
        world = sound()
        world.ask("submit", [["job-2", True, "succeeded"]], 201, tenant=TENANT, jobs=[["a", "t"]])
        self.found("key_other_job", world)

    def test_another_answer_to_the_same_request_is_found(self):
        world = sound()
        n = world.records[0]["n"]
        world.again(n, [["job-2", False, "pending"]], 201)
        self.found("other_answer", world)

    def test_another_answer_to_the_same_claim_is_found(self):
        world = sound()
        n = world.claim("job-1", 9, claim="k9")
        world.again(n, [])
        self.found("other_answer", world)

    def test_a_job_before_what_it_needs_is_found(self):
        world = sound()
        self.found("dag_order", without(world, "job.succeeded", "job-4"), drained=False)

    def test_a_lost_run_is_found(self):
        world = sound()
        world.ask("run", {"id": "run-2", "jobs": [["job-8", "x"]]}, 201, tenant=TENANT, jobs=[["x", "t", []]])
        self.found("lost_run", world)

    def test_a_lost_edge_is_found(self):
        world = sound()
        next(line for line in world.lines if line["type"] == "run.edges")["facts"]["edges"] = []
        self.found("lost_edge", world)

    def test_a_wrong_run_state_is_found(self):
        world = sound()
        world.lines[-1]["facts"]["state"] = "failed"
        self.found("run_state", world)

    def test_work_that_never_ends_is_found(self):
        world = sound()
        world.submit("job-6", "f")
        self.found("no_progress", world)

    def retried_before_what_it_needs(self):
        world = sound()
        world.line("run.submitted", run=2, total=2, name="run", key="")
        world.line("job.submitted", "job-6", state="pending", run=2, name="x")
        world.line("job.submitted", "job-7", state="blocked", run=2, name="y")
        world.line("run.edges", edges=[[6, 7, 0]], run=2)
        world.line("job.canceled", "job-6", spent=0, **{"class": "canceled"})
        world.line("job.canceled", "job-7", spent=0, **{"class": "dependency_failed"})
        world.line("run.ended", run="run-2", state="canceled")
        world.line("job.retried", "job-7", remaining=1)
        return world

    def test_a_job_retried_before_what_it_needs_may_wait(self):
        self.assertEqual(set(), kinds(self.retried_before_what_it_needs()))

    def test_a_retried_job_that_waits_for_nothing_is_found(self):
        world = self.retried_before_what_it_needs()
        world.line("job.retried", "job-6", remaining=0)
        world.claim("job-6", 1, claim="k9")
        world.complete("job-6", 1)
        self.found("no_progress", world)

    def test_an_error_of_the_server_is_found(self):
        world = sound()
        world.ask("submit", {"code": "internal"}, 500, tenant=TENANT, jobs=[["z", "t"]])
        self.found("unexpected_status", world)

    def test_a_control_call_too_late_is_not_a_fault(self):
        world = sound()
        world.ask("cancel", {"code": "invalid_transition"}, 409, tenant=TENANT, job="job-1")
        self.assertEqual(set(), kinds(world))

    def rows(self, **change):
        jobs = [{"id": f"job-{i}", "state": "succeeded", "grant": 1} for i in (1, 2, 3, 4, 5)]
        jobs[1]["grant"] = 2
        jobs[2].update(state="canceled", grant=0)
        runs = [{"id": "run-1", "state": "succeeded", "counts": {"succeeded": 2}}]
        jobs[0].update(change)
        return {TENANT: {"jobs": jobs, "runs": runs}}

    def test_rows_that_agree_pass(self):
        self.assertEqual(set(), kinds(sound(), self.rows()))

    def test_a_row_that_differs_is_found(self):
        self.found("row_differs", sound(), rows=self.rows(state="dead"))
        self.found("row_differs", sound(), rows=self.rows(grant=2))

    def test_a_missing_row_and_one_too_many_are_found(self):
        rows = self.rows()
        rows[TENANT]["jobs"].pop()
        self.found("rows_missing", sound(), rows=rows)
        self.found("row_without_history", sound(), rows=self.rows(id="job-77"))

    def test_run_counts_that_differ_are_found(self):
        rows = self.rows()
        rows[TENANT]["runs"][0]["counts"] = {"succeeded": 1, "dead": 1}
        self.found("counts_differ", sound(), rows=rows)

    def test_times_are_read_in_both_forms(self):
        self.assertEqual(1767323045000006, check.microseconds("2026-01-02T03:04:05.000006Z"))
        self.assertEqual(7, check.microseconds(7))


if __name__ == "__main__":
    unittest.main()
