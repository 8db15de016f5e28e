/* A document of the kind vex, in any format. */
#include "fuzz/fuzz.h"
#include "fuzz/observe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    observe(DOCUMENT_VEX, data, size);
    return 0;
}
