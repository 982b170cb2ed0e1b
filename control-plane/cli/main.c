/* main.c: sluicectl. Everything is in cli.c, so that tests can call it. */
#include "control-plane/cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
