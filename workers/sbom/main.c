/* stella-sbom: reads SBOMs: CycloneDX and SPDX 2. */
#include "workers/frame/frame.h"
#include "workers/ingest/ingest.h"
#include "workers/lib/document.h"

int main(int argc, char **argv)
{
    static const enum document_kind kind = DOCUMENT_SBOM;
    static const struct frame_type types[] = {{"sbom.ingest", ingest_run}};
    static const struct frame_program program = {
        .name = "stella-sbom",
        .about = "reads SBOMs: CycloneDX and SPDX 2",
        .types = types,
        .types_n = sizeof(types) / sizeof(*types),
        .data = &kind,
    };
    return frame_main(argc, argv, &program);
}
