#include "api/cursor.h"

#include <string.h>

#include "base/buf.h"

enum { VERSION = 1, FIXED = 1 + CURSOR_KEYS * 8, HASH_BYTES = 8 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void put_u64(unsigned char *out, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (unsigned char)(value >> (56 - 8 * i));
    }
}

static uint64_t get_u64(const unsigned char *in)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8 | in[i];
    }
    return value;
}

static uint64_t hash_of(struct arena *arena, const struct hash_key *key, struct str asked,
                        const unsigned char *bytes, size_t len)
{
    char *joined = arena_array(arena, char, asked.len + len + 1);
    memcpy(joined, bytes, len);
    if (asked.len > 0) {
        memcpy(joined + len, asked.ptr, asked.len);
    }
    return hash_keyed(key, (struct str){joined, asked.len + len});
}

static struct str encode(struct arena *arena, const unsigned char *bytes, size_t len)
{
    char *out = arena_array(arena, char, len * 4 / 3 + 4);
    size_t n = 0;
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        have += 8;
        while (have >= 6) {
            have -= 6;
            out[n++] = alphabet[bits >> have & 63];
        }
        bits &= (1u << have) - 1;
    }
    if (have > 0) {
        out[n++] = alphabet[bits << (6 - have) & 63];
    }
    return (struct str){out, n};
}

/* False for what encode() does not write. */
static bool decode(struct str text, unsigned char *out, size_t max, size_t *out_len)
{
    uint32_t bits = 0;
    int have = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *found = text.ptr[i] == 0 ? NULL : strchr(alphabet, text.ptr[i]);
        if (found == NULL) {
            return false;
        }
        bits = bits << 6 | (uint32_t)(found - alphabet);
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (n == max) {
                return false;
            }
            out[n++] = (unsigned char)(bits >> have);
            bits &= (1u << have) - 1;
        }
    }
    *out_len = n;
    return bits == 0 && have < 6;
}

struct str cursor_format(struct arena *arena, const struct hash_key *key, struct str asked,
                         const struct cursor *cursor)
{
    unsigned char bytes[FIXED + CURSOR_NAME + HASH_BYTES] = {VERSION};
    const size_t name_len = cursor->name.len < CURSOR_NAME ? cursor->name.len : CURSOR_NAME;
    for (size_t i = 0; i < CURSOR_KEYS; i++) {
        put_u64(bytes + 1 + i * 8, (uint64_t)cursor->keys[i]);
    }
    if (name_len > 0) {
        memcpy(bytes + FIXED, cursor->name.ptr, name_len);
    }
    put_u64(bytes + FIXED + name_len, hash_of(arena, key, asked, bytes, FIXED + name_len));
    return encode(arena, bytes, FIXED + name_len + HASH_BYTES);
}

enum err_code cursor_parse(struct arena *arena, const struct hash_key *key, struct str asked,
                           struct str text, struct cursor *out, struct err *err)
{
    unsigned char bytes[FIXED + CURSOR_NAME + HASH_BYTES];
    size_t len = 0;
    const bool whole = decode(text, bytes, sizeof(bytes), &len) && len >= FIXED + HASH_BYTES;
    if (!whole || bytes[0] != VERSION ||
        get_u64(bytes + len - HASH_BYTES) != hash_of(arena, key, asked, bytes, len - HASH_BYTES)) {
        return err_set(err, ERR_BAD_CURSOR, "the cursor does not belong to this listing");
    }
    for (size_t i = 0; i < CURSOR_KEYS; i++) {
        out->keys[i] = (int64_t)get_u64(bytes + 1 + i * 8);
    }
    out->name =
        arena_str(arena, (struct str){(const char *)bytes + FIXED, len - FIXED - HASH_BYTES});
    return ERR_OK;
}
