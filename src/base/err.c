#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct err_info catalogue[] = {
#define ERR_ROW(code, name, status, retryable, title, runbook) \
    [code] = {name, status, retryable, title, runbook},
    ERR_CATALOGUE(ERR_ROW)
#undef ERR_ROW
};

const struct err_info *err_info(enum err_code code)
{
    CHECK(code >= 0 && code < ERR_COUNT);
    return &catalogue[code];
}

bool err_find(const char *name, enum err_code *out_code)
{
    for (int code = 0; code < ERR_COUNT; code++) {
        if (strcmp(catalogue[code].name, name) == 0) {
            *out_code = (enum err_code)code;
            return true;
        }
    }
    return false;
}

__attribute__((format(printf, 4, 0))) static void set(struct err *err, enum err_code code,
                                                      const char *pointer, const char *format,
                                                      va_list args)
{
    err->code = code;
    err->retry_after_ms = 0;
    (void)snprintf(err->pointer, sizeof(err->pointer), "%s", pointer);
    (void)vsnprintf(err->message, sizeof(err->message), format, args);
}

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, "", format, args);
    va_end(args);
    return code;
}

enum err_code err_at(struct err *err, enum err_code code, const char *pointer, const char *format,
                     ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, pointer, format, args);
    va_end(args);
    return code;
}
