#include "core/secret.h"

#include "base/check.h"
#include "base/json.h"
#include "base/vec.h"

enum { ENV_NAME_MAX = 128, PATH_BYTES_MAX = 256 };

/* Words in the name of a member whose value is nobody's business, lower case without _ and -. */
static const char *const words[] = {"apikey",     "accesskey",    "authorization", "credential",
                                    "passphrase", "password",     "passwd",        "privatekey",
                                    "secret",     "clientsecret", "token"};

static bool is_word_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_variable(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!is_word_char(name.ptr[i])) {
            return false;
        }
    }
    return name.len > 0 && name.len <= ENV_NAME_MAX && (name.ptr[0] < '0' || name.ptr[0] > '9');
}

static bool is_plain_path(struct str path)
{
    struct str rest = path;
    struct str part;
    if (path.len == 0 || path.len > PATH_BYTES_MAX || str_ends(path, STR("/"))) {
        return false;
    }
    while (str_split(&rest, '/', &part)) {
        if (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR(".."))) {
            return false;
        }
    }
    return true;
}

bool secret_is_reference(struct str text)
{
    if (str_starts(text, STR("env:"))) {
        return is_variable(str_slice(text, 4, text.len));
    }
    return str_starts(text, STR("file:")) && is_plain_path(str_slice(text, 5, text.len));
}

/* The name with its letters in lower case and without what separates words. */
static struct str plain_name(struct arena *arena, struct str name)
{
    char *room = arena_array(arena, char, name.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.ptr[i];
        if (c != '_' && c != '-' && c != '.') {
            room[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
    }
    return (struct str){room, n};
}

static bool names_a_secret(struct arena *arena, struct str name)
{
    const struct str plain = plain_name(arena, name);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_ends(plain, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

struct place {
    const json_t *value;
    struct str at;
    bool is_secret; /* A name above it says so. */
};

typedef VEC(struct place) place_list;

static void push_members(struct arena *arena, place_list *places, const struct place *of)
{
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)(uintptr_t)of->value, key, member)
    {
        const struct place place = {member, json_pointer_below(arena, of->at, str_from(key)),
                                    of->is_secret || names_a_secret(arena, str_from(key))};
        VEC_PUSH(arena, places, place);
    }
    for (size_t i = 0; i < json_array_size(of->value); i++) {
        const struct place place = {json_array_get(of->value, i),
                                    arena_format(arena, "%.*s/%zu", STR_ARG(of->at), i),
                                    of->is_secret};
        VEC_PUSH(arena, places, place);
    }
}

enum err_code secrets_check(struct arena *arena, const json_t *value, struct str at,
                            struct err *err)
{
    place_list places = {0};
    const struct place root = {value, at, false};
    VEC_PUSH(arena, &places, root);
    while (places.n > 0) {
        const struct place place = places.v[--places.n];
        if (json_is_object(place.value) || json_is_array(place.value)) {
            push_members(arena, &places, &place);
            continue;
        }
        const bool says_nothing = json_is_null(place.value) || json_is_boolean(place.value) ||
                                  (json_is_string(place.value) && json_text(place.value).len == 0);
        if (place.is_secret && !says_nothing && !secret_is_reference(json_text(place.value))) {
            return err_at(err, ERR_LITERAL_SECRET, arena_cstr(arena, place.at),
                          "a secret is given by reference: env:NAME or file:PATH");
        }
    }
    return ERR_OK;
}
