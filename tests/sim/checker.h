/*
 * tests/sim/checker - what must hold after every group, whatever happened.
 *
 * It reads history lines and rows only; it shares no decision with core:
 *   1  job_seq and seq are dense; grants of a job are 1, 2, 3 ...
 *   2  at most one live lease a job; a lease is ended by its own grant only
 *   3  one ending line per life of a job; what ended stays ended until retried
 *   4  no tenant, and no job type of a tenant, above its in-flight limit
 *   5  a job is released only after every predecessor ended as its edge asks
 *   6  a bucket holds neither less than nothing nor more than its burst
 *      and nothing is leased past an open breaker, but probes, no more of them than it allows
 *   7  every line is of a type in contract/history.json and has only its facts
 *   8  slots in use are those of live leases, and no group takes one more than its capacity
 *   9  counters equal what they count, and fold(history) equals the rows
 */
#ifndef TESTS_SIM_CHECKER_H
#define TESTS_SIM_CHECKER_H

#include "lib/memory_ledger.h"

struct checker;

struct checker *checker_new(const struct memory_ledger *ledger);
void checker_free(struct checker *checker);
/* Reads the lines that are new; checks 1 to 8. */
void checker_step(struct checker *checker);
/* Check 9; linear in all of history. */
void checker_fold(const struct memory_ledger *ledger);

#endif
