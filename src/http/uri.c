#include "http/uri.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool uri_decode(struct arena *arena, struct str text, struct str *out)
{
    if (str_find(text, '%') == text.len) {
        *out = text;
        return str_is_utf8(text);
    }
    char *room = arena_array(arena, char, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            if (text.len - i < 3) {
                return false;
            }
            const int high = hex_digit(text.ptr[i + 1]);
            const int low = hex_digit(text.ptr[i + 2]);
            if (high < 0 || low < 0 || high + low == 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        room[n++] = c;
    }
    *out = (struct str){room, n};
    return str_is_utf8(*out);
}
