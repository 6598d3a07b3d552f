// A program with a jansson, a file mask, signals, a locale and an environment of its own, which
// liblacquer.so (as programs link it) must leave alone.
#include <lacquer.h>

#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit/unit.h"

extern char **environ;

// ---- the host's own allocator, which can only free its own memory

enum { HEAD = 16 };
static const char mark[HEAD] = "the host's own.";
static atomic_long given, foreign;

static void *host_malloc(size_t size)
{
    char *memory = malloc(size + HEAD);
    if (!memory)
        return NULL;
    memcpy(memory, mark, HEAD);
    atomic_fetch_add(&given, 1);
    return memory + HEAD;
}

static void host_free(void *memory)
{
    if (!memory)
        return;
    char *start = (char *)memory - HEAD;
    if (memcmp(start, mark, HEAD) != 0) {
        atomic_fetch_add(&foreign, 1); // free(start) would end the program
        return;
    }
    memset(start, 0, HEAD);
    atomic_fetch_sub(&given, 1);
    free(start);
}

static bool allocator_is(json_malloc_t wanted_get, json_free_t wanted_put)
{
    json_malloc_t get;
    json_free_t put;
    json_get_alloc_funcs(&get, &put);
    return get == wanted_get && put == wanted_put;
}

// ---- the state of the process

struct state {
    struct sigaction actions[NSIG];
    struct rlimit limits[RLIMIT_NLIMITS];
    sigset_t blocked;
    char locale[256], folder[4096];
    char *environment;
};

static char *join_environment(void)
{
    size_t size = 1;
    for (char **each = environ; *each; each++)
        size += strlen(*each) + 1;
    char *text = calloc(1, size), *at = text;
    for (char **each = environ; text && *each; each++)
        at += snprintf(at, size - (size_t)(at - text), "%s\n", *each);
    return text;
}

static void look(struct state *state)
{
    memset(state, 0, sizeof *state);
    for (int i = 1; i < NSIG; i++)
        sigaction(i, NULL, &state->actions[i]);
    for (unsigned i = 0; i < RLIMIT_NLIMITS; i++)
        getrlimit((__typeof__(RLIMIT_CORE))i, &state->limits[i]);
    pthread_sigmask(SIG_SETMASK, NULL, &state->blocked);
    snprintf(state->locale, sizeof state->locale, "%s", setlocale(LC_ALL, NULL));
    assert_non_null(getcwd(state->folder, sizeof state->folder));
    state->environment = join_environment();
    assert_non_null(state->environment);
}

static void assert_same(const struct state *before, const struct state *after)
{
    for (int i = 1; i < NSIG; i++)
        if (before->actions[i].sa_handler != after->actions[i].sa_handler ||
            before->actions[i].sa_flags != after->actions[i].sa_flags)
            fail_msg("signal %d is handled otherwise", i);
    assert_memory_equal(before->limits, after->limits, sizeof before->limits);
    assert_memory_equal(&before->blocked, &after->blocked, sizeof before->blocked);
    assert_string_equal(before->locale, after->locale);
    assert_string_equal(before->folder, after->folder);
    assert_string_equal(before->environment, after->environment);
}

static atomic_int mask_calls;

// Replaces the C library's function in the whole program.
__attribute__((visibility("default"))) mode_t umask(mode_t mask)
{
    atomic_fetch_add(&mask_calls, 1);
    return (mode_t)syscall(SYS_umask, mask);
}

static mode_t file_mask(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return mask;
}

// ---- tests

static uint8_t picture[1 << 20];
static size_t picture_len;

static void paint(void)
{
    char error[256];
    struct lacquer *context;
    struct lacquer_options options = {.model = "models/nail.onnx", .threads = 1};
    if (lacquer_open(&context, &options, error, sizeof error) != LACQUER_OK)
        fail_msg("%s", error);
    struct lacquer_look plain = lacquer_look_default();
    const uint8_t *out;
    size_t out_len;
    assert_ok(lacquer_file(context, picture, picture_len, &plain, 90, &out, &out_len, NULL, NULL));
    lacquer_close(context);
}

static void the_process_is_left_alone(void **unused)
{
    (void)unused;
    FILE *in = fopen("tests/golden/hands/light.jpg", "rb");
    assert_non_null(in);
    picture_len = fread(picture, 1, sizeof picture, in);
    fclose(in);
    json_t *early = json_pack("{s:[i,i]}", "made", 1, 2); // before the library
    struct state before, after;
    umask(027);
    signal(SIGUSR1, SIG_IGN);
    look(&before);
    json_malloc_t get;
    json_free_t put;
    json_get_alloc_funcs(&get, &put);
    paint();
    assert_true(allocator_is(get, put)); // still jansson's own
    json_set_alloc_funcs(host_malloc, host_free);
    paint();
    assert_true(allocator_is(host_malloc, host_free));
    json_t *mine = json_loads("{\"a\":[1,2.5,\"text\"]}", 0, NULL);
    assert_non_null(mine);
    paint();
    char *text = json_dumps(mine, 0);
    assert_non_null(text);
    host_free(text);
    json_decref(mine);
    assert_true(allocator_is(host_malloc, host_free));
    assert_int_equal(given, 0);   // the library freed all its memory …
    assert_int_equal(foreign, 0); // … and nothing else
    assert_int_equal(file_mask(), 027);
    look(&after);
    assert_same(&before, &after);
    free(before.environment);
    free(after.environment);
    (void)early;
}

// Reading the umask requires changing it for all threads, which only the host may do. With a cache
// the library writes files of its own.
static void files_are_written_without_the_mask(void **unused)
{
    (void)unused;
    char folder[] = "/tmp/lacquer-host-XXXXXX", error[256], command[128];
    assert_non_null(mkdtemp(folder));
    atomic_store(&mask_calls, 0);
    struct lacquer *context;
    struct lacquer_options options = {.model = "models/nail.onnx", .threads = 1,
                                      .cache_dir = folder};
    assert_ok(lacquer_open(&context, &options, error, sizeof error));
    lacquer_close(context);
    assert_int_equal(mask_calls, 0);
    snprintf(command, sizeof command, "find %s -name '*.blob.sum' | grep -q . && rm -rf %s", folder,
             folder);
    assert_ok(system(command));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_is_left_alone),
        cmocka_unit_test(files_are_written_without_the_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
