/*
 * cli/help - help, the reference page and man pages, all printed from the command table.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

#define CLI_PROGRAM "stella orchestrator"

/* What `help TOPIC` explains. */
struct cli_topic {
    const char *name;
    const char *help; /* One line. */
    const char *text; /* Lines, as they are shown. */
};

extern const struct cli_topic cli_topics[];
extern const size_t cli_topic_count;

/* Help on what the call names: the program, a noun, or a verb. */
void cli_help(const struct cli_call *call, FILE *out);
/* A help topic by name; false when there is none. */
bool cli_help_topic(const char *name, FILE *out);
/* Not in help: a noun that only scripts call. */
bool cli_is_hidden(const struct cli_noun *noun);

/* docs/reference/cli.md, whole. */
void cli_manual_markdown(const struct cli_call *call, FILE *out);
/* A man page: of the program, or of a noun. */
void cli_manual_page(const struct cli_call *call, const struct cli_noun *noun, FILE *out);
/* All pages into a folder: stella.1, and stella-NOUN.1 for each noun. */
int cli_manual_pages(struct cli_call *call, const char *folder);

#endif
