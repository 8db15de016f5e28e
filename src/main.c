/* The program: everything it can do is a row of the command table. */
#include "cli/command.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv, NULL, 0);
}
