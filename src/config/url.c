#include "config/url.h"

/* First position at or after `from` of any byte of `any`, or the end. */
static size_t find_any(struct str s, size_t from, const char *any)
{
    size_t least = s.len;
    for (; *any != '\0'; any++) {
        const size_t at = from + str_find(str_slice(s, from, s.len), *any);
        least = at < least ? at : least;
    }
    return least;
}

/* libpq takes the authority up to its last '@'. */
static struct str authority_password(struct str authority)
{
    size_t at = authority.len;
    while (at > 0 && authority.ptr[at - 1] != '@') {
        at--;
    }
    const struct str user = str_slice(authority, 0, at > 0 ? at - 1 : 0);
    return str_slice(user, str_find(user, ':') + 1, user.len);
}

size_t url_secrets(struct str url, struct str out[URL_SECRETS_MAX])
{
    size_t count = 0;
    size_t from = 0;
    while (from + 3 <= url.len && !str_eq(str_slice(url, from, from + 3), STR("://"))) {
        from++;
    }
    if (from + 3 > url.len) {
        return 0;
    }
    from += 3;
    const size_t end = find_any(url, from, "/?");
    const struct str password = authority_password(str_slice(url, from, end));
    if (password.len > 0) {
        out[count++] = password;
    }
    struct str rest = str_slice(url, find_any(url, end, "?") + 1, url.len);
    struct str pair;
    while (count < URL_SECRETS_MAX && rest.len > 0 && str_split(&rest, '&', &pair)) {
        const size_t equals = str_find(pair, '=');
        const struct str value = str_slice(pair, equals + 1, pair.len);
        if (value.len > 0 && str_ends(str_slice(pair, 0, equals), STR("password"))) {
            out[count++] = value;
        }
    }
    return count;
}
