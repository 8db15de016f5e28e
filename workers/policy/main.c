/* stella-policy: SBOMs over advisories and VEX statements, and the findings of a whole run. */
#include "workers/frame/frame.h"
#include "workers/policy/jobs.h"

int main(int argc, char **argv)
{
    static const struct frame_type types[] = {
        {"policy.evaluate", policy_evaluate},
        {"policy.merge", policy_merge},
    };
    static const struct frame_program program = {
        .name = "stella-policy",
        .about = "evaluates policy over SBOMs, advisories and VEX statements",
        .types = types,
        .types_n = sizeof(types) / sizeof(*types),
    };
    return frame_main(argc, argv, &program);
}
