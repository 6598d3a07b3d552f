#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/trace.h"

enum { MESSAGE_SIZE = 401, LINE_SIZE = MESSAGE_SIZE * 6 + 256 }; // each byte may become \u00XX

static atomic_int level_max = LQ_LOG_INFO;
static atomic_int form = LQ_LOG_TEXT;

static struct {
    pthread_mutex_t lock; // held while the sink is called
    lq_log_sink *sink;
    void *context;
} receiver = {.lock = PTHREAD_MUTEX_INITIALIZER};

void lq_log_set_sink(lq_log_sink *sink, void *context)
{
    pthread_mutex_lock(&receiver.lock);
    receiver.sink = sink;
    receiver.context = context;
    pthread_mutex_unlock(&receiver.lock);
}

// Returns false if there is no sink.
static bool send_to_sink(enum lq_log_level level, const char *message)
{
    pthread_mutex_lock(&receiver.lock);
    bool is = receiver.sink != NULL;
    if (is)
        receiver.sink(receiver.context, level, message);
    pthread_mutex_unlock(&receiver.lock);
    return is;
}

void lq_log_set_level(enum lq_log_level level)
{
    atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

enum lq_log_level lq_log_level(void)
{
    return (enum lq_log_level)atomic_load_explicit(&level_max, memory_order_relaxed);
}

void lq_log_set_format(enum lq_log_format format)
{
    atomic_store_explicit(&form, (int)format, memory_order_relaxed);
}

// Escapes the inside of a JSON string (RFC 8259 section 7) and returns its end. Non-ASCII becomes
// '?', because quoted foreign text need not be UTF-8.
static char *escape(char *at, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            at += sprintf(at, "\\u%04x", c);
        } else {
            *at++ = c < 0x80 ? (char)c : '?';
        }
    }
    return at;
}

// Control characters could act on a terminal or forge a log line: replaces them, including C1 (two
// bytes in UTF-8), by '?'.
static void replace_controls(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
    }
}

static size_t format_json(char *line, const char *when, const char *level, const char *message,
                          const char *trace_id)
{
    char *at = line + sprintf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"", when,
                              level);
    at = escape(at, message);
    if (*trace_id)
        at += sprintf(at, "\",\"trace_id\":\"%s", trace_id);
    at += sprintf(at, "\"}\n");
    return (size_t)(at - line);
}

static void write_line(enum lq_log_level level, char *message)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    struct timespec now;
    struct tm utc;
    char when[32], line[LINE_SIZE], trace_id[LQ_TRACE_ID_SIZE];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(when + len, sizeof when - len, ".%03dZ", (int)(now.tv_nsec / 1000000));
    lq_trace_id(trace_id);
    if (atomic_load_explicit(&form, memory_order_relaxed) == LQ_LOG_JSON)
        len = format_json(line, when, names[level], message, trace_id);
    else {
        replace_controls(message);
        len = (size_t)sprintf(line, "%s %-5s %s%s%s\n", when, names[level], message,
                              *trace_id ? " trace=" : "", trace_id);
    }
    // There is nowhere to report a failed write.
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}

void lq_log(enum lq_log_level level, const char *format, ...)
{
    if (level > lq_log_level())
        return;
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    if (vsnprintf(message, sizeof message, format, args) < 0)
        message[0] = 0;
    va_end(args);
    if (!send_to_sink(level, message))
        write_line(level, message);
}
