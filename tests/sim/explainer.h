/*
 * tests/sim/explainer - holds what explain says against what happens.
 *
 *   frees     applied all, on a copy of the ledger, the job starts at the next claim; with any one
 *             of them left out it does not.
 *   not_before  no job that was explained starts earlier than it was told, unless an operator has
 *             set its host or a breaker since.
 *   hold      the short answer of lists is the first refusing gate of the whole one.
 */
#ifndef TESTS_SIM_EXPLAINER_H
#define TESTS_SIM_EXPLAINER_H

#include "sim/world.h"

struct explainer;

struct explainer *explainer_new(uint64_t seed);
void explainer_free(struct explainer *explainer);
/* After every step: looks who started; now and then explains a waiting job and tries it. */
void explainer_step(struct explainer *explainer, const struct world *world);
/* How often each gate was refused and lifted. */
void explainer_print(const struct explainer *explainer);

#endif
