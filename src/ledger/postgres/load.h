/*
 * ledger/postgres/load - wants to statements, results to rows.
 *
 * Use      load_send() queues the statements of all wants in a pipeline; load_receive() takes
 *          their results, in the same order, and lets the working set learn them.
 */
#ifndef LEDGER_POSTGRES_LOAD_H
#define LEDGER_POSTGRES_LOAD_H

#include "ledger/postgres/session.h"

enum err_code load_send(struct session *session, struct params *params, const struct wants *wants,
                        struct err *err);
enum err_code load_receive(struct session *session, struct facts *facts, const struct wants *wants,
                           struct err *err);

/* The result's numbers are as wide as the table's: looked at once, not for each value. */
void load_check(const PGresult *result, enum table_id table, int first);
/* A row of a result whose columns from `first` on are the ctid and those of core/tables.c, in the
 * arena; load_check() was called. */
struct row *load_row(struct arena *arena, enum table_id table, const PGresult *result, int at,
                     int first);

#endif
