/* core/quota_columns - the columns of what tenants share. Used by tables.c only. */
#ifndef CORE_QUOTA_COLUMNS_H
#define CORE_QUOTA_COLUMNS_H

#include "core/tables.h"

enum { QUOTA_GROUP_COLUMNS = 15, QUOTA_MEMBER_COLUMNS = 17 };

extern const struct column quota_group_columns[QUOTA_GROUP_COLUMNS];
extern const struct column quota_member_columns[QUOTA_MEMBER_COLUMNS];

#endif
