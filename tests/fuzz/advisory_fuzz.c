/* A document of the kind advisory, in any format. */
#include "fuzz/fuzz.h"
#include "fuzz/observe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    observe(DOCUMENT_ADVISORY, data, size);
    return 0;
}
