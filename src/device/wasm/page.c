// Replacements, in the page's build, for parts that need an operating system: the log goes to the
// console, and colour profiles do not occur, because browsers provide sRGB.
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "device/network.h"
#include "image/color.h"

__attribute__((import_module("lacquer"), import_name("log"))) void lq_page_log(int level,
                                                                               const char *text);

void lq_log(enum lq_log_level level, const char *format, ...)
{
    char text[401];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lq_page_log((int)level, text);
}

void lq_color_read(const struct lq_color *color, const struct lq_image *image,
                   const uint8_t *pixels, const struct lq_rgb_row *row)
{
    (void)color, (void)image, (void)pixels, (void)row;
    __builtin_trap(); // no image here has a colour profile
}

__attribute__((import_module("lacquer"), import_name("run"))) int lq_page_run(
    int network, const float *input, int width, int height, float *first, float *second,
    float *third);

// While this call is suspended, the page waits for the network (device.h).
int lq_mirror_run(int network, const float *input, int width, int height, float *const outputs[3])
{
    return lq_page_run(network, input, width, height, outputs[0], outputs[1], outputs[2]);
}
