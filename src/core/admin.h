/* core/admin - tenants and tokens. Used by command.c only. */
#ifndef CORE_ADMIN_H
#define CORE_ADMIN_H

#include "core/job.h"

bool tenant_name_want(const struct command *command, struct facts *facts,
                      const struct limits *limits);
void tenant_name_decide(struct command *command, struct decision *d);
bool tenant_want(const struct command *command, struct facts *facts, const struct limits *limits);
void tenant_open_decide(struct command *command, struct facts *facts);
void tenant_change_decide(struct command *command, struct decision *d);
bool token_want(const struct command *command, struct facts *facts, const struct limits *limits);
void token_add_decide(struct command *command, struct decision *d);
void token_revoke_decide(struct command *command, struct decision *d);

#endif
