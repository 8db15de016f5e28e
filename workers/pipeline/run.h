/*
 * workers/pipeline/run - a run at the orchestrator: set up, submitted, watched, brought home.
 *
 * Errors   false, said on stderr.
 */
#ifndef WORKERS_PIPELINE_RUN_H
#define WORKERS_PIPELINE_RUN_H

#include "workers/pipeline/api.h"
#include "workers/pipeline/plan.h"

enum { RUN_ID = 64, RUN_STATES = 7 };

/* Names of the job states, in the order they are shown. */
extern const char *const run_states[RUN_STATES];

struct run {
    char id[RUN_ID];
    char state[RUN_ID]; /* "active", "succeeded", … */
    int64_t total;
    int64_t counts[RUN_STATES];
};

/* Job types that are not there yet, and the feed's folders as sources. */
bool run_prepare(struct api *api, const struct plan *plan, const char *url, const json_t *subjects);
bool run_submit(struct api *api, struct plan *plan, const struct plan_options *options,
                struct run *out);
/* Until it is no longer active; progress on stderr. */
bool run_watch(struct api *api, struct run *run);
/* Calls `each` with every item of a listing ("/runs/run-4/jobs"), page by page, until it says
 * false. */
bool run_each(struct api *api, const char *list, void *context,
              bool (*each)(void *context, const json_t *item));
/* Says which jobs did not end well. */
bool run_explain(struct api *api, const struct run *run);
/* Writes what the run has made below `folder`: findings.jsonl, outcomes.jsonl and summary.json of
 * the merge, raw/… as the documents were, jobs/NAME/… everything else. */
bool run_download(struct api *api, const struct run *run, const char *folder, size_t *out_files);

#endif
