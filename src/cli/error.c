#include <stdio.h>

#include "cli/cli.h"

int lq_cli_error(const struct lq_error *err)
{
    fprintf(stderr, "lacquer: %s\n", err->text);
    return err->status == LQ_ERR_ARGUMENT ? LQ_EXIT_USAGE : LQ_EXIT_FAILED;
}
