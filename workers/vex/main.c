/* stella-vex: reads VEX statements: OpenVEX, CSAF VEX, CycloneDX VEX. */
#include "workers/frame/frame.h"
#include "workers/ingest/ingest.h"
#include "workers/lib/document.h"

int main(int argc, char **argv)
{
    static const enum document_kind kind = DOCUMENT_VEX;
    static const struct frame_type types[] = {{"vex.ingest", ingest_run}};
    static const struct frame_program program = {
        .name = "stella-vex",
        .about = "reads VEX statements: OpenVEX, CSAF VEX, CycloneDX VEX",
        .types = types,
        .types_n = sizeof(types) / sizeof(*types),
        .data = &kind,
    };
    return frame_main(argc, argv, &program);
}
