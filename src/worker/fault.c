#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "worker/parts.h"

static const char *const code_names[] = {
    [-STELLA_OK] = "ok",
    [-STELLA_USAGE] = "usage",
    [-STELLA_UNREACHABLE] = "unreachable",
    [-STELLA_REFUSED] = "refused",
    [-STELLA_LEASE_LOST] = "lease_lost",
    [-STELLA_STOPPED] = "stopped",
    [-STELLA_IO] = "io",
    [-STELLA_DIGEST] = "digest",
    [-STELLA_MEMORY] = "memory",
    [-STELLA_ABORTED] = "aborted",
};

const char *stella_code_name(int32_t code)
{
    const int32_t count = (int32_t)(sizeof(code_names) / sizeof(*code_names));
    return code <= 0 && code > -count ? code_names[-code] : "unknown";
}

const char *stella_version(void)
{
    return STELLA_WORKER_VERSION;
}

int32_t fault(struct stella_error *error, enum stella_code code, const char *format, ...)
{
    if (error == NULL) {
        return code;
    }
    memset(error, 0, sizeof(*error));
    error->code = code;
    error->retryable = code == STELLA_UNREACHABLE || code == STELLA_IO;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return code;
}

int32_t fault_refused(struct stella_error *error, int status, struct str body)
{
    struct wire_problem problem;
    wire_get_problem(body, &problem);
    const bool lost = strcmp(problem.code, "lease_lost") == 0;
    const enum stella_code code = lost ? STELLA_LEASE_LOST : STELLA_REFUSED;
    (void)fault(error, code, "the server refused: HTTP %d %s: %s", status, problem.code,
                problem.detail);
    if (error != NULL) {
        error->http_status = status;
        error->retryable = status == 429 || status >= 500;
        (void)snprintf(error->name, sizeof(error->name), "%s", problem.code);
    }
    return code;
}
