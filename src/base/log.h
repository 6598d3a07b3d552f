// Log lines on stderr, as text ("time level text") or JSON (an object a line). Never holds pixels,
// addresses of users or tokens.
// Threads: any; one line is one write. Owner: level, format and sink are the process's.
#pragma once

#include "base/attr.h"

enum lq_log_level { LQ_LOG_ERROR, LQ_LOG_WARN, LQ_LOG_INFO, LQ_LOG_DEBUG };
enum lq_log_format { LQ_LOG_TEXT, LQ_LOG_JSON };

void lq_log_set_level(enum lq_log_level level);
enum lq_log_level lq_log_level(void);
void lq_log_set_format(enum lq_log_format format);
// What is longer than 400 bytes is cut off. A trace that the thread is in (trace.h) is named.
void lq_log(enum lq_log_level level, const char *format, ...) LQ_PRINTF(2, 3);

// Lines go here instead of to stderr, without time and level in them, one call at a time: for
// programs that have a log of their own. It must not call what logs. NULL: to stderr again.
typedef void lq_log_sink(void *context, enum lq_log_level level, const char *message);
void lq_log_set_sink(lq_log_sink *sink, void *context);

#define lq_log_error(...) lq_log(LQ_LOG_ERROR, __VA_ARGS__)
#define lq_log_warn(...) lq_log(LQ_LOG_WARN, __VA_ARGS__)
#define lq_log_info(...) lq_log(LQ_LOG_INFO, __VA_ARGS__)
#define lq_log_debug(...) lq_log(LQ_LOG_DEBUG, __VA_ARGS__)
