/*
 * ledger/postgres/places - where the rows are that a plan changes.
 *
 * Use      rows that the working set loaded in this transaction say it themselves (row.locator, a
 *          ctid). places_find() looks the others up by key, in a round trip of its own when there
 *          are any, and notes it in them; places_forget() when the plan is queued: after the
 *          transaction a ctid means nothing.
 * Errors   a row that is not there means that somebody else wrote under our lock: the process
 * stops.
 */
#ifndef LEDGER_POSTGRES_PLACES_H
#define LEDGER_POSTGRES_PLACES_H

#include "ledger/postgres/session.h"

struct places {
    row_list found[TABLE_COUNT];
};

enum err_code places_find(struct session *session, struct params *params, struct arena *arena,
                          const struct plan *plan, struct places *out, struct err *err);
void places_forget(struct places *places);

#endif
