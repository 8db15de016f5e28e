/*
 * cli/command - the command table: nouns, their verbs, options, examples and what runs them.
 *
 * Use      each cmd_<noun>.c defines one struct cli_noun; nouns.c lists them; main() adds those
 *          that are not clients of the API (serve, migrate) and calls cli_main(). Help, completion
 *          and docs/reference/cli.md are printed from the table.
 * Owns     the table is constant; a call and all that hangs on it belong to cli_main().
 * Threads  none.
 * Errors   a run function returns an exit status; with any other than CLI_OK it has filled
 *          call->failure (or said on its own what happened), and cli_main() prints it.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"
#include "base/vec.h"

/* Exit statuses, documented in `stella orchestrator help exit-codes`. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,      /* The operation, or the run that was watched, failed. */
    CLI_USAGE = 2,       /* The command line is not understood. */
    CLI_NOT_FOUND = 3,   /* No such thing, or not yours. */
    CLI_DENIED = 4,      /* No valid token, or a missing scope. */
    CLI_CONFLICT = 5,    /* The thing's state or version does not allow it. */
    CLI_REFUSED = 6,     /* A quota, or load. */
    CLI_UNREACHABLE = 7, /* No answer, or the ledger is away; trying again can help. */
    CLI_DECLINED = 10,   /* A question was answered with no. */
    CLI_WARNED = 12,     /* doctor --strict: nothing failed, but there are warnings. */
    CLI_SHOWN = -1,      /* With --dry-run: shown and not sent; the program ends with 0. */
};

/* As `most`: whatever follows the verb is an argument, options too (but for --help): the command
 * reads them itself; its options are in the table for help and completion. */
enum { CLI_RAW = -2 };

struct cli_option {
    const char *name;  /* Without dashes. */
    char letter;       /* Short form, or 0. */
    const char *value; /* Placeholder of its value ("FILE"); null for a switch. */
    const char *help;  /* One line. */
};

struct cli_call;

struct cli_command {
    const char *verb;      /* Empty when the noun alone is the command. */
    const char *alias;     /* Another word for the verb, or null. */
    const char *arguments; /* "RUN", "JOB...", "[TOPIC]", or empty. */
    int least, most;       /* How many arguments; most -1: any number; CLI_RAW. */
    const char *help;      /* One line. */
    const char *examples;  /* Lines, each a whole command. */
    const struct cli_option *options;
    size_t option_count;
    int (*run)(struct cli_call *call);
};

struct cli_noun {
    const char *name;
    const char *alias; /* Another word for it, or null. */
    const char *help;  /* One line. */
    const struct cli_command *commands;
    size_t command_count;
};

enum cli_output {
    CLI_OUTPUT_AUTO,
    CLI_OUTPUT_TABLE,
    CLI_OUTPUT_JSON,
    CLI_OUTPUT_JSONL,
    CLI_OUTPUT_YAML,
    CLI_OUTPUT_CSV,
    CLI_OUTPUT_NAME
};

/* Why a call did not do what was asked. */
struct cli_failure {
    struct str code;       /* From the catalogue; empty while nothing failed. */
    struct str message;    /* One sentence. */
    struct str hint;       /* What to do next; may be empty. */
    struct str request_id; /* Of the answer, or empty. */
    json_t *errors;        /* Per item, from the problem document; owned, or null. */
    int status;            /* HTTP status, 0 for none. */
    bool retryable;
};

struct cli_given {
    const struct cli_option *option;
    const char *value; /* Null for a switch. */
};

struct cli_client;

/* A named server; null members are not set. */
struct cli_context {
    const char *name; /* Null: no context is in use. */
    const char *server;
    const char *tenant;
    const char *token_file;
    bool is_explicit; /* By --context: variables do not change it. */
};

/* The line that shows how far long work is. */
struct cli_progress {
    int64_t next_us; /* When it may be shown again; 0: not asked yet. */
    bool is_shown;
};

/* One invocation. */
struct cli_call {
    struct arena arena;
    const struct cli_noun *nouns; /* All of the program. */
    size_t noun_count;
    const struct cli_noun *noun;       /* Null for `stella` alone. */
    const struct cli_command *command; /* Null for a noun alone. */
    VEC(const char *) arguments;
    VEC(struct cli_given) given;
    bool help;
    enum cli_output output;
    bool is_table; /* For people: aligned columns; else tab-separated. */
    bool colour;
    bool terminal;   /* One that moves its cursor: live lines may be written. */
    bool reads_only; /* Under --watch nothing may be changed. */
    struct cli_context context;
    struct cli_progress progress;
    FILE *out;
    FILE *log;                 /* For people, errors: stderr. */
    struct cli_client *client; /* Opened at the first request. */
    struct cli_failure failure;
};

#define CLI_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Parses, runs and reports; returns the exit status. `extra` nouns come before the client's. */
int cli_main(int argc, char **argv, const struct cli_noun *extra, size_t extra_count);

/* The value of an option given on the command line (the last one), or null. */
const char *cli_value(const struct cli_call *call, const char *name);
bool cli_flag(const struct cli_call *call, const char *name);
/* A decimal option within bounds into *out (unchanged when not given); CLI_USAGE with a failure. */
int cli_number(struct cli_call *call, const char *name, int64_t least, int64_t most, int64_t *out);
/* The argument at `index`; the parser has checked that it is there. */
const char *cli_argument(const struct cli_call *call, size_t index);

/* Records a failure that arose here (not in a server's answer); returns `status`. */
int cli_fail(struct cli_call *call, int status, const char *code, const char *hint,
             const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The reason of a control action is there; else CLI_USAGE. */
int cli_need_reason(struct cli_call *call);
/* Asks on a terminal before something that cannot be taken back; --yes answers it beforehand. */
int cli_confirm(struct cli_call *call, const char *what);

#endif
