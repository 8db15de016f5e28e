/*
 * base/check - assertions that stay on in release builds.
 *
 * Use      CHECK() for what only a bug in this program can break; never on outside input.
 * Errors   a failed check prints file, line and expression, then aborts.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/* Prints the broken fact and aborts. */
_Noreturn void check_failed(const char *file, int line, const char *fact);

#define CHECK(fact) ((fact) ? (void)0 : check_failed(__FILE__, __LINE__, #fact))

#define UNREACHABLE() check_failed(__FILE__, __LINE__, "unreachable")

/* Runs `fini(&variable)` when the variable leaves its scope. */
#define CLEANUP(fini) __attribute__((cleanup(fini)))

/* A result that must not be dropped. */
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
