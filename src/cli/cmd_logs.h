/* cli/cmd_logs - `jobs logs`. */
#ifndef CLI_CMD_LOGS_H
#define CLI_CMD_LOGS_H

#include "cli/command.h"

int cli_job_logs(struct cli_call *call);

#endif
