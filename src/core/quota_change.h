/*
 * core/quota_change - groups of tenants and their members' quotas are set. Used by command.c and
 * fold.c only.
 *
 * Errors   impossible_quota names the bound that is broken; unknown_quota_group.
 */
#ifndef CORE_QUOTA_CHANGE_H
#define CORE_QUOTA_CHANGE_H

#include "core/quota_use.h"

bool quota_group_put_want(const struct command *command, struct facts *facts,
                          const struct limits *limits);
void quota_group_put_decide(struct command *command, struct decision *d);
bool quota_set_want(const struct command *command, struct facts *facts,
                    const struct limits *limits);
void quota_set_decide(struct command *command, struct decision *d);

/* Counts a member into its group, or out of it (-1). */
void quota_join(struct quota_group_row *group, const struct quota_member_row *member, int sign);

#endif
