#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { BAR_WIDTH = 32, REDRAW_US = 100000 };

void lq_progress_start(struct lq_progress *progress, int total, bool quiet)
{
    *progress = (struct lq_progress){
        .total = total,
        .shown = total > 1 && isatty(STDERR_FILENO) && !(quiet && isatty(STDOUT_FILENO)),
        .started_us = lq_clock_us(),
    };
}

void lq_progress_step(struct lq_progress *progress, int done)
{
    uint64_t now = lq_clock_us();
    if (!progress->shown || (done < progress->total && now - progress->drawn_us < REDRAW_US))
        return;
    progress->drawn_us = now;
    int filled = done * BAR_WIDTH / progress->total;
    double rate = done * 1e6 / (double)(now - progress->started_us + 1);
    fprintf(stderr, "\r\033[K[");
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %d/%d  %.1f/s  %.0f s left", done, progress->total, rate,
            (progress->total - done) / rate);
    fflush(stderr);
}

void lq_progress_hide(struct lq_progress *progress)
{
    if (progress->shown && progress->drawn_us) {
        fprintf(stderr, "\r\033[K");
        progress->drawn_us = 0;
    }
}
