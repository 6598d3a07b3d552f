#include "serve/sched/metrics.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "config.h"

// Upper bounds in µs: from a fast stage to a frame that is too late to be useful.
static const uint32_t bounds_us[LQ_BUCKETS] = {100,   250,   500,   1000,   2500,   5000,   10000,
                                               15000, 20000, 33000, 50000, 100000, 250000, 1000000};
static const char *const via_names[LQ_VIA_COUNT] = {"http", "websocket", "lacquer.v1", "socketio"};
static const char *const drop_names[LQ_DROP_COUNT] = {
    "replaced", "client_gone", "stopping", "stale", "late", "busy", "rate"};

void lq_histogram_add(struct lq_histogram *histogram, uint64_t us)
{
    int i = 0;
    while (i < LQ_BUCKETS && us > bounds_us[i])
        i++;
    lq_count(&histogram->buckets[i], 1);
    lq_count(&histogram->sum_us, us);
}

void lq_metrics_count_error(struct lq_serve_metrics *metrics, int status)
{
    if (status < 0 && -status < LQ_STATUS_COUNT)
        lq_count(&metrics->errors[-status], 1);
}

void lq_metrics_count_slot(struct lq_serve_metrics *metrics, const struct lq_frame_slot *slot)
{
    lq_histogram_add(&metrics->queue, slot->queue_us);
    if (slot->status != LQ_OK) {
        lq_metrics_count_error(metrics, slot->status);
        return;
    }
    for (int i = 0; i < LQ_STAGE_COUNT; i++)
        lq_histogram_add(&metrics->stages[i], slot->stage_us[i]);
}

static uint64_t load(atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static int print_head(struct lq_buf *out, const char *name, const char *type, const char *help)
{
    return lq_buf_printf(out, "# HELP lacquer_%s %s\n# TYPE lacquer_%s %s\n", name, help, name,
                         type);
}

static int print_counters(struct lq_buf *out, const char *name, const char *label,
                          const char *const *values, atomic_uint_fast64_t *counters, int count)
{
    int status = LQ_OK;
    for (int i = 0; i < count && status == LQ_OK; i++)
        status = lq_buf_printf(out, "lacquer_%s{%s=\"%s\"} %llu\n", name, label, values[i],
                               (unsigned long long)load(&counters[i]));
    return status;
}

static int print_errors(struct lq_buf *out, struct lq_serve_metrics *metrics)
{
    int status = print_head(out, "errors_total", "counter", "Requests and frames refused.");
    for (int i = 1; i < LQ_STATUS_COUNT && status == LQ_OK; i++)
        status = lq_buf_printf(out, "lacquer_errors_total{status=\"%s\"} %llu\n",
                               lq_status_name(-i), (unsigned long long)load(&metrics->errors[i]));
    return status;
}

static int print_sessions(struct lq_buf *out, struct lq_serve_metrics *metrics)
{
    int status = print_head(out, "sessions", "gauge", "Live sessions.");
    for (int i = 0; i < LQ_VIA_COUNT && status == LQ_OK; i++)
        status = lq_buf_printf(out, "lacquer_sessions{transport=\"%s\"} %d\n", via_names[i],
                               atomic_load_explicit(&metrics->sessions[i], memory_order_relaxed));
    return status;
}

static int print_stalled(struct lq_buf *out, struct lq_serve_metrics *metrics)
{
    int status = print_head(out, "workers_stalled", "gauge",
                            "Workers that make no progress with a frame.");
    return status == LQ_OK ? lq_buf_printf(out, "lacquer_workers_stalled %d\n",
                                           atomic_load_explicit(&metrics->stalled,
                                                                memory_order_relaxed))
                           : status;
}

// labels: "" or "stage=\"decode\","
static int print_histogram(struct lq_buf *out, const char *name, const char *labels,
                           struct lq_histogram *histogram)
{
    uint64_t sum = load(&histogram->sum_us), count = 0;
    int status = LQ_OK;
    for (int i = 0; i <= LQ_BUCKETS && status == LQ_OK; i++) {
        char bound[16] = "+Inf";
        if (i < LQ_BUCKETS)
            snprintf(bound, sizeof bound, "%g", bounds_us[i] / 1e6);
        count += load(&histogram->buckets[i]);
        status = lq_buf_printf(out, "lacquer_%s_bucket{%sle=\"%s\"} %llu\n", name, labels, bound,
                               (unsigned long long)count);
    }
    int bare = (int)strcspn(labels, ",");
    if (status == LQ_OK)
        status = lq_buf_printf(out, "lacquer_%s_sum{%.*s} %.6f\nlacquer_%s_count{%.*s} %llu\n",
                               name, bare, labels, (double)sum / 1e6, name, bare, labels,
                               (unsigned long long)count);
    return status;
}

static int print_stages(struct lq_buf *out, struct lq_serve_metrics *metrics)
{
    int status = print_head(out, "stage_seconds", "histogram", "Time of each stage of a frame.");
    for (int i = 0; i < LQ_STAGE_COUNT && status == LQ_OK; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "stage=\"%s\",", lq_stage_name((enum lq_stage)i));
        status = print_histogram(out, "stage_seconds", labels, &metrics->stages[i]);
    }
    return status;
}

