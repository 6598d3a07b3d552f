// Log lines on stderr, as text ("time level text") or JSON (one object per line). They never
// contain pixels, users' addresses or tokens.
// Threads: any; each line is one write. Owner: level, format and sink are global to the process.
#pragma once

#include "base/attr.h"

enum lq_log_level { LQ_LOG_ERROR, LQ_LOG_WARN, LQ_LOG_INFO, LQ_LOG_DEBUG };
enum lq_log_format { LQ_LOG_TEXT, LQ_LOG_JSON };

void lq_log_set_level(enum lq_log_level level);
enum lq_log_level lq_log_level(void);
void lq_log_set_format(enum lq_log_format format);
// Text beyond 400 bytes is cut off. If the thread has a trace (trace.h), the line includes its id.
void lq_log(enum lq_log_level level, const char *format, ...) LQ_PRINTF(2, 3);

// Sends lines to `sink` instead of stderr, without time and level, one call at a time, for programs
// with a log of their own. The sink must not call anything that logs. NULL: back to stderr.
typedef void lq_log_sink(void *context, enum lq_log_level level, const char *message);
void lq_log_set_sink(lq_log_sink *sink, void *context);

#define lq_log_error(...) lq_log(LQ_LOG_ERROR, __VA_ARGS__)
#define lq_log_warn(...) lq_log(LQ_LOG_WARN, __VA_ARGS__)
#define lq_log_info(...) lq_log(LQ_LOG_INFO, __VA_ARGS__)
#define lq_log_debug(...) lq_log(LQ_LOG_DEBUG, __VA_ARGS__)
