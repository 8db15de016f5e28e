/*
 * core/fairness - a tenant's virtual time: who is served next.
 *
 * Virtual time is what the tenant was charged plus its lift. The charge grows by
 * worker-time / weight and is the tenant's own; the lift comes from the company it is in. At claim
 * the job's estimate is charged, at the end the difference to what it really took; a tenant that
 * becomes backlogged does not bring a credit from its idle time with it. For tenants i, j
 * backlogged throughout an interval the served worker-times S differ by |Si/wi - Sj/wj| <= Max/wi +
 * Max/wj (+ staleness of the node's summaries).
 *
 * Source   start-time fair queueing: Goyal, Vin, Cheng 1996; costs settled at completion.
 */
#ifndef CORE_FAIRNESS_H
#define CORE_FAIRNESS_H

#include <stdint.h>

/* Virtual time that `ms` worker-milliseconds cost at this weight; in thousandths. */
int64_t fairness_cost(int64_t ms, int32_t weight);
/* At claim. */
int64_t fairness_charge(int64_t charged, int64_t estimate_ms, int32_t weight);
/* At the end: what was charged against what it took. */
int64_t fairness_settle(int64_t charged, int64_t charged_ms, int64_t actual_ms, int32_t weight);
/* When the tenant becomes backlogged: its lift, so that it stands level with `floor` at least. */
int64_t fairness_lift(int64_t charged, int64_t lift, int64_t floor);
/* The lane's estimate after one more job took `actual_ms`: moves by an eighth. */
int32_t fairness_estimate(int32_t estimate_ms, int64_t actual_ms);

#endif
