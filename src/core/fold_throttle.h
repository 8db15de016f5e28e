/* core/fold_throttle - the lines about buckets of hosts. Used by fold.c only. */
#ifndef CORE_FOLD_THROTTLE_H
#define CORE_FOLD_THROTTLE_H

#include "core/fold_rows.h"

/* Of a charge; of an incident, which holds that too; of an operator's change, which holds both. */
bool fold_throttle_changed(struct fold *fold, const struct fold_event *e);
bool fold_throttle_blocked(struct fold *fold, const struct fold_event *e);
bool fold_throttle_set(struct fold *fold, const struct fold_event *e);

#endif
