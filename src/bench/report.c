#include "bench/report.h"

#include <math.h>

#include <jansson.h>

// Prints a value, or a dash if it is unknown.
static void cell(double value, int width, int digits, FILE *out)
{
    if (value < 0)
        fprintf(out, " %*s", width, "-");
    else
        fprintf(out, " %*.*f", width, digits, value);
}

static void print_row(const struct lq_bench_row *row, FILE *out)
{
    if (!row->measured) {
        fprintf(out, "%-46s not measured: %s\n", row->name, row->reason);
        return;
    }
    fprintf(out, "%-46s", row->name);
    cell(row->two.fps, 7, 1, out);
    cell(row->one.p50_ms, 7, 1, out);
    cell(row->one.p95_ms, 7, 1, out);
    cell(row->one.p99_ms, 7, 1, out);
    cell(row->alone || row->page.present ? -1 : row->one.bytes_per_frame / 1000, 7, 1, out);
    cell(row->two.cpu_percent, 6, 0, out);
    cell(row->two.cpu_ms, 7, 1, out);
    if (row->page.present)
        fprintf(out, "  %.0f pictures a second, %.1f ms of the page's thread each; "
                "%.1f detections a second with nothing shown; %.1f MB once",
                row->page.display_fps, row->page.thread_ms, row->page.finder_fps,
                row->page.bytes / 1e6);
    fputc('\n', out);
}

static void print_rows(const char *title, const struct lq_bench_row *rows, int count, FILE *out)
{
    fprintf(out, "\n%-46s %7s %7s %7s %7s %7s %6s %7s\n", title, "frames", "p50", "p95", "p99",
            "kB a", "CPU", "CPU ms");
    fprintf(out, "%-46s %7s %7s %7s %7s %7s %6s %7s\n", "", "a s", "ms", "ms", "ms", "frame", "%",
            "a frame");
    for (int i = 0; i < count; i++)
        if (rows[i].wanted)
            print_row(&rows[i], out);
}

static void ratio_cell(const struct lq_bench_ratio *ratio, FILE *out)
{
    char text[32] = "-";
    if (ratio->median > 0)
        snprintf(text, sizeof text, "%.1f (%.1f-%.1f)", ratio->median, ratio->low, ratio->high);
    fprintf(out, " %18s", text);
}

static void print_peer(const struct lq_bench_report *report, const struct lq_bench_row *row,
                       FILE *out)
{
    if (!row->measured) {
        fprintf(out, "%-52s not measured: %s\n", row->name, row->reason);
        return;
    }
    char spread[32];
    snprintf(spread, sizeof spread, "%.1f (%.1f-%.1f)", row->two.fps, row->fps_low, row->fps_high);
    fprintf(out, "%-52s %18s", row->name, spread);
    cell(row->one.p50_ms, 7, 1, out);
    cell(row->two.cpu_ms, 7, 1, out);
    cell(row->same_fps > 0 ? row->same_fps : -1, 8, 1, out);
    if (!report->busy) {
        ratio_cell(&row->ratio_same_model, out);
        ratio_cell(&row->ratio_own_model, out);
    }
    fputc('\n', out);
}

static void print_peers(const struct lq_bench_report *report, FILE *out)
{
    fprintf(out, "\n%-52s %18s %7s %7s %8s", "The usual stack, in turn with Lacquer", "frames a s",
            "p50", "CPU ms", "Lacquer,");
    if (!report->busy)
        fprintf(out, " %18s %18s", "times, same model", "times, own model");
    fprintf(out, "\n%-52s %18s %7s %7s %8s\n", "", "(least-most)", "ms", "a frame", "same");
    for (int i = 0; i < report->peer_count; i++)
        print_peer(report, &report->peers[i], out);
    if (report->busy)
        fprintf(out, "No ratios: others use this machine (load average %.1f). Measure again when "
                "it is quiet.\n", report->load_average);
}

static const char *const time_names[LQ_CLIENT_TIMES] = {"queue", "decode", "prepare", "infer",
                                                        "nails", "paint",  "encode",  "total"};