static int print_times(struct lq_buf *out, struct lq_serve_metrics *metrics)
{
    int status = print_stages(out, metrics);
    if (status == LQ_OK)
        status = print_head(out, "queue_seconds", "histogram",
                            "From a frame's last byte to the start of work on it.");
    if (status == LQ_OK)
        status = print_histogram(out, "queue_seconds", "", &metrics->queue);
    if (status == LQ_OK)
        status = print_head(out, "served_seconds", "histogram",
                            "From a frame's last byte to its reply being handed to the socket.");
    return status == LQ_OK ? print_histogram(out, "served_seconds", "", &metrics->served) : status;
}

// The second name is the old name of the first, an alias until version 2.
static int print_propagated(struct lq_buf *out, struct lq_serve_metrics *metrics)
{
    static const char *const names[] = {"frames_propagated_total", "frames_carried_total"};
    int status = LQ_OK;
    for (size_t i = 0; i < LQ_COUNT(names) && status == LQ_OK; i++) {
        status = print_head(out, names[i], "counter",
                            "Frames whose nails were propagated, to save time.");
        if (status == LQ_OK)
            status = lq_buf_printf(out, "lacquer_%s %llu\n", names[i],
                                   (unsigned long long)load(&metrics->propagated));
    }
    return status;
}


static int print_frames(struct lq_buf *out, struct lq_serve_metrics *metrics)
{
    int status = print_head(out, "frames_in_total", "counter", "Frames received.");
    if (status == LQ_OK)
        status = print_counters(out, "frames_in_total", "transport", via_names,
                                metrics->frames_in, LQ_VIA_COUNT);
    if (status == LQ_OK)
        status = print_head(out, "frames_out_total", "counter", "Frames that got a reply.");
    if (status == LQ_OK)
        status = print_counters(out, "frames_out_total", "transport", via_names,
                                metrics->frames_out, LQ_VIA_COUNT);
    if (status == LQ_OK)
        status = print_propagated(out, metrics);
    if (status == LQ_OK)
        status = print_head(out, "frames_dropped_total", "counter",
                            "Frames received that got no picture in reply.");
    if (status == LQ_OK)
        status = print_counters(out, "frames_dropped_total", "reason", drop_names,
                                metrics->dropped, LQ_DROP_COUNT);
    if (status == LQ_OK)
        status = print_head(out, "frame_bytes_total", "counter",
                            "Picture bytes received and sent.");
    if (status == LQ_OK)
        status = lq_buf_printf(out, "lacquer_frame_bytes_total{direction=\"in\"} %llu\n"
                                    "lacquer_frame_bytes_total{direction=\"out\"} %llu\n",
                               (unsigned long long)load(&metrics->bytes_in),
                               (unsigned long long)load(&metrics->bytes_out));
    return status;
}

