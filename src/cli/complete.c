#include "cli/complete.h"

#include <string.h>

#include "base/json.h"
#include "cli/client.h"
#include "cli/context.h"
#include "cli/near.h"
#include "cli/parse.h"

static const char BASH[] =
    "# bash completion of stella; to use it now: source <(stella completion bash)\n"
    "_stella() {\n"
    "    local line\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        COMPREPLY+=(\"${line%%$'\\t'*}\")\n"
    "    done < <(\"${COMP_WORDS[0]}\" __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -o default -F _stella stella\n";
static const char ZSH[] =
    "#compdef stella\n"
    "# zsh completion of stella; to use it now: source <(stella completion zsh)\n"
    "_stella() {\n"
    "    local -a candidates\n"
    "    local line\n"
    "    while IFS= read -r line; do\n"
    "        candidates+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "    done < <(\"${words[1]}\" __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    if (( ${#candidates} )); then _describe stella candidates; else _files; fi\n"
    "}\n"
    "compdef _stella stella\n";
static const char FISH[] =
    "# fish completion of stella; to use it now: stella completion fish | source\n"
    "function __stella_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    $words[1] __complete $words[2..-1] 2>/dev/null\n"
    "end\n"
    "complete -c stella -a '(__stella_complete)'\n";

static const struct {
    const char *shell;
    const char *script;
} SCRIPTS[] = {{"bash", BASH}, {"zsh", ZSH}, {"fish", FISH}};

/* Words that a placeholder stands for. */
static const struct {
    const char *placeholder;
    const char *words;
} WORDS[] = {
    {"FORMAT", "table json jsonl yaml csv name"},
    {"WHEN", "auto always never"},
    {"SHELL", "bash zsh fish"},
    {"CLASS", "critical normal batch backfill"},
    {"KIND", "advisory-osv advisory-csaf vex sbom other"},
};

bool cli_complete_script(const char *shell, FILE *out)
{
    for (size_t i = 0; i < CLI_COUNT(SCRIPTS); i++) {
        if (strcmp(shell, SCRIPTS[i].shell) == 0) {
            fputs(SCRIPTS[i].script, out);
            return true;
        }
    }
    return false;
}

static void offer(const struct cli_call *call, const char *current, const char *dashes,
                  const char *word, const char *about)
{
    const size_t dash_count = strlen(dashes);
    const char *rest = current + (strncmp(current, dashes, dash_count) == 0 ? dash_count : 0);
    if (strncmp(current, dashes, strlen(current) < dash_count ? strlen(current) : dash_count) ==
            0 &&
        (strlen(current) <= dash_count || strncmp(word, rest, strlen(rest)) == 0)) {
        fprintf(call->out, "%s%s\t%s\n", dashes, word, about);
    }
}

static void offer_options(const struct cli_call *call, const char *current,
                          const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        offer(call, current, "--", options[i].name, options[i].help);
    }
}

static void offer_nouns(const struct cli_call *call, const char *current)
{
    for (size_t i = 0; i < call->noun_count; i++) {
        if (call->nouns[i].name[0] != '_') {
            offer(call, current, "", call->nouns[i].name, call->nouns[i].help);
        }
    }
    offer(call, current, "", "orchestrator", "The same");
}

static void offer_contexts(struct cli_call *call, const char *current)
{
    json_t *document = NULL;
    const char *name = NULL;
    json_t *context = NULL;
    if (cli_context_read(call, &document) != CLI_OK) {
        return;
    }
    json_object_foreach(json_object_get(document, "contexts"), name, context)
    {
        const struct str server = json_text(json_object_get(context, "server"));
        offer(call, current, "", name, arena_cstr(&call->arena, server));
    }
    json_decref(document);
}

