#include "query/job_view.h"

struct job_view job_view_of(const struct query_result *result, size_t row)
{
    return (struct job_view){
        .job = {query_int(result, row, "job")},
        .run = query_int(result, row, "run"),
        .lane = (int32_t)query_int(result, row, "lane"),
        .job_type = query_text(result, row, "job_type"),
        .source = query_text(result, row, "source"),
        .name = query_text(result, row, "name"),
        .key = query_text(result, row, "key"),
        .submitted_at = query_int(result, row, "submitted_at"),
        .submit_seq = query_int(result, row, "submit_seq"),
        .replay_of = query_int(result, row, "replay_of"),
        .rank = query_int(result, row, "rank"),
        .state = (enum job_state)query_int(result, row, "state"),
        .priority = (int16_t)query_int(result, row, "priority"),
        .grant = query_int(result, row, "grant_no"),
        .spent = (int32_t)query_int(result, row, "spent"),
        .job_seq = (int32_t)query_int(result, row, "job_seq"),
        .remaining = query_int(result, row, "remaining"),
        .delayed_until = query_int(result, row, "delayed_until"),
        .delayed_reason = (enum hold_reason)query_int(result, row, "delayed_reason"),
        .worker = query_text(result, row, "worker"),
        .claimed_at = query_int(result, row, "claimed_at"),
        .claimed_seq = query_int(result, row, "claimed_seq"),
        .progress = query_text(result, row, "progress"),
        .class = query_text(result, row, "class"),
        .cause = query_int(result, row, "cause"),
        .ended_at = query_int(result, row, "ended_at"),
        .ended_seq = query_int(result, row, "ended_seq"),
        .result = query_text(result, row, "result"),
    };
}
