#include "cli/input.h"

#include <errno.h>
#include <string.h>

enum { INPUT_MAX = 64 * 1024 * 1024, CHUNK = 64 * 1024 };

static int read_all(struct cli_call *call, FILE *file, const char *path, struct str *out)
{
    struct buf text;
    buf_init(&text, INPUT_MAX);
    size_t n = 0;
    do {
        char *room = buf_reserve(&text, CHUNK);
        n = room != NULL ? fread(room, 1, CHUNK, file) : 0;
        text.len += n;
    } while (n > 0);
    int status = CLI_OK;
    if (text.overflow) {
        status =
            cli_fail(call, CLI_FAILED, "payload_too_large", "", "%s is larger than 64 MiB", path);
    } else if (ferror(file)) {
        status = cli_fail(call, CLI_FAILED, "io", "", "%s cannot be read", path);
    }
    *out = arena_str(&call->arena, buf_get(&text));
    buf_fini(&text);
    return status;
}

static int check_json(struct cli_call *call, const char *what, struct str text)
{
    json_t *value = NULL;
    struct err err = {0};
    if (json_read(text, &value, &err) != ERR_OK) {
        return cli_fail(call, CLI_USAGE, "malformed_json",
                        "a text needs quotes of its own: '\"text\"'; a file is given as @FILE",
                        "%s is not JSON: %s", what, err.message);
    }
    json_decref(value);
    return CLI_OK;
}

int cli_input_file(struct cli_call *call, const char *path, struct str *out_text)
{
    if (strcmp(path, "-") == 0) {
        const int status = read_all(call, stdin, "stdin", out_text);
        return status != CLI_OK ? status : check_json(call, "stdin", *out_text);
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return cli_fail(call, CLI_USAGE, "io", "", "%s cannot be opened: %s", path,
                        strerror(errno));
    }
    const int status = read_all(call, file, path, out_text);
    (void)fclose(file);
    return status != CLI_OK ? status : check_json(call, path, *out_text);
}

int cli_input_value(struct cli_call *call, const char *given, struct str *out_text)
{
    if (given[0] == '@') {
        return cli_input_file(call, given + 1, out_text);
    }
    *out_text = str_from(given);
    return check_json(call, "the value", *out_text);
}

void cli_put_text_option(struct cli_call *call, struct json_writer *w, const char *member,
                         const char *option)
{
    const char *value = cli_value(call, option);
    if (value != NULL) {
        json_put_key(w, str_from(member));
        json_put_str(w, str_from(value));
    }
}

int cli_put_number_option(struct cli_call *call, struct json_writer *w, const char *member,
                          const char *option, int64_t least, int64_t most)
{
    int64_t value = 0;
    if (cli_value(call, option) == NULL) {
        return CLI_OK;
    }
    const int status = cli_number(call, option, least, most, &value);
    if (status == CLI_OK) {
        json_put_key(w, str_from(member));
        json_put_int(w, value);
    }
    return status;
}

void cli_put_words_option(struct cli_call *call, struct json_writer *w, const char *member,
                          const char *option)
{
    const char *value = cli_value(call, option);
    if (value == NULL) {
        return;
    }
    json_put_key(w, str_from(member));
    json_put_array(w);
    struct str rest = str_from(value);
    struct str word;
    while (str_split(&rest, ',', &word)) {
        json_put_str(w, str_trim(word));
    }
    json_put_array_end(w);
}
