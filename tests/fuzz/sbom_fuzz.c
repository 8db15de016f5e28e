/* A document of the kind sbom, in any format. */
#include "fuzz/fuzz.h"
#include "fuzz/observe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    observe(DOCUMENT_SBOM, data, size);
    return 0;
}
