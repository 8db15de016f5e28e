/*
 * core/throttle - the bucket of a source's host: found, followed, charged, told, written down; and
 * what operators set on it for a time.
 *
 * Use      throttle_want() while facts are asked for; throttle_of() when deciding; then
 * gate_bucket() or the functions of bucket.h on its row, and throttle_write() with what it was.
 * Owns     nothing; rows are the working set's.
 * Threads  none; pure.
 * Bounds   an override lasts THROTTLE_SET_MAX_US at most.
 */
#ifndef CORE_THROTTLE_H
#define CORE_THROTTLE_H

#include "core/bucket.h"
#include "core/config.h"
#include "core/job.h"

#define THROTTLE_SET_MAX_US (30 * 24 * 3600 * US_PER_S)

struct throttle {
    struct throttle_row *row;
    struct pace pace; /* That the row follows now. */
};

/* Asks for the bucket of the source's host. */
bool throttle_want(struct facts *facts, struct tenant_facts *t, const struct source *source);
/* The bucket of the source's host; false when nothing paces it and it was never blocked. */
bool throttle_of(struct decision *d, const struct source *source, struct throttle *out);
/* The same, made when there is none; false when the source has no host. */
bool throttle_need(struct decision *d, const struct source *source, struct throttle *out);
/* As a claim would find it: a copy. */
bool throttle_foreseen(const struct tenant_facts *t, const struct source *source, int64_t now,
                       struct throttle *out);

/* What has happened to a bucket, and with it the line's type and how much the line holds. */
enum throttle_event {
    THROTTLE_CHARGED, /* Tokens taken or returned, the rate grown, fields heard. */
    THROTTLE_BLOCKED, /* Blocked, cut. */
    THROTTLE_SET,     /* An operator set something … */
    THROTTLE_CLEARED, /* … or took it back … */
    THROTTLE_EXPIRED, /* … or its time was over. */
};

/* Writes what the bucket holds now. */
void throttle_write(struct decision *d, struct throttle_row *bucket, enum throttle_event event);

/* Of a host that no source names. */
struct pace throttle_pace_unknown(void);

/* ---- Operators; used by command.c and due.c only ---- */

bool throttle_change_want(const struct command *command, struct facts *facts,
                          const struct limits *limits);
void throttle_set_decide(struct command *command, struct decision *d);
void throttle_clear_decide(struct command *command, struct decision *d);
/* The override's time is over. */
void throttle_expire(struct decision *d, struct throttle_row *bucket);

#endif
