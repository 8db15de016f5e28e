/*
 * api/batch - what workers say of several leases at once: read, split by tenant, answered together
 * in the order in which it was sent.
 *
 * A lease of a tenant that the token is not for, and one that never was, are lost leases alike.
 */
#ifndef API_BATCH_H
#define API_BATCH_H

#include "api/call.h"
#include "api/scan.h"
#include "core/lease.h"
#include "redact/redact.h"

enum { BATCH_MAX = 1000, BATCH_ARTIFACTS_MAX = 1000 };

/* One item, whatever it says. */
struct batch_item {
    struct str lease_text;
    struct lease_id lease;
    bool is_known; /* Its tenant is one that the token is for. */
    enum err_code code;
    size_t command; /* Where it went … */
    size_t place;
    struct heartbeat_item beat;
    struct report_item report;
    VEC(struct report_artifact) artifacts;
    struct log_batch log;
    const struct redact_rules *rules;
};

struct batch {
    struct str worker;
    bool is_beat;
    enum report_kind kind;
    VEC(struct batch_item) items;
    struct command *commands;
    size_t command_count;
};

/* Reads "worker" and the list named `list`; `member` takes what an item has besides lease and
 * grant, false for an unknown member. */
enum err_code batch_scan(struct call *call, struct batch *batch, const char *list,
                         bool (*member)(struct scan *scan, struct batch_item *item,
                                        struct str key));
/* Makes one command per tenant of the items whose code is ERR_OK. */
void batch_split(struct call *call, struct batch *batch, enum command_kind kind);
/* Sends the commands; `then` at once when there are none. */
void batch_send(struct call *call, struct batch *batch, call_step *then);
/* True when a command failed as a whole: answered. */
bool batch_failed(struct call *call, const struct batch *batch);

#endif
