#include "core/members.h"

#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"

static bool is_one_of(const char *key, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_int_member(const char *key, const struct int_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(members[i].name, key) == 0) {
            return true;
        }
    }
    return false;
}

enum err_code members_refuse(struct err *err, const char *member, const char *why)
{
    char pointer[ERR_TEXT];
    (void)snprintf(pointer, sizeof(pointer), "/%s", member);
    return err_at(err, ERR_UNPROCESSABLE, pointer, "%s %s", member, why);
}

enum err_code members_known(const json_t *body, const struct int_member *ints, size_t int_count,
                            const char *const *names, size_t name_count, struct err *err)
{
    const char *key = NULL;
    json_t *value = NULL;
    if (!json_is_object(body)) {
        return err_at(err, ERR_UNPROCESSABLE, "", "the body must be an object");
    }
    json_object_foreach((json_t *)(uintptr_t)body, key, value)
    {
        if (!is_int_member(key, ints, int_count) && !is_one_of(key, names, name_count)) {
            return members_refuse(err, key, "is not a known member");
        }
    }
    return ERR_OK;
}

enum err_code members_int(const json_t *body, const struct int_member *member, int64_t *out,
                          struct err *err)
{
    const json_t *value = json_object_get(body, member->name);
    *out = member->standard;
    if (value == NULL) {
        return ERR_OK;
    }
    if (!json_is_integer(value)) {
        return members_refuse(err, member->name, "must be an integer");
    }
    *out = json_integer_value(value);
    if (*out < member->min || *out > member->max) {
        char pointer[ERR_TEXT];
        (void)snprintf(pointer, sizeof(pointer), "/%s", member->name);
        return err_at(err, ERR_UNPROCESSABLE, pointer, "%s must be between %lld and %lld",
                      member->name, (long long)member->min, (long long)member->max);
    }
    return ERR_OK;
}

enum err_code members_text(struct arena *arena, const json_t *body, const char *name,
                           struct str standard, size_t max, struct str *out, struct err *err)
{
    const json_t *value = json_object_get(body, name);
    *out = standard;
    if (value == NULL || json_is_null(value)) {
        return ERR_OK;
    }
    const struct str text = json_text(value);
    if (!json_is_string(value) || text.len > max) {
        return members_refuse(err, name, "must be a text within its length");
    }
    *out = arena_str(arena, text);
    return ERR_OK;
}

enum err_code members_choice(const json_t *body, const char *name, const char *const *choices,
                             size_t count, int standard, int *out, struct err *err)
{
    const json_t *value = json_object_get(body, name);
    *out = standard;
    if (value == NULL) {
        return ERR_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (str_eq(json_text(value), str_from(choices[i]))) {
            *out = (int)i;
            return ERR_OK;
        }
    }
    return members_refuse(err, name, "is not one of the allowed values");
}

enum err_code members_switch(const json_t *body, const char *name, bool standard, bool *out,
                             struct err *err)
{
    const json_t *value = json_object_get(body, name);
    if (value != NULL && !json_is_boolean(value)) {
        return members_refuse(err, name, "must be true or false");
    }
    *out = value == NULL ? standard : json_is_true(value);
    return ERR_OK;
}

static bool is_among(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(names[i], name)) {
            return true;
        }
    }
    return false;
}

enum err_code members_names(struct arena *arena, const json_t *body, const char *member, size_t max,
                            size_t name_max, const struct str **out, size_t *out_count,
                            struct err *err)
{
    const json_t *list = json_object_get(body, member);
    *out = NULL;
    *out_count = 0;
    if (list == NULL) {
        return ERR_OK;
    }
    if (!json_is_array(list) || json_array_size(list) > max) {
        char why[ERR_TEXT];
        (void)snprintf(why, sizeof(why), "must be a list of at most %zu names", max);
        return members_refuse(err, member, why);
    }
    struct str *names = arena_array(arena, struct str, json_array_size(list) + 1);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct str name = json_text(json_array_get(list, i));
        if (!name_is_valid(name, name_max)) {
            return members_refuse(err, member, "has something that is not a name");
        }
        if (is_among(names, i, name)) {
            return members_refuse(err, member, "has a name twice");
        }
        names[i] = arena_str(arena, name);
    }
    *out = names;
    *out_count = json_array_size(list);
    return ERR_OK;
}
