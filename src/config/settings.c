#include "config/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "config/url.h"
#include "platform/file.h"

enum { FILE_MAX = 64 * 1024, NAME_MAX_LEN = 64 };

struct setting {
    const char *name;
    enum setting_kind kind;
    size_t offset;
    const char *by_default;
    int64_t min;
    int64_t max;
    const char *unit;
    const char *about;
};

static const struct setting catalogue[] = {
#define SETTING_ROW(name, kind, by_default, min, max, unit, about) \
    {#name, kind, offsetof(struct settings, name), by_default, min, max, unit, about},
    SETTINGS_CATALOGUE(SETTING_ROW)
#undef SETTING_ROW
};

enum { SETTING_COUNT = sizeof(catalogue) / sizeof(catalogue[0]) };

static void *place_of(const struct setting *setting, struct settings *settings)
{
    return (char *)settings + setting->offset;
}

static const struct setting *setting_find(struct str name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (str_eq(str_from(catalogue[i].name), name)) {
            return &catalogue[i];
        }
    }
    return NULL;
}

static bool parse_flag(struct str value, bool *out)
{
    *out = str_eq(value, STR("true"));
    return *out || str_eq(value, STR("false"));
}

static enum err_code set(struct arena *arena, struct settings *settings,
                         const struct setting *setting, struct str value, const char *where,
                         struct err *err)
{
    void *place = place_of(setting, settings);
    switch (setting->kind) {
    case SETTING_INT: {
        int64_t number = 0;
        if (!str_parse_i64(value, &number) || number < setting->min || number > setting->max) {
            return err_set(err, ERR_USAGE, "%s: %s takes a number from %lld to %lld", where,
                           setting->name, (long long)setting->min, (long long)setting->max);
        }
        *(int64_t *)place = number;
        return ERR_OK;
    }
    case SETTING_FLAG:
        if (!parse_flag(value, place)) {
            return err_set(err, ERR_USAGE, "%s: %s takes true or false", where, setting->name);
        }
        return ERR_OK;
    case SETTING_TEXT:
        if (memchr(value.ptr ? value.ptr : "", 0, value.len) != NULL || !str_is_utf8(value)) {
            return err_set(err, ERR_USAGE, "%s: %s is not text", where, setting->name);
        }
        *(struct str *)place = arena_str(arena, value);
        return ERR_OK;
    }
    UNREACHABLE();
}

void settings_default(struct settings *out)
{
    struct err err;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct str value = str_from(catalogue[i].by_default);
        if (catalogue[i].kind == SETTING_TEXT) {
            *(struct str *)place_of(&catalogue[i], out) = value;
        } else {
            CHECK(set(NULL, out, &catalogue[i], value, "default", &err) == ERR_OK);
        }
    }
}

enum err_code settings_set(struct arena *arena, struct settings *settings, struct str name,
                           struct str value, const char *where, struct err *err)
{
    const struct setting *setting = setting_find(name);
    if (setting == NULL) {
        return err_set(err, ERR_USAGE, "%s: there is no setting \"%.*s\"", where,
                       (int)(name.len < NAME_MAX_LEN ? name.len : NAME_MAX_LEN),
                       name.ptr ? name.ptr : "");
    }
    return set(arena, settings, setting, value, where, err);
}

enum err_code settings_read(struct arena *arena, struct settings *settings, struct str text,
                            const char *where, struct err *err)
{
    struct str line;
    while (str_split(&text, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        const size_t equals = str_find(line, '=');
        if (equals == line.len) {
            return err_set(err, ERR_USAGE, "%s: a line is not \"name = value\"", where);
        }
        TRY(settings_set(arena, settings, str_trim(str_slice(line, 0, equals)),
                         str_trim(str_slice(line, equals + 1, line.len)), where, err));
    }
    return ERR_OK;
}

/* Variables of the CLI, of workers and of our own tests, which may stand in the same environment.
 */
static bool belongs_to_others(struct str name)
{
    static const char *const names[] = {"server", "url",    "token", "token_file", "tenant",
                                        "output", "source", "build", "context"};
    static const char *const families[] = {"worker_", "test_", "check", "postgres_"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eq(str_from(names[i]), name)) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (str_starts(name, str_from(families[i]))) {
            return true;
        }
    }
    return false;
}

/* "HTTP_THREADS" or "http-threads" as "http_threads"; empty when too long. */
static struct str plain_name(struct str name, char out[NAME_MAX_LEN])
{
    if (name.len > NAME_MAX_LEN) {
        return STR("");
    }
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.ptr[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (c == '-') {
            out[i] = '_';
        }
    }
    return (struct str){out, name.len};
}

