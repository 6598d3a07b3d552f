#include "bench/plot.h"

#include <math.h>

#include "base/buf.h"
#include "base/file.h"

enum { WIDTH = 640, HEIGHT = 400, LEFT = 64, RIGHT = 110, TOP = 48, BOTTOM = 56, SVG_MAX = 65536 };

struct plot {
    const struct lq_bench_report *report;
    double users_max, ms_max;
    double label_y; // position of the previous line's name
};

// One line of the plot: a percentile, its colour, and the name at its end.
static const struct line {
    const char *name, *colour;
    size_t offset; // of a double in struct lq_bench_result
} lines[] = { // from top to bottom
    {"p99", "#b3264a", offsetof(struct lq_bench_result, p99_ms)},
    {"p95", "#c77f1a", offsetof(struct lq_bench_result, p95_ms)},
    {"p50", "#3b6fb6", offsetof(struct lq_bench_result, p50_ms)},
};

static double value(const struct lq_bench_load *load, const struct line *line)
{
    return *(const double *)((const char *)&load->result + line->offset);
}

static double x_of(const struct plot *plot, double users)
{
    return LEFT + users / plot->users_max * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct plot *plot, double ms)
{
    return HEIGHT - BOTTOM - ms / plot->ms_max * (HEIGHT - TOP - BOTTOM);
}

// Returns 1, 2 or 5 times a power of ten, so that `range` has about five steps.
static double nice_step(double range)
{
    double power = pow(10, floor(log10(range / 5)));
    double share = range / 5 / power;
    return power * (share > 5 ? 10 : share > 2 ? 5 : share > 1 ? 2 : 1);
}

static void measure(struct plot *plot)
{
    plot->users_max = 1;
    plot->ms_max = 10;
    for (int i = 0; i < plot->report->load_count; i++) {
        const struct lq_bench_load *load = &plot->report->loads[i];
        if (!load->measured)
            continue;
        plot->users_max = fmax(plot->users_max, load->users);
        plot->ms_max = fmax(plot->ms_max, load->result.p99_ms);
    }
    double step = nice_step(plot->ms_max);
    plot->ms_max = ceil(plot->ms_max / step) * step;
}

static int draw_axes(const struct plot *plot, struct lq_buf *out)
{
    int status = LQ_OK;
    double step = nice_step(plot->ms_max);
    for (double ms = 0; ms <= plot->ms_max + step / 2 && status == LQ_OK; ms += step)
        status = lq_buf_printf(out,
                               "<path d='M%d %.1fH%d' stroke='#ddd'/>"
                               "<text x='%d' y='%.1f' text-anchor='end'>%g</text>\n",
                               LEFT, y_of(plot, ms), WIDTH - RIGHT, LEFT - 8,
                               y_of(plot, ms) + 4, ms);
    for (int i = 0; i < plot->report->load_count && status == LQ_OK; i++)
        status = lq_buf_printf(out, "<text x='%.1f' y='%d' text-anchor='middle'>%d</text>\n",
                               x_of(plot, plot->report->loads[i].users), HEIGHT - BOTTOM + 20,
                               plot->report->loads[i].users);
    if (status == LQ_OK)
        status = lq_buf_printf(out,
                               "<text x='%d' y='%d' text-anchor='middle'>users at once</text>\n"
                               "<text x='%d' y='%d'>latency, ms</text>\n",
                               (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, LEFT, TOP - 8);
    return status;
}

// Draws a percentile's line with a dot for each measurement, and its name after the last one.
static int draw_line(struct plot *plot, const struct line *line, struct lq_buf *out)
{
    double x = LEFT, y = HEIGHT - BOTTOM;
    bool begun = false;
    int status = lq_buf_printf(out, "<path fill='none' stroke='%s' stroke-width='2' d='",
                               line->colour);
    for (int i = 0; i < plot->report->load_count && status == LQ_OK; i++) {
        const struct lq_bench_load *load = &plot->report->loads[i];
        if (!load->measured)
            continue;
        x = x_of(plot, load->users);
        y = y_of(plot, value(load, line));
        status = lq_buf_printf(out, "%c%.1f %.1f", begun ? 'L' : 'M', x, y);
        begun = true;
    }
    plot->label_y = fmax(y + 4, plot->label_y + 13); // keeps the names from overlapping
    if (status == LQ_OK)
        status = lq_buf_printf(out, "'/>\n<text x='%.1f' y='%.1f' fill='%s'>%s</text>\n", x + 8,
                               plot->label_y, line->colour, begun ? line->name : "");
    return status;
}

static int draw(struct plot *plot, struct lq_buf *out)
{
    const struct lq_bench_report *report = plot->report;
    double fps = report->load_count ? report->loads[0].fps_requested : 0;
    int status = lq_buf_printf(
        out,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' "
        "font-family='sans-serif' font-size='12' fill='#333'>\n"
        "<title>Latency against users, commit %s</title>\n"
        "<rect width='100%%' height='100%%' fill='#fff'/>\n"
        "<text x='%d' y='20' font-size='14'>WebSocket, 640x480, cameras of %g frames a second"
        "</text>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT, report->commit, LEFT, fps);
    if (status == LQ_OK)
        status = draw_axes(plot, out);
    for (size_t i = 0; i < LQ_COUNT(lines) && status == LQ_OK; i++)
        status = draw_line(plot, &lines[i], out);
    return status == LQ_OK ? lq_buf_printf(out, "</svg>\n") : status;
}

int lq_bench_plot(const struct lq_bench_report *report, const char *path, struct lq_error *err)
{
    struct plot plot = {.report = report};
    struct lq_buf svg;
    measure(&plot);
    lq_buf_init(&svg, SVG_MAX);
    int status = draw(&plot, &svg);
    if (status != LQ_OK)
        status = lq_fail(err, status, "the plot is too large");
    else
        status = lq_file_write(path, svg.data, svg.len, err);
    lq_buf_release(&svg);
    return status;
}