// Prints the mean time of each stage, for rows whose replies report it.
static void print_times(const struct lq_bench_report *report, FILE *out)
{
    bool headed = false;
    for (int i = 0; i < report->row_count; i++) {
        const struct lq_bench_row *row = &report->rows[i];
        if (!row->wanted || !row->measured || !row->one.timed)
            continue;
        if (!headed) {
            fprintf(out, "\n%-41s", "Mean ms in the server, one frame in flight");
            for (int j = 0; j < LQ_CLIENT_TIMES; j++)
                fprintf(out, " %7s", time_names[j]);
            fputc('\n', out);
        }
        headed = true;
        fprintf(out, "%-41s ", row->name);
        for (int j = 0; j < LQ_CLIENT_TIMES; j++)
            fprintf(out, " %7.2f", row->one.times_ms[j]);
        fputc('\n', out);
    }
}

static void print_loads(const struct lq_bench_report *report, FILE *out)
{
    fprintf(out, "\n%-46s %7s %7s %7s %7s %7s %7s %7s %6s\n",
            report->rate_control ? "Users at once, WebSocket binary, rate control"
                         : "Users at once, WebSocket binary",
            "served", "frames", "p50", "p95", "p99", "dropped", "propag.", "CPU");
    fprintf(out, "%-46s %7s %7s %7s %7s %7s %7s %7s %6s\n", "", "", "a s,", "ms", "ms", "ms", "",
            "%", "%");
    fprintf(out, "%-46s %7s %7s\n", "", "", "each");
    for (int i = 0; i < report->load_count; i++) {
        const struct lq_bench_load *load = &report->loads[i];
        const struct lq_bench_result *found = &load->result;
        char name[64];
        snprintf(name, sizeof name, "%d at %g frames a second", load->users, load->fps_requested);
        fprintf(out, "%-46s", name);
        if (!load->measured) {
            fprintf(out, " not measured: %s\n", load->reason);
            continue;
        }
        cell(found->users_served, 7, 0, out);
        cell(found->fps_served, 7, 1, out);
        cell(found->p50_ms, 7, 1, out);
        cell(found->p95_ms, 7, 1, out);
        cell(found->p99_ms, 7, 1, out);
        cell((double)found->dropped, 7, 0, out);
        cell(found->propagated_percent, 7, 0, out);
        cell(found->cpu_percent, 6, 0, out);
        fputc('\n', out);
    }
}

void lq_bench_report_print(const struct lq_bench_report *report, FILE *out)
{
    fprintf(out, "%s; busy with other things before: %.0f %%, load average "
                 "%.1f\n", report->machine, report->busy_percent, report->load_average);
    if (report->busy)
        fprintf(out, "Others use this machine: trust the processor time a frame, not the clock.\n");
    fprintf(out, "commit %s; %d frames of %dx%d, %d bytes on average, %g s a measurement\n",
            report->commit, report->frames, LQ_BENCH_WIDTH, LQ_BENCH_HEIGHT, report->frame_bytes,
            report->seconds);
    if (report->ready_ms > 0)
        fprintf(out, "server ready %.0f ms after its start\n", report->ready_ms);
    print_rows("Lacquer", report->rows, report->row_count, out);
    fprintf(out, "(frames a second and CPU with two frames in flight, CPU in %% of one core; "
                 "latency and kB with one)\n");
    print_times(report, out);
    if (report->peer_count > 0)
        print_peers(report, out);
    if (report->load_count > 0)
        print_loads(report, out);
}

// Rounds a value, because nobody needs nanoseconds; null for infinity and NaN, which JSON lacks.
static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1000) / 1000) : json_null();
}

static json_t *cpu(double value)
{
    return value < 0 ? json_null() : number(value);
}

static void add_times(json_t *object, const struct lq_bench_result *result)
{
    json_t *times = json_object();
    for (int i = 0; i < LQ_CLIENT_TIMES; i++)
        json_object_set_new(times, time_names[i], number(result->times_ms[i]));
    json_object_set_new(object, "server_ms", times);
}

static void add_ratio(json_t *object, const char *key, const struct lq_bench_ratio *ratio)
{
    if (ratio->median > 0)
        json_object_set_new(object, key, json_pack("[o, o, o]", number(ratio->median),
                                                   number(ratio->low), number(ratio->high)));
}

