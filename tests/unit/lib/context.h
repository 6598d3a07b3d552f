// A picture of a hand and an open context, for tests of include/lacquer.h.
#pragma once

#include <lacquer.h>

#include <stdio.h>

#include "unit/unit.h"

static uint8_t file[1 << 20];
static size_t file_len;
static struct lacquer *context;

static int open_all(void **state)
{
    (void)state;
    char error[256];
    FILE *in = fopen("tests/golden/hands/light.jpg", "rb");
    if (!in)
        return -1;
    file_len = fread(file, 1, sizeof file, in);
    fclose(in);
    struct lacquer_options options = LACQUER_OPTIONS_INIT;
    options.model = "models/nail.onnx";
    options.threads = 1;
    if (lacquer_open(&context, &options, error, sizeof error) == LACQUER_OK)
        return 0;
    print_error("%s\n", error);
    return -1;
}

static int close_all(void **state)
{
    (void)state;
    lacquer_close(context);
    lacquer_close(NULL);
    return 0;
}
