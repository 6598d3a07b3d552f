// A single-threaded replacement for <pthread.h> in the page's build: wasi-libc without threads does
// not have one.
// Threads: only one. Owner: nothing to release.
#pragma once

typedef char pthread_mutex_t;
typedef char pthread_once_t;
#define PTHREAD_MUTEX_INITIALIZER 0
#define PTHREAD_ONCE_INIT 0

static inline int pthread_mutex_init(pthread_mutex_t *mutex, const void *attributes)
{
    (void)attributes;
    *mutex = PTHREAD_MUTEX_INITIALIZER;
    return 0;
}

static inline int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

static inline int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    *mutex = 1;
    return 0;
}

static inline int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return *mutex ? 16 /* EBUSY */ : pthread_mutex_lock(mutex);
}

static inline int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    *mutex = 0;
    return 0;
}

static inline int pthread_once(pthread_once_t *once, void (*init)(void))
{
    if (!*once)
        init();
    *once = 1;
    return 0;
}
