/* stella-advisory: reads security advisories: OSV in JSON and YAML, CSAF 2.0. */
#include "workers/frame/frame.h"
#include "workers/ingest/ingest.h"
#include "workers/lib/document.h"

int main(int argc, char **argv)
{
    static const enum document_kind kind = DOCUMENT_ADVISORY;
    static const struct frame_type types[] = {{"advisory.ingest", ingest_run}};
    static const struct frame_program program = {
        .name = "stella-advisory",
        .about = "reads security advisories: OSV in JSON and YAML, CSAF 2.0",
        .types = types,
        .types_n = sizeof(types) / sizeof(*types),
        .data = &kind,
    };
    return frame_main(argc, argv, &program);
}