/* Names that the server lists. */
static void offer_kind(struct cli_call *call, const char *current, const struct cli_kind *kind)
{
    static const struct cli_option timeout = {"timeout", 0, "SECONDS", ""};
    struct cli_reply reply = {0};
    size_t i = 0;
    json_t *item = NULL;
    VEC_PUSH(&call->arena, &call->given, ((struct cli_given){&timeout, "1"}));
    const int status = cli_send(
        call,
        &(struct cli_request){.method = "GET",
                              .path = cli_query(call, str_from(kind->path), "limit", "200"),
                              .installation = kind->installation},
        &reply);
    json_array_foreach(json_object_get(reply.json, "items"), i, item)
    {
        const struct str name = json_text(json_object_get(item, kind->member));
        struct str about = json_text(json_object_get(item, "state"));
        about = about.len > 0 ? about : json_text(json_object_get(item, "kind"));
        offer(call, current, "", arena_cstr(&call->arena, name), arena_cstr(&call->arena, about));
    }
    json_decref(status == CLI_OK ? reply.json : NULL);
}

static void offer_placeholder(struct cli_call *call, const char *current, const char *placeholder)
{
    const struct cli_kind *kind = cli_kind_of(placeholder);
    if (kind != NULL && kind->path == NULL) {
        offer_contexts(call, current);
    } else if (kind != NULL && cli_context_choose(call) == CLI_OK) {
        offer_kind(call, current, kind);
    }
    for (size_t i = 0; i < CLI_COUNT(WORDS); i++) {
        struct str rest = str_from(WORDS[i].words);
        struct str word;
        while (strcmp(WORDS[i].placeholder, placeholder) == 0 && str_split(&rest, ' ', &word)) {
            offer(call, current, "", arena_cstr(&call->arena, word), "");
        }
    }
}

/* What the words before the last one say: noun, verb, options. */
static const struct cli_option *take_word(struct cli_call *call, const char *word)
{
    if (word[0] == '-' && word[1] != '\0') {
        const struct str name = str_from(word[1] == '-' ? word + 2 : "");
        const size_t equals = str_find(name, '=');
        const struct cli_option *option =
            cli_option_find(call, str_slice(name, 0, equals), word[1] == '-' ? '\0' : word[1]);
        if (option != NULL && equals < name.len) {
            VEC_PUSH(&call->arena, &call->given,
                     ((struct cli_given){option, name.ptr + equals + 1}));
            return NULL;
        }
        return option != NULL && option->value != NULL ? option : NULL;
    }
    if (call->noun == NULL) {
        call->noun = cli_noun_find(call, word);
        call->command = call->noun != NULL ? cli_verb_find(call->noun, "") : NULL;
    } else if (call->command == NULL) {
        call->command = cli_verb_find(call->noun, word);
    }
    return NULL;
}

static void offer_next(struct cli_call *call, const char *current, const struct cli_option *pending)
{
    if (pending != NULL) {
        offer_placeholder(call, current, pending->value);
    } else if (current[0] == '-') {
        if (call->command != NULL) {
            offer_options(call, current, call->command->options, call->command->option_count);
        }
        offer_options(call, current, cli_global_options, cli_global_option_count);
    } else if (call->noun == NULL) {
        offer_nouns(call, current);
    } else if (call->command == NULL) {
        for (size_t i = 0; i < call->noun->command_count; i++) {
            offer(call, current, "", call->noun->commands[i].verb, call->noun->commands[i].help);
        }
    } else {
        offer_placeholder(call, current, call->command->arguments);
    }
}

void cli_complete(struct cli_call *call)
{
    const size_t n = call->arguments.n;
    const char *current = n > 0 ? cli_argument(call, n - 1) : "";
    const struct cli_option *pending = NULL;
    call->noun = NULL;
    call->command = NULL;
    for (size_t i = 0; i + 1 < n; i++) {
        const char *word = cli_argument(call, i);
        if (pending != NULL) {
            VEC_PUSH(&call->arena, &call->given, ((struct cli_given){pending, word}));
            pending = NULL;
        } else if (i > 0 || strcmp(word, "orchestrator") != 0) {
            pending = take_word(call, word);
        }
    }
    offer_next(call, current, pending);
    json_decref(call->failure.errors);
    call->failure = (struct cli_failure){0};
}
