/*
 * core/lease - the written form of a lease, and when it lapses.
 *
 * A lease id "7.17.3" names tenant, job and lane: all that is needed to load it in one step. It is
 * opaque to workers.
 */
#ifndef CORE_LEASE_H
#define CORE_LEASE_H

#include "base/id.h"
#include "core/rows.h"

enum { LEASE_TEXT = 48 };

struct lease_id {
    struct tenant_id tenant;
    struct job_id job;
    int32_t lane;
};

void lease_id_format(struct lease_id id, char out[LEASE_TEXT]);
bool lease_id_parse(struct str text, struct lease_id *out_id);

/* Sets due_at: the least of until, run_until, cancel_at and last progress + no_progress_ms. */
void lease_set_due(struct leased_row *lease);

#endif
