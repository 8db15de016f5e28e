/* Two versions in two lines: an order is antisymmetric, and a version equals itself. */
#include "base/check.h"
#include "fuzz/fuzz.h"
#include "workers/lib/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct str a = {NULL, 0};
    struct str b = {NULL, 0};
    (void)str_split(&rest, '\n', &a);
    (void)str_split(&rest, '\n', &b);
    for (enum version_scheme scheme = VERSION_SEMVER; scheme <= VERSION_PEP440; scheme++) {
        int forward = 0;
        int backward = 0;
        const bool known = version_compare(scheme, a, b, &forward);
        CHECK(known == version_compare(scheme, b, a, &backward));
        CHECK(forward == -backward);
        CHECK(known == (version_valid(scheme, a) && version_valid(scheme, b)));
        CHECK(!version_valid(scheme, a) ||
              (version_compare(scheme, a, a, &forward) && forward == 0));
    }
    return 0;
}
