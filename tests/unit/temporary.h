// A temporary file at `path`, created and removed by cmocka's group set-up and tear-down.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include "unit/unit.h"

static char path[] = "/tmp/lacquer-unit-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}
