/* The reference page and the man pages. */
#include <errno.h>
#include <string.h>

#include "cli/help.h"
#include "cli/parse.h"

void cli_manual_markdown(const struct cli_call *call, FILE *out)
{
    struct cli_call about = {.nouns = call->nouns, .noun_count = call->noun_count};
    fprintf(out,
            "# Command line\n\nGenerated from the command table by `%s help --markdown`; a test "
            "compares it.\n\n```text\n",
            CLI_PROGRAM);
    cli_help(&about, out);
    fprintf(out, "```\n");
    for (size_t i = 0; i < call->noun_count; i++) {
        about.noun = &call->nouns[i];
        if (cli_is_hidden(about.noun)) {
            continue;
        }
        fprintf(out, "\n## %s\n\n%s.\n", about.noun->name, about.noun->help);
        for (size_t j = 0; j < about.noun->command_count; j++) {
            about.command = &about.noun->commands[j];
            if (about.command->verb[0] != '\0') {
                fprintf(out, "\n### %s %s\n", about.noun->name, about.command->verb);
            }
            fprintf(out, "\n```text\n");
            cli_help(&about, out);
            fprintf(out, "```\n");
        }
    }
    for (size_t i = 0; i < cli_topic_count; i++) {
        fprintf(out, "\n## help %s\n\n%s.\n\n```text\n%s```\n", cli_topics[i].name,
                cli_topics[i].help, cli_topics[i].text);
    }
}

/* Text as roff reads it: no escapes of its own, no requests at the beginning of a line. */
static void roff(FILE *out, struct str text)
{
    bool at_line = true;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (at_line && (c == '.' || c == '\'')) {
            fputs("\\&", out);
        }
        switch (c) {
        case '\\': fputs("\\e", out); break;
        case '-': fputs("\\-", out); break;
        case '\'': fputs("\\(aq", out); break;
        case '`': fputs("\\(ga", out); break;
        case '^': fputs("\\(ha", out); break;
        case '~': fputs("\\(ti", out); break;
        default: fputc(c, out); break;
        }
        at_line = c == '\n';
    }
}

static void roff_line(FILE *out, const char *request, const char *text)
{
    fprintf(out, "%s", request);
    roff(out, str_from(text));
    fputc('\n', out);
}

static void roff_options(FILE *out, const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, ".TP\n\\fB");
        if (options[i].letter != 0) {
            fprintf(out, "\\-%c\\fR, \\fB", options[i].letter);
        }
        fprintf(out, "\\-\\-");
        roff(out, str_from(options[i].name));
        fprintf(out, "\\fR");
        if (options[i].value != NULL) {
            fprintf(out, " \\fI%s\\fR", options[i].value);
        }
        fputc('\n', out);
        roff_line(out, "", options[i].help);
    }
}

static void roff_lines(FILE *out, const char *text)
{
    fprintf(out, ".PP\n.nf\n");
    roff(out, str_from(text));
    if (text[0] == '\0' || text[strlen(text) - 1] != '\n') {
        fputc('\n', out);
    }
    fprintf(out, ".fi\n");
}

static void roff_command(FILE *out, const struct cli_noun *noun, const struct cli_command *command)
{
    const bool is_alone = command->verb[0] == '\0';
    fprintf(out, ".SS ");
    roff(out, str_from(is_alone ? noun->name : command->verb));
    fputc(' ', out);
    roff(out, str_from(command->arguments));
    fputc('\n', out);
    roff_line(out, "", command->help);
    roff_options(out, command->options, command->option_count);
    roff_lines(out, command->examples);
}

static void roff_program(const struct cli_call *call, FILE *out)
{
    fprintf(out, ".SH COMMANDS\n");
    for (size_t i = 0; i < call->noun_count; i++) {
        if (!cli_is_hidden(&call->nouns[i])) {
            fprintf(out, ".TP\n");
            roff_line(out, ".B ", call->nouns[i].name);
            roff_line(out, "", call->nouns[i].help);
        }
    }
    fprintf(out, ".SH OPTIONS\nEvery command takes these.\n");
    roff_options(out, cli_global_options, cli_global_option_count);
    for (size_t i = 0; i < cli_topic_count; i++) {
        roff_line(out, ".SH ", cli_topics[i].name);
        roff_line(out, "", cli_topics[i].help);
        roff_lines(out, cli_topics[i].text);
    }
}

void cli_manual_page(const struct cli_call *call, const struct cli_noun *noun, FILE *out)
{
    const char *name = noun != NULL ? noun->name : "";
    const char *dash = noun != NULL ? "-" : "";
    fprintf(out, ".TH \"STELLA%s%s\" 1 \"\" \"stella %s\"\n.SH NAME\nstella%s", dash, name,
            STELLA_VERSION, noun != NULL ? "\\-" : "");
    roff(out, str_from(name));
    fprintf(out, " \\- ");
    roff_line(out, "", noun != NULL ? noun->help : "the Source & Job Orchestrator");
    fprintf(out, ".SH SYNOPSIS\n.B %s\n%s%s\n[options]\n", CLI_PROGRAM,
            noun != NULL ? name : "NOUN",
            noun == NULL || noun->commands[0].verb[0] != '\0' ? " VERB" : "");
    if (noun == NULL) {
        roff_program(call, out);
        return;
    }
    fprintf(out, ".SH COMMANDS\n");
    for (size_t i = 0; i < noun->command_count; i++) {
        roff_command(out, noun, &noun->commands[i]);
    }
    fprintf(out, ".SH SEE ALSO\nstella(1): options of every command, exit codes, variables\n");
}

static int write_page(struct cli_call *call, const char *folder, const struct cli_noun *noun)
{
    const char *path = arena_format(&call->arena, "%s/stella%s%s.1", folder,
                                    noun != NULL ? "-" : "", noun != NULL ? noun->name : "")
                           .ptr;
    FILE *page = fopen(path, "we");
    if (page == NULL) {
        return cli_fail(call, CLI_FAILED, "io", "", "%s cannot be made: %s", path, strerror(errno));
    }
    cli_manual_page(call, noun, page);
    return fclose(page) == 0
               ? CLI_OK
               : cli_fail(call, CLI_FAILED, "io", "", "%s: %s", path, strerror(errno));
}

int cli_manual_pages(struct cli_call *call, const char *folder)
{
    int status = write_page(call, folder, NULL);
    for (size_t i = 0; status == CLI_OK && i < call->noun_count; i++) {
        if (!cli_is_hidden(&call->nouns[i])) {
            status = write_page(call, folder, &call->nouns[i]);
        }
    }
    return status;
}