// Adds the members of a comparison row. A ratio is [median, minimum, maximum].
static void add_rounds(json_t *object, const struct lq_bench_row *row, bool busy)
{
    json_object_set_new(object, "rounds", json_integer(row->rounds));
    json_object_set_new(object, "fps_spread", json_pack("[o, o]", number(row->fps_low),
                                                        number(row->fps_high)));
    if (row->same_fps > 0)
        json_object_set_new(object, "lacquer_fps_same_model", number(row->same_fps));
    if (busy)
        return;
    add_ratio(object, "ratio_same_model", &row->ratio_same_model);
    add_ratio(object, "ratio_own_model", &row->ratio_own_model);
}

static json_t *row_json(const struct lq_bench_row *row, bool busy)
{
    if (!row->measured)
        return json_pack("{s:s, s:s, s:s, s:s}", "id", row->id, "name", row->name, "status",
                         "not measured", "reason", row->reason);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "id", row->id, "name",
        row->name, "status", "measured", "fps", number(row->two.fps), "fps_one_in_flight",
        number(row->one.fps), "p50_ms", number(row->one.p50_ms), "p95_ms", number(row->one.p95_ms),
        "p99_ms", number(row->one.p99_ms), "cpu_percent", cpu(row->two.cpu_percent),
        "cpu_ms_per_frame", cpu(row->two.cpu_ms), "frames", row->one.replies + row->two.replies,
        "dropped", (int)(row->one.dropped + row->two.dropped));
    if (row->page.present)
        json_object_set_new(object, "page",
                            json_pack("{s:o, s:o, s:o, s:o}", "display_fps",
                                      number(row->page.display_fps), "thread_ms",
                                      number(row->page.thread_ms), "finder_fps",
                                      number(row->page.finder_fps), "bytes",
                                      number(row->page.bytes)));
    else if (!row->alone)
        json_object_set_new(object, "bytes_per_frame", number(row->one.bytes_per_frame));
    if (row->threads)
        json_object_set_new(object, "threads", json_integer(row->threads));
    if (row->rounds > 0)
        add_rounds(object, row, busy);
    if (row->one.timed)
        add_times(object, &row->one);
    return object;
}

static json_t *load_json(const struct lq_bench_load *load)
{
    const struct lq_bench_result *found = &load->result;
    if (!load->measured)
        return json_pack("{s:i, s:o, s:s, s:s}", "users", load->users, "fps_asked",
                         number(load->fps_requested), "status", "not measured", "reason",
                         load->reason);
    return json_pack("{s:i, s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:i, s:o, s:o}", "users",
                     load->users, "fps_asked", number(load->fps_requested), "status", "measured",
                     "fps_each", number(found->fps_served), "p50_ms", number(found->p50_ms),
                     "p95_ms", number(found->p95_ms), "p99_ms", number(found->p99_ms), "dropped",
                     (json_int_t)found->dropped, "refused", (json_int_t)found->refused, "served",
                     found->users_served, "propagated_percent", number(found->propagated_percent),
                     "cpu_percent", cpu(found->cpu_percent));
}

int lq_bench_report_json(const struct lq_bench_report *report, FILE *out)
{
    json_t *rows = json_array(), *peers = json_array(), *loads = json_array();
    for (int i = 0; i < report->row_count; i++)
        if (report->rows[i].wanted)
            json_array_append_new(rows, row_json(&report->rows[i], report->busy));
    for (int i = 0; i < report->peer_count; i++)
        json_array_append_new(peers, row_json(&report->peers[i], report->busy));
    for (int i = 0; i < report->load_count; i++)
        json_array_append_new(loads, load_json(&report->loads[i]));
    json_t *root = json_pack(
        "{s:s, s:o, s:o, s:b, s:s, s:o, s:o, s:b, s:{s:i, s:i, s:i, s:i}, s:o, s:o, s:o}",
        "machine", report->machine, "busy_percent", number(report->busy_percent), "load_average",
        number(report->load_average), "busy", report->busy, "commit", report->commit,
        "seconds", number(report->seconds), "ready_ms",
        report->ready_ms > 0 ? number(report->ready_ms) : json_null(), "rate_control",
        report->rate_control, "frames", "count",
        report->frames, "width", LQ_BENCH_WIDTH, "height", LQ_BENCH_HEIGHT, "bytes",
        report->frame_bytes, "rows", rows, "peers", peers, "load", loads);
    int bad = !root || json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0;
    json_decref(root);
    fputc('\n', out);
    return bad ? LQ_ERR_MEMORY : LQ_OK;
}
