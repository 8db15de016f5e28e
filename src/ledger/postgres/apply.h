/*
 * ledger/postgres/apply - a plan to statements: one per table and kind of change.
 *
 * Use      apply_send() queues all of them in a pipeline; apply_receive() takes the results, in the
 *          same order. Of a table deletes come first, then updates, then inserts: a row may be
 *          removed and made anew under the same key.
 * Errors   a statement that touched another number of rows than the plan has means that somebody
 *          else wrote under our lock: the process stops.
 */
#ifndef LEDGER_POSTGRES_APPLY_H
#define LEDGER_POSTGRES_APPLY_H

#include "ledger/compress.h"
#include "ledger/postgres/session.h"

struct apply {
    struct params *params;
    struct packer *packer;
    struct arena *arena; /* Packed chunks; the tick's. */
};

enum err_code apply_send(struct session *session, const struct apply *apply,
                         const struct plan *plan, struct err *err);
enum err_code apply_receive(struct session *session, const struct plan *plan, struct err *err);

#endif