static int print_gauge(struct lq_buf *out, const char *name, const char *help, double value)
{
    int status = print_head(out, name, "gauge", help);
    return status == LQ_OK ? lq_buf_printf(out, "lacquer_%s %.9g\n", name, value) : status;
}

static int print_gauges(struct lq_buf *out, const struct lq_gauges *now)
{
    const struct lq_workers_state *state = &now->state;
    double oldest_s = state->oldest_us ? (double)(lq_clock_us() - state->oldest_us) / 1e6 : 0;
    const struct {
        const char *name, *help;
        double value;
    } gauges[] = {
        {"frames_waiting", "Frames that wait for a worker.", state->waiting},
        {"frames_in_flight", "Frames that wait for a worker or are being processed.",
         state->waiting + state->working},
        {"queue_oldest_seconds", "Age of the oldest frame that waits for a worker.", oldest_s},
        {"workers", "Most frames that are processed at once.", now->workers},
        {"sessions_max", "Most sessions that are admitted at once.", now->sessions_max},
        {"frame_memory_bytes", "Memory of all clients' messages, frames and replies.",
         (double)now->frames.held},
        {"frame_memory_high_bytes", "Largest value of frame_memory_bytes so far.",
         (double)now->frames.high},
        {"frame_memory_max_bytes",
         "Limit at which the client that holds most is disconnected.", (double)now->frames.max},
    };
    int status = LQ_OK;
    for (size_t i = 0; i < LQ_COUNT(gauges) && status == LQ_OK; i++)
        status = print_gauge(out, gauges[i].name, gauges[i].help, gauges[i].value);
    if (status == LQ_OK)
        status = print_head(out, "worker_busy_seconds_total", "counter",
                            "Time that all workers together were busy.");
    return status == LQ_OK ? lq_buf_printf(out, "lacquer_worker_busy_seconds_total %.6f\n",
                                           (double)now->busy_us / 1e6)
                           : status;
}

// These names can be labels without escaping: our own, and a model's, made from a file name.
static int print_info(struct lq_buf *out, const struct lq_gauges *now)
{
    char model[64];
    snprintf(model, sizeof model, "%s", now->model);
    for (char *at = model; *at; at++)
        if (*at == '"' || *at == '\\' || *at == '\n')
            *at = '_';
    int status = print_head(out, "build_info", "gauge",
                            "The version, engine and model in use, as labels; always 1.");
    return status == LQ_OK ? lq_buf_printf(out, "lacquer_build_info{version=\"%s\",engine=\"%s\","
                                                "model=\"%s\"} 1\n",
                                           LQ_VERSION, now->engine, model)
                           : status;
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static int print_process(struct lq_buf *out)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    return lq_buf_printf(out, "# HELP process_cpu_seconds_total User and system processor time.\n"
                              "# TYPE process_cpu_seconds_total counter\n"
                              "process_cpu_seconds_total %.3f\n",
                         seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime));
}

int lq_metrics_print(struct lq_serve_metrics *metrics, const struct lq_gauges *gauges,
                     struct lq_buf *out)
{
    int status = print_frames(out, metrics);
    if (status == LQ_OK)
        status = print_gauges(out, gauges);
    if (status == LQ_OK)
        status = print_info(out, gauges);
    if (status == LQ_OK)
        status = print_process(out);
    if (status == LQ_OK)
        status = print_errors(out, metrics);
    if (status == LQ_OK)
        status = print_sessions(out, metrics);
    if (status == LQ_OK)
        status = print_stalled(out, metrics);
    return status == LQ_OK ? print_times(out, metrics) : status;
}