enum err_code settings_environment(struct arena *arena, struct settings *settings,
                                   char *const *environment, struct err *err)
{
    static const struct str prefix = {"STELLA_", 7};
    for (; *environment != NULL; environment++) {
        const struct str entry = str_from(*environment);
        const size_t equals = str_find(entry, '=');
        char room[NAME_MAX_LEN];
        if (!str_starts(entry, prefix) || equals < prefix.len) {
            continue;
        }
        const struct str name = plain_name(str_slice(entry, prefix.len, equals), room);
        if (!belongs_to_others(name)) {
            TRY(settings_set(arena, settings, name, str_slice(entry, equals + 1, entry.len),
                             "environment", err));
        }
    }
    return ERR_OK;
}

/* Splits argument *at into name and value; moves *at past both. */
static enum err_code take_argument(int argc, char *const *argv, int *at, char room[NAME_MAX_LEN],
                                   struct str *out_name, struct str *out_value, struct err *err)
{
    const struct str argument = str_from(argv[(*at)++]);
    if (!str_starts(argument, STR("--"))) {
        return err_set(err, ERR_USAGE,
                       "\"%.60s\" is not expected here: settings are --NAME VALUE, those that are "
                       "on or off --NAME or --NAME=false",
                       argv[*at - 1]);
    }
    const size_t equals = str_find(argument, '=');
    *out_name = plain_name(str_slice(argument, 2, equals), room);
    const struct setting *setting = setting_find(*out_name);
    if (equals < argument.len) {
        *out_value = str_slice(argument, equals + 1, argument.len);
    } else if (setting != NULL && setting->kind == SETTING_FLAG) {
        *out_value = STR("true");
    } else if (*at < argc) {
        *out_value = str_from(argv[(*at)++]);
    } else {
        return err_set(err, ERR_USAGE, "%.60s needs a value", argv[*at - 1]);
    }
    return ERR_OK;
}

enum err_code settings_arguments(struct arena *arena, struct settings *settings, int argc,
                                 char *const *argv, struct err *err)
{
    for (int at = 0; at < argc;) {
        char room[NAME_MAX_LEN];
        struct str name;
        struct str value;
        TRY(take_argument(argc, argv, &at, room, &name, &value, err));
        if (!str_eq(name, STR("settings"))) {
            TRY(settings_set(arena, settings, name, value, "command line", err));
        }
    }
    return ERR_OK;
}

static enum err_code read_file(struct arena *arena, struct settings *settings, const char *path,
                               struct err *err)
{
    struct str text;
    if (!file_read(arena, path, FILE_MAX, &text)) {
        return err_set(err, ERR_USAGE, "the settings file %.120s cannot be read: %s", path,
                       strerror(errno));
    }
    return settings_read(arena, settings, text, path, err);
}

static enum err_code read_named_file(struct arena *arena, struct settings *settings, int argc,
                                     char *const *argv, struct err *err)
{
    for (int at = 0; at < argc;) {
        char room[NAME_MAX_LEN];
        struct str name;
        struct str value;
        TRY(take_argument(argc, argv, &at, room, &name, &value, err));
        if (str_eq(name, STR("settings"))) {
            TRY(read_file(arena, settings, arena_cstr(arena, value), err));
        }
    }
    return ERR_OK;
}

enum err_code settings_load(struct arena *arena, struct settings *settings, int argc,
                            char *const *argv, char *const *environment, struct err *err)
{
    settings_default(settings);
    TRY(read_named_file(arena, settings, argc, argv, err));
    TRY(settings_environment(arena, settings, environment, err));
    return settings_arguments(arena, settings, argc, argv, err);
}

/* A URL is shown without its passwords. */
static void print_text(struct str text, struct buf *out)
{
    struct str secrets[URL_SECRETS_MAX];
    const size_t count = url_secrets(text, secrets);
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t at = (size_t)(secrets[i].ptr - text.ptr);
        buf_str(out, str_slice(text, shown, at));
        buf_str(out, STR("***"));
        shown = at + secrets[i].len;
    }
    buf_str(out, str_slice(text, shown, text.len));
}

void settings_print(const struct settings *settings, struct buf *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const void *place = (const char *)settings + catalogue[i].offset;
        buf_format(out, "%s = ", catalogue[i].name);
        switch (catalogue[i].kind) {
        case SETTING_INT: buf_i64(out, *(const int64_t *)place); break;
        case SETTING_FLAG: buf_str(out, *(const bool *)place ? STR("true") : STR("false")); break;
        case SETTING_TEXT: print_text(*(const struct str *)place, out); break;
        }
        buf_char(out, '\n');
    }
}

void settings_help(struct buf *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &catalogue[i];
        const size_t from = out->len;
        buf_str(out, STR("  --"));
        for (const char *c = s->name; *c != 0; c++) {
            buf_char(out, *c == '_' ? '-' : *c);
        }
        while (out->len - from < 30) {
            buf_char(out, ' ');
        }
        buf_format(out, "%s", s->about);
        if (s->by_default[0] != 0) {
            buf_format(out, " [%s]", s->by_default);
        }
        buf_char(out, '\n');
    }
}
