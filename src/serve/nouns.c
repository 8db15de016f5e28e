#include "serve/serve.h"

#include "doctor/doctor.h"

static const struct cli_option serve_options[] = {
    {"listen", 0, "HOST:PORT", "Address of the API [127.0.0.1:8700]"},
    {"data", 0, "DIR", "Folder of the embedded ledger [stella-data]"},
    {"database", 0, "URL", "postgres:// URL of the ledger, instead of the embedded one"},
    {"settings", 0, "FILE", "Settings file, one name = value a line"},
    {"worker-token", 0, "FILE", "Keep a token for workers in this file"},
    {"allow-plain-http", 0, NULL, "Serve plain HTTP to other machines too"},
    {"print-settings", 0, NULL, "Print what is in force and end"},
};

static const struct cli_command serve_commands[] = {
    {
        .verb = "",
        .arguments = "[--SETTING VALUE...]",
        .most = CLI_RAW,
        .help = "Run the service; every setting of docs/reference/settings.md is an option",
        .examples = "stella orchestrator serve --data ./stella-data\n"
                    "stella orchestrator serve --database postgres://stella@db/stella\n"
                    "stella orchestrator serve --print-settings",
        .options = serve_options,
        .option_count = CLI_COUNT(serve_options),
        .run = serve_run,
    },
};

static const struct cli_option migrate_options[] = {
    {"data", 0, "DIR", "Folder of the embedded ledger [stella-data]"},
    {"database", 0, "URL", "postgres:// URL of the ledger"},
};

static const struct cli_command migrate_commands[] = {
    {
        .verb = "",
        .arguments = "",
        .most = CLI_RAW,
        .help = "Make or update the ledger's schema; never done by serve",
        .examples = "stella orchestrator migrate --data ./stella-data",
        .options = migrate_options,
        .option_count = CLI_COUNT(migrate_options),
        .run = serve_migrate,
    },
};

static const struct cli_option backup_options[] = {
    {"data", 0, "DIR", "Folder of the embedded ledger [stella-data]"},
    {"database", 0, "URL", "postgres:// URL of the ledger"},
    {"settings", 0, "FILE", "Settings file, one name = value a line"},
};

static const struct cli_command backup_commands[] = {
    {
        .verb = "",
        .arguments = "FOLDER",
        .least = 1,
        .most = 1,
        .help = "Copy the embedded ledger and its artifacts into a new folder, also while served",
        .examples = "stella orchestrator backup ./backup-monday --data ./stella-data",
        .options = backup_options,
        .option_count = CLI_COUNT(backup_options),
        .run = serve_backup,
    },
};

static const struct cli_option restore_options[] = {
    {"data", 0, "DIR", "Folder that gets the ledger; it must hold none [stella-data]"},
    {"database", 0, "URL", "Mark this database, which PostgreSQL's tools have restored"},
    {"from", 0, "NAME", "With --database: what the backup is called"},
    {"settings", 0, "FILE", "Settings file, one name = value a line"},
};

static const struct cli_command restore_commands[] = {
    {
        .verb = "",
        .arguments = "[FOLDER]",
        .most = 1,
        .help = "Bring a backup back: raises every grant, ends its leases, starts paused",
        .examples = "stella orchestrator restore ./backup-monday --data ./data-anew --dry-run\n"
                    "stella orchestrator restore ./backup-monday --data ./data-anew",
        .options = restore_options,
        .option_count = CLI_COUNT(restore_options),
        .run = serve_restore,
    },
};

const struct cli_noun serve_nouns[] = {
    {"serve", NULL, "Run the service", serve_commands, CLI_COUNT(serve_commands)},
    {"migrate", NULL, "Make or update the ledger's schema", migrate_commands,
     CLI_COUNT(migrate_commands)},
    {"backup", NULL, "Copy the embedded ledger, also while it is served", backup_commands,
     CLI_COUNT(backup_commands)},
    {"restore", NULL, "Bring a backup back; starts paused", restore_commands,
     CLI_COUNT(restore_commands)},
    {"doctor", NULL, "Find what is wrong, and how to mend it", doctor_commands,
     CLI_COUNT(doctor_commands)},
};

const size_t serve_noun_count = CLI_COUNT(serve_nouns);
