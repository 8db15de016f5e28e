/*
 * core/fold - turns histories back into the ledger's rows: fold(history) == rows.
 *
 * Use      fold_init(); for each tenant fold_tenant() and fold_line() for its lines in order; then
 *          for each shard fold_shard() and the lines of its log; fold_finish(); look at fold.set.
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
    int16_t shard;  /* Of the history being folded. */
    int32_t tenant; /* 0: the shard's log. */
};

void fold_init(struct fold *fold);
void fold_fini(struct fold *fold);
/* The lines that follow are this tenant's. */
void fold_tenant(struct fold *fold, int16_t shard, struct tenant_id tenant);
/* The lines that follow are of this shard's log. */
void fold_shard(struct fold *fold, int16_t shard);
/* One canonical line, without its '\n'. */
MUST_CHECK enum err_code fold_line(struct fold *fold, struct str line, struct err *err);
/* Counts what counters count. */
void fold_finish(struct fold *fold);

#endif
