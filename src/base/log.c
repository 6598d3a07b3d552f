#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static atomic_int level_max = LQ_LOG_INFO;

void lq_log_set_level(enum lq_log_level level)
{
    atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

enum lq_log_level lq_log_level(void)
{
    return (enum lq_log_level)atomic_load_explicit(&level_max, memory_order_relaxed);
}

void lq_log(enum lq_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (level > lq_log_level())
        return;
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    char line[512];
    size_t len = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    len += (size_t)snprintf(line + len, sizeof line - len, ".%03ldZ %-5s ",
                            now.tv_nsec / 1000000, names[level]);
    va_list args;
    va_start(args, format);
    int body = vsnprintf(line + len, sizeof line - len - 1, format, args);
    va_end(args);
    len += body < 0 ? 0 : (size_t)body;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    line[len++] = '\n';
    // A log line that cannot be written has nowhere to be reported.
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}
