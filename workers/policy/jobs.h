/*
 * workers/policy/jobs - the two jobs of the policy producer.
 *
 * policy.evaluate  payload {"sboms":[paths], "policy":null|{...}}. Reads every observation of its
 *                  run, evaluates the named SBOMs over all advisories and VEX statements, and makes
 *                  findings.part.jsonl. What an SBOM is about where it does not say so itself comes
 *                  from the member `subjects` of the job's source. Result
 * {"components","evaluated",
 *                  "findings","policy":{"id","sha256","version"},"sboms","verdicts":{...}}.
 * policy.merge     payload {}. Makes findings.jsonl from the parts, outcomes.jsonl (by path) from
 * the outcomes of the ingest jobs, and summary.json. Result: the summary. Order everything is
 * sorted, so that the same feed gives the same bytes.
 */
#ifndef WORKERS_POLICY_JOBS_H
#define WORKERS_POLICY_JOBS_H

#include <stella/worker.h>

enum { POLICY_SBOMS_MAX = 1000 };

int32_t policy_evaluate(void *context, struct stella_job *job);
int32_t policy_merge(void *context, struct stella_job *job);

#endif
