/*
 * ledger/postgres/postgres - the verbs of this backend; ledger_postgres lists them.
 *
 * tick.c     groups          reader.c  queries
 * migrate.c  schema, roles   blobs.c   bytes by (tenant, SHA-256)
 * hints.c    NOTIFY
 */
#ifndef LEDGER_POSTGRES_POSTGRES_H
#define LEDGER_POSTGRES_POSTGRES_H

#include "ledger/backend.h"

enum err_code postgres_migrate(const struct ledger_target *target, void (*progress)(const char *),
                               struct err *err);
enum err_code postgres_reader_open(const struct ledger_target *target, struct reader **out,
                                   struct err *err);
void postgres_reader_close(struct reader *reader);
enum err_code postgres_reader_query(struct reader *reader, const struct query *query,
                                    struct query_result *out, struct err *err);
enum err_code postgres_snapshot_begin(struct reader *reader, struct tenant_id tenant,
                                      struct facts *facts, struct err *err);
enum err_code postgres_snapshot_load(struct reader *reader, struct facts *facts, struct err *err);
void postgres_snapshot_end(struct reader *reader);
enum err_code postgres_blobs_open(const struct ledger_target *target, struct blobs **out,
                                  struct err *err);
struct hints *postgres_hints_new(const struct ledger_target *target);

#endif
