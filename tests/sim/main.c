/* sim [first seed] [seeds] [steps] [-v]: runs worlds; a broken invariant aborts after its seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

int main(int argc, char **argv)
{
    const unsigned long long first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const unsigned long long seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
    const int32_t steps = argc > 3 ? (int32_t)strtol(argv[3], NULL, 10) : 1500;
    const bool verbose = argc > 4 && strcmp(argv[4], "-v") == 0;
    int64_t ticks = 0;
    for (unsigned long long seed = first; seed < first + seeds; seed++) {
        (void)fprintf(stderr, "\rseed %llu ", seed);
        ticks += world_run(seed, (struct world_options){steps, (int32_t)(seed % 4) * 5, verbose});
    }
    (void)printf("\n%llu seeds from %llu, %lld ticks: every invariant held\n", seeds, first,
                 (long long)ticks);
    return 0;
}
