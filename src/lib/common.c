// Error codes and texts, copying of structs from other versions' headers, and the log.
#include "lib/library.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config.h"

int lq_lib_code(int status)
{
    switch (status) {
    case LQ_OK:
        return LACQUER_OK;
    case LQ_ERR_FORMAT:
    case LQ_ERR_CORRUPT:
    case LQ_ERR_TOO_LARGE:
        return LACQUER_ERR_PICTURE;
    case LQ_ERR_MODEL:
    case LQ_ERR_IO:
        return LACQUER_ERR_MODEL;
    case LQ_ERR_MEMORY:
        return LACQUER_ERR_MEMORY;
    case LQ_ERR_ARGUMENT:
    case LQ_ERR_FIELD:
    case LQ_ERR_SYNTAX:
    case LQ_ERR_NOT_FOUND:
        return LACQUER_ERR_ARGUMENT;
    case LQ_ERR_TIMEOUT:
        return LACQUER_ERR_TIMEOUT;
    default:
        return LACQUER_ERR_ENGINE;
    }
}

LQ_PUBLIC const char *lacquer_strerror(int code)
{
    static const char *const texts[] = {
        "no error", "bad argument", "no picture that can be read", "unusable model",
        "no inference engine, or it failed", "out of memory", "timed out",
        "the context is in use by another thread"};
    return code <= 0 && code > -(int)LQ_COUNT(texts) ? texts[-code] : "unknown error";
}

LQ_PUBLIC const char *lacquer_version(void)
{
    return LQ_VERSION;
}

int lq_lib_fail(const struct lq_error *err, int status, char *error, size_t error_size)
{
    if (error && error_size)
        snprintf(error, error_size, "%s", status == LQ_OK ? "" : err->text);
    return lq_lib_code(status);
}

int lq_lib_copy_in(void *own, size_t own_size, const void *given, size_t least, const char *what,
                   struct lq_error *err)
{
    size_t size;
    memset(own, 0, own_size);
    memcpy(&size, given, sizeof size);
    if (size == 0)
        size = least;
    if (size < least)
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "%s.size is %zu: it must be sizeof the struct (use its …_INIT)", what,
                       size);
    for (size_t i = own_size; i < size; i++)
        if (((const unsigned char *)given)[i])
            return lq_fail(err, LQ_ERR_ARGUMENT,
                           "%s has members that liblacquer %s does not know: install the "
                           "library that belongs to the header", what, LQ_VERSION);
    memcpy(own, given, size < own_size ? size : own_size);
    return LQ_OK;
}

bool lq_lib_enter(struct lacquer *context)
{
    return !atomic_exchange(&context->busy, true);
}

int lq_lib_leave(struct lacquer *context, int status)
{
    atomic_store(&context->busy, false);
    return lq_lib_code(status);
}

// ---- log: the library itself prints nothing

static void drop(void *context, enum lq_log_level level, const char *message)
{
    (void)context, (void)level, (void)message;
}

// Runs when the library is loaded, before any thread of the host can call it.
__attribute__((constructor)) static void disable_log(void)
{
    lq_log_set_sink(drop, NULL);
}

static struct {
    void (*log)(void *user, enum lacquer_log_level level, const char *text);
    void *user;
} receiver; // the host's log function; changed only while drop() is the sink

static void forward(void *context, enum lq_log_level level, const char *message)
{
    (void)context;
    receiver.log(receiver.user, (enum lacquer_log_level)level, message);
}

LQ_PUBLIC void lacquer_set_log(void (*log)(void *user, enum lacquer_log_level level,
                                           const char *text), void *user)
{
    lq_log_set_sink(drop, NULL);
    receiver.log = log;
    receiver.user = user;
    if (log) {
        lq_log_set_level(LQ_LOG_DEBUG);
        lq_log_set_sink(forward, NULL);
    }
}
