/* Header fields of any server: whatever they hold, what is read of them is within bounds. */
#include "base/check.h"
#include "base/rate_fields.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rate_fields fields;
    struct rate_limit limit;
    struct str rest = {(const char *)data, size};
    struct str line;
    rate_fields_clear(&fields);
    while (str_split(&rest, '\n', &line)) {
        const size_t colon = str_find(line, ':');
        rate_fields_take(&fields, str_slice(line, 0, colon), str_slice(line, colon + 1, line.len));
    }
    if (rate_fields_get(&fields, 1700000000, &limit)) {
        CHECK(limit.remaining >= 0 && limit.remaining <= 1000000000);
        CHECK(limit.reset_ms > 0 && limit.reset_ms <= INT64_C(7) * 24 * 3600 * 1000);
    }
    return 0;
}
