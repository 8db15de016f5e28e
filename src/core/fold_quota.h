/* core/fold_quota - the lines about what tenants share. Used by fold.c only. */
#ifndef CORE_FOLD_QUOTA_H
#define CORE_FOLD_QUOTA_H

#include "core/fold_rows.h"

/* Each is false when the line does not fit. */
bool fold_quota_group_put(struct fold *fold, const struct fold_event *e);
bool fold_quota_set(struct fold *fold, const struct fold_event *e);
bool fold_quota_used(struct fold *fold, const struct fold_event *e);
bool fold_tenant_grouped(struct fold *fold, const struct fold_event *e);

#endif
