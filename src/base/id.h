/*
 * base/id - ids as one-field structs, so that they cannot be swapped.
 *
 * Tenant ids are small numbers inside the ledger; people and programs use the tenant's name.
 * Job and run ids are dense per tenant (nothing of another tenant can be read from them) and are
 * written "job-17", "run-4" and "bulk-3" outside.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct tenant_id {
    int32_t v; /* 1 is the system tenant; 0 is none. */
};

struct job_id {
    int64_t v; /* 0 is none. */
};

struct run_id {
    int64_t v; /* 0 is none. */
};

struct bulk_id {
    int64_t v; /* 0 is none. */
};

/* The system tenant (installation defaults, tokens, the directory of tenants) lives in the last
 * shard, which is locked last. */
enum { TENANT_SYSTEM = 1, SHARD_COUNT = 64, SHARD_SYSTEM = 63, ID_TEXT = 32 };

/* "job-17", "run-4", "bulk-3" and a NUL. */
void job_id_format(struct job_id id, char out[ID_TEXT]);
void run_id_format(struct run_id id, char out[ID_TEXT]);
void bulk_id_format(struct bulk_id id, char out[ID_TEXT]);
/* Exactly that form, positive, no leading zero. */
bool job_id_parse(struct str text, struct job_id *out_id);
bool run_id_parse(struct str text, struct run_id *out_id);
bool bulk_id_parse(struct str text, struct bulk_id *out_id);
/* Names of tenants, sources, job types, hosts, artifacts: 1 to `max` of [a-zA-Z0-9._:/@+-],
 * beginning with a letter or digit. */
bool name_is_valid(struct str name, size_t max);

#endif
