#include "cli/quantize_progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { REDRAW_US = 100000, SAY_AGAIN_US = 20 * 1000000 };

void lq_quantize_progress_open(struct lq_quantize_progress *progress)
{
    *progress = (struct lq_quantize_progress){.fd = dup(STDERR_FILENO),
                                              .terminal = isatty(STDERR_FILENO),
                                              .told_us = lq_clock_us()};
    progress->drawn_us = progress->told_us;
}

// Prints "calibration 5 of 8, 12 s left"; on a terminal this replaces the previous line.
static void draw(struct lq_quantize_progress *progress, int of)
{
    char count[40] = "", left[40] = "";
    double taken = (double)(progress->told_us - progress->began_us) / 1e6;
    double each = progress->done > 0 ? taken / progress->done : 0;
    if (of > 0)
        snprintf(count, sizeof count, " %d of %d", progress->done, of);
    if (progress->done > 0 && progress->done < of)
        snprintf(left, sizeof left, ", %.0f s left", each * (of - progress->done));
    dprintf(progress->fd, "%s%s%s%s%s", progress->terminal ? "\r\033[K" : "lacquer: ",
            progress->stage, count, left, progress->terminal ? "" : "\n");
    progress->drawn_us = progress->told_us;
}

void lq_quantize_progress_step(struct lq_quantize_progress *progress, const char *stage, int done,
                               int of)
{
    if (progress->fd < 0)
        return;
    bool fresh = strcmp(progress->stage, stage) != 0;
    if (fresh) { // its first step is reported when it is done
        lq_quantize_progress_end(progress);
        snprintf(progress->stage, sizeof progress->stage, "%s", stage);
        progress->began_us = progress->told_us;
    }
    progress->told_us = lq_clock_us();
    progress->done = done;
    uint64_t since_us = progress->told_us - progress->drawn_us;
    if (progress->terminal ? fresh || done == of || since_us > REDRAW_US
                           : done < of && since_us > SAY_AGAIN_US)
        draw(progress, of);
}

void lq_quantize_progress_end(struct lq_quantize_progress *progress)
{
    if (progress->fd < 0 || !progress->stage[0])
        return;
    if (progress->terminal)
        dprintf(progress->fd, "\r\033[K");
    else
        dprintf(progress->fd, "lacquer: %s: %d in %.1f s\n", progress->stage, progress->done,
                (double)(progress->told_us - progress->began_us) / 1e6);
    progress->drawn_us = progress->told_us;
    progress->stage[0] = '\0';
}
