/*
 * fuzz - what a fuzz target is: one function over bytes.
 *
 * Built with STELLA_FUZZ a target is a libFuzzer program; otherwise fuzz_replay.c gives it a main
 * that runs it once over every file of the folders named, which is what ctest does.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
