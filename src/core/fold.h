/*
 * core/fold - turns a tenant's history back into the ledger's rows: fold(history) == rows.
 *
 * Use      fold_init(); fold_line() for every line of a tenant, in order; fold_finish(); then look
 *          at fold.set. Several tenants may be folded into one set.
 * Owns     its rows.
 * Errors   a line that the catalogue does not know, or that does not fit what came before, is
 *          refused with the line's seq in the message.
 */
#ifndef CORE_FOLD_H
#define CORE_FOLD_H

#include "base/err.h"
#include "base/id.h"
#include "core/row_set.h"

struct fold {
    struct row_set set;
    int16_t shard; /* Of the tenant being folded. */
    int32_t tenant;
};

void fold_init(struct fold *fold);
void fold_fini(struct fold *fold);
/* The lines that follow are this tenant's. */
void fold_tenant(struct fold *fold, int16_t shard, struct tenant_id tenant);
/* One canonical line, without its '\n'. */
MUST_CHECK enum err_code fold_line(struct fold *fold, struct str line, struct err *err);
/* Counts what counters count. */
void fold_finish(struct fold *fold);

#endif
