/*
 * tests/contract/fault_vfs - a SQLite file system that fails when it is told to.
 *
 * Use      fault_vfs_install() once; then fault_arm() before what shall meet the fault.
 */
#ifndef TESTS_CONTRACT_FAULT_VFS_H
#define TESTS_CONTRACT_FAULT_VFS_H

enum fault_kind { FAULT_NONE, FAULT_WRITE, FAULT_FULL, FAULT_SYNC };

void fault_vfs_install(void);
/* From the nth call of the kind on (from 1), `count` of them fail. */
void fault_arm(enum fault_kind kind, int nth, int count);
/* Calls of the kind since fault_arm(). */
int fault_calls(enum fault_kind kind);

#endif
