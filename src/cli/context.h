/*
 * cli/context - named servers: where requests go, for which tenant, with which token.
 *
 * Use      cli_context_choose() once before the command runs; cli_server(), cli_tenant() and
 *          cli_token_file() look at call->context. `contexts` changes the file.
 * File     $XDG_CONFIG_HOME/stella/contexts.json (else ~/.config/stella/), mode 0600:
 *          {"contexts":{NAME:{"server":URL,"tenant":NAME,"token_file":FILE}},"current":NAME}
 *          It holds no token, only the name of the file that does.
 * Errors   CLI_USAGE or CLI_FAILED with call->failure; a file that others may read is refused.
 */
#ifndef CLI_CONTEXT_H
#define CLI_CONTEXT_H

#include "cli/command.h"

/* The context that --context, STELLA_CONTEXT or `contexts use` names, into call->context; none when
 * --server or STELLA_SERVER names a server itself. */
int cli_context_choose(struct cli_call *call);
/* The whole file; an empty document when there is none. The caller owns *out. */
int cli_context_read(struct cli_call *call, json_t **out);
/* Replaces the file; makes its folder. */
int cli_context_write(struct cli_call *call, const json_t *document);
/* No context of that name; the hint names the nearest. */
int cli_context_unknown(struct cli_call *call, const json_t *document, const char *name);

#endif
