#!/usr/bin/env python3
"""The command line against a real server."""
import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import unittest

from rig import PROGRAM, Rig, clean_environment, stella, stella_on_terminal

RUN = {"name": "nightly", "jobs": [{"name": "a", "type": "t"}, {"name": "b", "type": "t", "needs": [{"job": "a"}]}]}


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig()
        cls.rig.json("tenants", "add", "acme", "--weight", "3")
        cls.rig.environment["STELLA_TENANT"] = "acme"
        cls.rig.json("job-types", "put", "t", "--max-attempts", "2", "--ttl-ms", "5000")

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()

    def submit(self, type_="t", **options):
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return self.rig.json("jobs", "submit", "--type", type_, *words)[0]["id"]

    def refused(self, status, code, *words, stdin=""):
        """Fails as documented, and tells programs why in one line of JSON."""
        got, out, err = self.rig.run(*words, "-o", "json", stdin=stdin)
        self.assertEqual((status, ""), (got, out), (words, err))
        told = json.loads(err)
        self.assertEqual(code, told["code"], told)
        self.assertTrue(told["message"])
        return told

    def type_of_its_own(self):
        name = "t." + self.id().rsplit(".", 1)[1]
        self.rig.json("job-types", "put", name, "--ttl-ms", "5000")
        return name

    # -- jobs --

    def test_one_job_from_submit_to_success(self):
        kind = self.type_of_its_own()
        job = self.submit(kind, payload='{"day": "2026-01-31"}')
        self.assertEqual("pending", self.rig.json("jobs", "get", job)["state"])
        lease = self.rig.claim(kind)[0]
        self.assertEqual(job, lease["job"])
        self.assertEqual("ok", self.rig.complete([lease], {"rows": 3})[0]["code"])
        shown = self.rig.json("jobs", "get", job)
        self.assertEqual(("succeeded", {"rows": 3}), (shown["state"], shown["result"]))
        types = [line["type"] for line in self.rig.json("jobs", "history", job)["items"]]
        self.assertEqual(["job.submitted", "job.leased", "job.succeeded"], types)

    def test_the_payload_comes_back_byte_for_byte(self):
        payload = '{"b":  1.50, "a":[ 1 ]}'
        job = self.submit(payload="@" + self.rig.path("payload.json", payload))
        self.assertEqual(payload, self.rig.run("jobs", "payload", job)[1])

    def test_the_same_key_makes_no_second_job(self):
        first = self.submit(key="once", payload="1")
        again = self.rig.json("jobs", "submit", "--type", "t", "--key", "once", "--payload", "1")[0]
        self.assertEqual((first, True), (again["id"], again["duplicate"]))
        self.refused(5, "job_key_conflict", "jobs", "submit", "--type", "t", "--key", "once", "--payload", "2")

    def test_why_a_job_waits_in_one_glance(self):
        kind = self.type_of_its_own()
        first, second = self.submit(kind), self.submit(kind)
        status, out, _ = self.rig.run("jobs", "explain", second)
        self.assertEqual(0, status)
        self.assertTrue(out.startswith(f"{second} pending: 1 job comes before it.\n"), out)
        self.assertIn("wait until workers asked for 2 jobs", out)
        told = self.rig.json("jobs", "explain", second)
        self.assertEqual(("queue", 1), (told["hold"]["reason"], told["position"]["ahead"]))
        self.assertEqual(second + "\n", self.rig.run("jobs", "why", second, "-o", "name")[1])
        lease = self.rig.claim(kind, 1)
        self.assertIn("Worker w holds it.", self.rig.run("jobs", "explain", first)[1])
        self.rig.fail(lease)
        ended = self.rig.run("jobs", "explain", first)[1]
        self.assertIn(f"stella orchestrator jobs retry {first} --reason", ended)
        shown = stella_on_terminal("jobs", "explain", first, **self.rig.environment)[1]
        self.assertIn("\033[31mdead\033[0m", shown)
        self.refused(3, "not_found", "jobs", "explain", "job-999999")

    def test_many_jobs_from_a_file_in_three_forms(self):
        job = {"type": "t"}
        for content, count in (({"jobs": [job, job]}, 2), ([job, job, job], 3), (job, 1)):
            status, out, _ = self.rig.run("jobs", "submit", "-f", "-", "-o", "name", stdin=json.dumps(content))
            self.assertEqual((0, count), (status, len(out.split())))

    def test_a_refused_batch_names_the_item(self):
        told = self.refused(1, "unknown_job_type", "jobs", "submit", "-f", "-", stdin='[{"type":"t"},{"type":"unknown"}]')
        self.assertIn("/jobs/1", json.dumps(told))

    def test_lists_page_by_page(self):
        run = self.rig.json("runs", "submit", "-f", "-", stdin=json.dumps(
            {"jobs": [{"name": f"j{i}", "type": "t"} for i in range(250)]}))["id"]
        for words, count in ((["--limit", "7"], 7), (["--limit", "120"], 120), (["--all"], 250), ([], 100)):
            status, out, err = self.rig.run("jobs", "list", "--run", run, "-o", "name", *words)
            self.assertEqual((0, count), (status, len(set(out.split()))), err)
        self.assertIsNotNone(self.rig.json("jobs", "list", "--run", run, "--limit", "5")["next_cursor"])
        self.assertIsNone(self.rig.json("jobs", "list", "--run", run, "--all")["next_cursor"])

    def test_cancel_retry_and_replay(self):
        job = self.submit(self.type_of_its_own())
        self.refused(2, "reason_required", "jobs", "cancel", job)
        self.assertEqual("canceled", self.rig.json("jobs", "cancel", job, "--reason", "test")[0]["state"])
        told = self.refused(5, "invalid_transition", "jobs", "cancel", job, "--reason", "test")
        self.assertTrue(told["hint"])
        self.assertEqual("pending", self.rig.json("jobs", "retry", job, "--reason", "test", "--ticket", "OPS-1")[0]["state"])
        self.rig.run("jobs", "cancel", job, "--reason", "test")
        replayed = self.rig.json("jobs", "replay", job, "--reason", "test")[0]
        self.assertEqual(job, replayed["replay_of"])

    def test_what_is_not_there_exits_3(self):
        self.refused(3, "not_found", "jobs", "get", "job-999999")
        self.refused(3, "not_found", "runs", "get", "run-999999")
        self.refused(3, "not_found", "sources", "get", "nobody")

    # -- runs --

    def finish_run(self, kind):
        for _ in range(2):
            self.rig.complete(self.rig.claim(kind))

    def run_of(self, kind):
        jobs = [dict(job, type=kind) for job in RUN["jobs"]]
        status, out, err = self.rig.run("runs", "submit", "-f", "-", stdin=json.dumps(dict(RUN, jobs=jobs)))
        self.assertEqual(0, status, err)
        return out.strip()

    def test_what_holds_a_run_up(self):
        run = self.run_of(self.type_of_its_own())
        out = self.rig.run("runs", "explain", run)[1]
        self.assertTrue(out.startswith(f"{run} active: 0 of 2 jobs have ended"), out)
        self.assertRegex(out, r"\n  queue +1  job-\d+\n  predecessors +1  job-\d+\n")
        self.assertEqual(run, self.rig.json("runs", "explain", run)["id"])

    def test_a_run_is_retried_replayed_and_told_as_a_timeline(self):
        kind = self.type_of_its_own()
        run = self.run_of(kind)
        self.rig.fail(self.rig.claim(kind))
        self.refused(2, "usage", "runs", "replay", run, "--reason", "x")
        self.assertEqual("active", self.rig.json("runs", "retry", run, "--reason", "x")["state"])
        self.finish_run(kind)
        rows = [line.split("\t")[1:5] for line in self.rig.run("runs", "timeline", run)[1].splitlines()]
        self.assertEqual([["a", kind, "1", "failed"], ["a", kind, "2", "succeeded"], ["b", kind, "1", "succeeded"]], rows)
        self.assertEqual([1, 2, 1], self.rig.json("runs", "timeline", run)["columns"]["attempt"])
        self.assertEqual(2, len(self.rig.run("runs", "critical-path", run, "-o", "name")[1].split()))
        replayed = self.rig.json("runs", "replay", run, "--from", "b", "--reason", "x")
        self.assertEqual(["b"], [job["name"] for job in replayed["jobs"]])

    def test_an_action_over_a_filter_is_previewed_and_applied(self):
        kind = self.type_of_its_own()
        jobs = [self.submit(kind) for _ in range(3)]
        where = ("cancel", "--state", "pending", "--type", kind)
        seen = self.rig.json("jobs", "preview", *where)
        self.assertEqual((3, jobs), (seen["count"], seen["sample"]))
        self.refused(2, "reason_required", "jobs", "apply", *where)
        self.refused(2, "usage", "jobs", "apply", *where, "--reason", "x")
        done = self.rig.json("jobs", "apply", *where, "--reason", "x", "--token", seen["token"])
        self.assertEqual(("done", 3, 3, 0), tuple(done[name] for name in ("state", "matched", "changed", "refused")))
        self.assertEqual(done, self.rig.json("jobs", "apply", *where, "--reason", "x", "--token", seen["token"]))
        self.assertEqual(0, self.rig.json("jobs", "apply", *where, "--reason", "x", "--yes")["matched"])
        token = self.rig.json("jobs", "preview", *where)["token"]
        self.submit(kind)
        self.refused(5, "conflict", "jobs", "apply", *where, "--reason", "x", "--token", token)

    def test_a_bulk_action_is_followed_and_its_results_are_listed(self):
        kind = self.type_of_its_own()
        jobs = [self.submit(kind) for _ in range(2)]
        begun = self.rig.json("jobs", "apply", "cancel", "--type", kind, "--reason", "x", "--yes", "--no-wait")
        bulk = begun["id"]
        self.assertEqual("done", self.rig.json("bulk", "get", bulk, "--wait")["state"])
        self.assertEqual(bulk, self.rig.run("bulk", "list", "-o", "name")[1].split()[0])
        self.assertEqual([{"id": job, "outcome": "changed"} for job in jobs], self.rig.json("bulk", "results", bulk)["items"])
        self.refused(5, "invalid_transition", "bulk", "cancel", bulk, "--reason", "x")
        self.refused(2, "reason_required", "bulk", "cancel", bulk)
        status, out, err = self.rig.run("jobs", "apply", "prioritise", "--priority", "3", "--state", "canceled", "--type", kind,
                                        "--reason", "x", "--yes")
        self.assertEqual((5, True), (status, "2 of 2 jobs were refused" in err), err)
        last = self.rig.run("bulk", "list", "-o", "name")[1].split()[0]
        self.assertIn(last, out)
        self.assertIn(f"bulk results {last} --outcome refused", err)
        refused = self.rig.json("bulk", "results", last, "--outcome", "refused")["items"]
        self.assertEqual({"invalid_transition"}, {result["code"] for result in refused})

    def test_a_bulk_action_goes_on_when_its_follower_is_interrupted(self):
        kind = self.type_of_its_own()
        for _ in range(2):
            self.rig.json("jobs", "submit", "-f", self.rig.path("thousand.json", json.dumps([{"type": kind}] * 1000)))
        follower = subprocess.Popen([PROGRAM, "jobs", "apply", "cancel", "--type", kind, "--reason", "x", "--yes"], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True, env=clean_environment(**self.rig.environment))
        for _ in range(1000):
            if {"type": kind} in [item.get("filter") for item in self.rig.json("bulk", "list")["items"]]:
                break
        follower.send_signal(signal.SIGINT)
        out, _ = follower.communicate(timeout=60)
        self.assertIn(follower.returncode, (0, 130), out)  # 0: it was at its end before.
        bulk = self.rig.run("bulk", "list", "-o", "name")[1].split()[0]
        self.assertEqual(2000, self.rig.json("bulk", "get", bulk, "--wait")["changed"])

    def test_priorities_and_attempts(self):
        kind = self.type_of_its_own()
        jobs = [self.submit(kind), self.submit(kind)]
        self.refused(2, "usage", "jobs", "prioritise", jobs[1], "--reason", "x")
        self.assertEqual(9, self.rig.json("jobs", "prioritise", jobs[1], "--priority", "9", "--reason", "x")[0]["priority"])
        listed = self.rig.run("jobs", "list", "--state", "pending", "--type", kind, "-o", "name")[1].split()
        self.assertEqual(jobs[::-1], listed)
        self.assertEqual(jobs[1], self.rig.claim(kind)[0]["job"])
        self.assertEqual([], self.rig.json("jobs", "attempts", jobs[0])["items"])

    def test_a_run_is_watched_until_it_succeeds(self):
        kind = self.type_of_its_own()
        run = self.run_of(kind)
        watch = subprocess.Popen([PROGRAM, "runs", "watch", run, "--exit-status"], stdout=subprocess.PIPE, text=True,
                                 env=clean_environment(**self.rig.environment))
        first = watch.stdout.readline()
        self.assertIn(f"{run} active 2 jobs, 1 pending, 1 blocked", first)
        self.finish_run(kind)
        rest = watch.communicate(timeout=30)[0]
        self.assertEqual(0, watch.returncode)
        self.assertIn(f"{run} succeeded 2 jobs, 2 succeeded", rest)

    def test_a_failed_run_exits_1_only_when_asked(self):
        kind = self.type_of_its_own()
        run = self.run_of(kind)
        self.rig.fail(self.rig.claim(kind))
        self.assertEqual(0, self.rig.run("runs", "watch", run)[0])
        self.refused_watch(run)
        states = [job["state"] for job in self.rig.json("runs", "jobs", run)["items"]]
        self.assertEqual(["canceled", "dead"], sorted(states))

    def test_a_submit_waits_for_the_end(self):
        kind = self.type_of_its_own()
        file = self.rig.path("waited.json", json.dumps({"jobs": [{"name": "a", "type": kind}]}))
        status, out, _ = self.rig.run("runs", "submit", "-f", file, "--wait", "1", "--exit-status")
        self.assertEqual(1, status, "it is not over")
        self.assertRegex(out, r"^run-\d+\tactive\n$")
        status, _, err = self.rig.run("runs", "submit", "-f", file, "--wait", "61")
        self.assertEqual((2, True), (status, "--wait" in err), err)

    def refused_watch(self, run):
        status, _, err = self.rig.run("runs", "watch", run, "--exit-status")
        self.assertEqual(1, status)
        self.assertIn(f"{run} ended failed", err)

    def test_a_terminal_gets_one_line_that_is_written_over(self):
        kind = self.type_of_its_own()
        run = self.run_of(kind)
        self.finish_run(kind)
        status, shown = stella_on_terminal("runs", "watch", run, "--exit-status", **self.rig.environment)
        self.assertEqual(0, status)
        self.assertRegex(shown, rf"^\r\x1b\[K{run} succeeded #{{30}} 2 jobs, 2 succeeded\r\n$")

    def test_watching_ends_with_130_on_interrupt(self):
        run = self.run_of(self.type_of_its_own())
        watch = subprocess.Popen([PROGRAM, "runs", "watch", run], stdout=subprocess.PIPE, text=True,
                                 env=clean_environment(**self.rig.environment))
        watch.stdout.readline()
        watch.send_signal(signal.SIGINT)
        watch.communicate(timeout=10)
        self.assertIn(watch.returncode, (130, -signal.SIGINT))

    def test_the_dag_is_shown(self):
        run = self.run_of("t")
        dag = self.rig.json("runs", "dag", run)
        ids = {job["name"]: job["id"] for job in dag["jobs"]}
        self.assertEqual([{"from": ids["a"], "on": "success", "to": ids["b"]}], dag["edges"])

    def test_a_run_is_canceled_after_a_question(self):
        run = self.run_of("t")
        self.refused(2, "usage", "runs", "cancel", run, "--reason", "test")
        status, shown = stella_on_terminal("runs", "cancel", run, "--reason", "test", typed="n\n", **self.rig.environment)
        self.assertEqual(10, status, shown)
        self.assertIn(f"Cancel all of {run}? [y/N]", shown)
        self.assertEqual("active", self.rig.json("runs", "get", run)["state"])
        status, shown = stella_on_terminal("runs", "cancel", run, "--reason", "test", typed="y\n", **self.rig.environment)
        self.assertEqual(0, status, shown)
        self.assertEqual("canceled", self.rig.json("runs", "get", run)["state"])

    def test_bad_runs_are_refused(self):
        cycle = {"jobs": [{"name": "a", "type": "t", "needs": [{"job": "b"}]}, {"name": "b", "type": "t", "needs": [{"job": "a"}]}]}
        self.refused(1, "dag_cycle", "runs", "submit", "-f", "-", stdin=json.dumps(cycle))
        dangling = {"jobs": [{"name": "a", "type": "t", "needs": [{"job": "zz"}]}]}
        self.refused(1, "dangling_edge", "runs", "submit", "-f", "-", stdin=json.dumps(dangling))
        self.refused(2, "malformed_json", "runs", "submit", "-f", "-", stdin="{")

    # -- configuration --

    def test_a_source_is_put_and_replaced(self):
        put = ["sources", "put", "osv", "--kind", "advisory-osv", "--url", "https://osv.example.org/all"]
        self.rig.json(*put)
        self.rig.json(*put, "--rate", "5")
        self.assertEqual(5, self.rig.json("sources", "get", "osv")["rate_per_s"])
        self.assertIn("osv", self.rig.run("sources", "list")[1])

    def test_a_source_that_cannot_be_had_says_why_and_how_to_mend_it(self):
        self.rig.json("sources", "put", "inner", "--kind", "other", "--url", "http://127.0.0.1:1/feed")
        status, out, err = self.rig.run("sources", "test", "inner", "--path", "a.json")
        self.assertEqual(0, status, err)
        self.assertIn("class\trefused_address\n", out)
        self.assertIn("127.0.0.1 is not an address of the public internet. Use a public address, or have the operator set "
                      "source_private_addresses.\n", out)
        status, out, _ = self.rig.run("sources", "test", "inner", "--path", "a.json", "--exit-status", "-o", "json")
        self.assertEqual((1, False, []), (status, json.loads(out)["ok"], json.loads(out)["trial"]["answers"]))

    def test_a_stale_version_exits_5(self):
        self.rig.json("job-types", "put", "versioned", "--max-attempts", "2")
        self.refused(5, "precondition_failed", "job-types", "put", "versioned", "--max-attempts", "3", "--if-match", '"no-such"')
        self.assertEqual(2, self.rig.json("job-types", "get", "versioned")["max_attempts"])

    def test_a_tenants_limits_are_changed_with_a_reason(self):
        self.refused(2, "reason_required", "tenants", "set", "acme", "--weight", "2")
        changed = self.rig.json("tenants", "set", "acme", "--weight", "2", "--reason", "test")
        self.assertEqual(2, changed["weight"])

    # -- tokens --

    def test_a_token_is_made_used_and_revoked(self):
        path = self.rig.path("reader.token")
        made = self.rig.json("tokens", "add", "reader", "--scopes", "orch:read", "--out", path)
        self.assertNotIn("token", made)
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))
        environment = dict(self.rig.environment, STELLA_TOKEN_FILE=path)
        environment.pop("STELLA_TENANT")
        self.assertEqual("acme", json.loads(stella("whoami", "-o", "json", **environment)[1])["tenant"])
        self.assertEqual(0, stella("jobs", "list", **environment)[0])
        status, _, err = stella("jobs", "submit", "--type", "t", "-o", "json", **environment)
        self.assertEqual((4, "forbidden"), (status, json.loads(err)["code"]))
        self.assertEqual(0, self.rig.run("tokens", "revoke", made["id"], "--reason", "test", "--yes")[0])
        self.assertEqual(4, stella("jobs", "list", **environment)[0])

    def test_no_token_and_a_wrong_one_exit_4(self):
        wrong = dict(self.rig.environment, STELLA_TOKEN_FILE=self.rig.path("wrong.token", "stl_wrong\n"))
        self.assertEqual(4, stella("whoami", **wrong)[0])
        nowhere = dict(self.rig.environment, STELLA_TOKEN_FILE="/nowhere")
        self.assertEqual(4, stella("whoami", **nowhere)[0])

    # -- artifacts --

    def test_an_artifact_goes_up_and_comes_down(self):
        content = "line\n" * 5000
        digest = hashlib.sha256(content.encode()).hexdigest()
        status, out, err = self.rig.run("artifacts", "upload", self.rig.path("big.txt", content), "--media-type", "text/plain")
        self.assertEqual((0, digest + "\n"), (status, out), err)
        self.assertEqual(content, self.rig.run("artifacts", "download", digest)[1])
        target = self.rig.path("down.txt")
        self.assertEqual(0, self.rig.run("artifacts", "download", digest, "--out", target)[0])
        with open(target, encoding="utf-8") as file:
            self.assertEqual(content, file.read())
        absent = "0" * 64
        self.refused(3, "not_found", "artifacts", "download", absent, "--out", self.rig.path("none"))
        self.assertFalse(os.path.exists(self.rig.path("none")) or os.path.exists(self.rig.path("none.part")))

    def test_a_jobs_artifacts_are_listed_with_lineage(self):
        kind = self.type_of_its_own()
        job = self.submit(kind)
        digest = self.rig.run("artifacts", "upload", self.rig.path("made.txt", "made"))[1].strip()
        lease = self.rig.claim(kind)[0]
        report = {"lease": lease["lease"], "grant": lease["grant"], "artifacts": [{"name": "made.txt", "sha256": digest, "size": 4}]}
        self.assertEqual("ok", self.rig.work("/leases/complete", {"worker": "w", "reports": [report]})["results"][0]["code"])
        self.assertEqual(digest, self.rig.run("artifacts", "list", "--job", job, "-o", "name")[1].strip())
        self.assertEqual(digest, self.rig.json("jobs", "artifacts", job)["items"][0]["sha256"])
        self.assertEqual(job, self.rig.json("artifacts", "lineage", digest)["produced_by"][0]["job"])

    # -- output --

    def test_piped_lists_are_tab_separated_and_terminals_get_tables(self):
        job = self.submit(self.type_of_its_own())
        status, out, err = self.rig.run("jobs", "list", "--limit", "3")
        self.assertEqual((0, ""), (status, err))
        self.assertNotIn("\033", out)
        self.assertTrue(all(len(line.split("\t")) == 9 for line in out.splitlines()))
        self.rig.run("jobs", "cancel", job, "--reason", "test")
        words = ["jobs", "list", "--state", "canceled"]
        status, shown = stella_on_terminal(*words, **self.rig.environment)
        self.assertIn("STATE", shown)
        self.assertIn("\033[33m", shown)
        self.assertNotIn("\033", stella_on_terminal(*words, "--color", "never", **self.rig.environment)[1])
        self.assertNotIn("\033", stella_on_terminal(*words, NO_COLOR="1", **self.rig.environment)[1])

    def test_history_lines_are_whole_and_dense(self):
        self.submit()
        status, out, _ = self.rig.run("history", "list", "--all", "-o", "jsonl")
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual((0, list(range(1, len(lines) + 1))), (status, [line["seq"] for line in lines]))
        after = self.rig.run("history", "list", "--after", "3", "--limit", "2", "-o", "jsonl")[1].splitlines()
        self.assertEqual([4, 5], [json.loads(line)["seq"] for line in after])

    def test_a_shards_log_is_listed(self):
        self.submit()
        lines = []
        for shard in range(64):
            status, out, _ = self.rig.run("history", "shard", str(shard), "--all", "-o", "jsonl")
            own = [json.loads(line) for line in out.splitlines()]
            self.assertEqual((0, list(range(1, len(own) + 1))), (status, [line["seq"] for line in own]))
            lines += own
        self.assertTrue({line["type"] for line in lines} <= {"claim.offered", "tenant.backlogged"})
        self.assertEqual(3, self.rig.run("history", "shard", "64")[0])

    # -- tenant --

    def test_an_installation_token_must_name_the_tenant(self):
        without = dict(self.rig.environment)
        without.pop("STELLA_TENANT")
        status, _, err = stella("jobs", "list", "-o", "json", **without)
        told = json.loads(err)
        self.assertEqual((1, "tenant_required"), (status, told["code"]))
        self.assertRegex(told["hint"], "-T NAME")
        self.assertEqual(3, stella("jobs", "list", "-T", "nobody", **without)[0])

    def test_times_are_rfc_3339(self):
        self.assertRegex(self.rig.json("jobs", "get", self.submit())["submitted_at"], re.compile(r"^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z$"))


if __name__ == "__main__":
    unittest.main()
