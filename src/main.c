/* The program: everything it can do is a row of the command table. */
#include "serve/serve.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv, serve_nouns, serve_noun_count);
}
