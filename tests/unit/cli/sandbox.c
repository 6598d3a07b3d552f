// What the server can still read in the sandbox: each case enters it in a child process and tries.
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "serve/guard/sandbox.h"
#include "unit/unit.h"

enum { HAS_NONE = 77 };

static char home[] = "/tmp/lacquer-home-XXXXXX";
static struct lq_error err;

static const char *at(const char *name)
{
    static char text[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(text[turn], sizeof text[turn], "%s/%s", home, name);
    return text[turn];
}

static int make_home(void **state)
{
    (void)state;
    static const char *const files[] = {"diary", "nail.onnx", "nail.json", "nail.onnx.data",
                                        "tokens", "own/tokens", "own/key.pem", "models/a.onnx",
                                        "models/weights.bin", "web/index.html"};
    if (!mkdtemp(home) || mkdir(at("own"), 0700) || mkdir(at("models"), 0700) ||
        mkdir(at("web"), 0700))
        return -1;
    for (size_t i = 0; i < LQ_COUNT(files); i++)
        if (lq_file_write(at(files[i]), "x", 1, &err) != LQ_OK)
            return -1;
    return setenv("HOME", home, 1);
}

static int remove_home(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", home);
    return system(command);
}

static bool reads(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

// A path that does not exist on this machine proves nothing.
static bool may_read(const char *path)
{
    return reads(path) || errno == ENOENT;
}

static bool may_not_read(const char *path)
{
    bool refused = !reads(path);
    if (!refused)
        print_error("'%s' can be read\n", path);
    return refused && (errno == EACCES || errno == ENOENT || errno == EPERM);
}

static struct lq_cli_model model;
static struct lq_serve_options serve;

static int in_child(int (*check)(void))
{
    struct lq_sandbox nothing = {.read_count = 0};
    int status;
    pid_t child = fork();
    if (child == 0 && lq_sandbox_landlock(&nothing, &err) == LQ_ERR_UNAVAILABLE)
        _exit(HAS_NONE);
    if (child == 0)
        _exit(1); // it did enter: asked of a grandchild below
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == HAS_NONE)
        skip();
    child = fork();
    if (child == 0) {
        if (lq_cli_sandbox(&model, &serve, &err) != LQ_OK)
            print_error("%s\n", err.text);
        else
            _exit(check());
        _exit(1);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int check_system(void)
{
    static const char *const closed[] = {
        "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hostname", "/etc/fstab", "/etc/ssh",
        "/etc", "/etc/debian_version", "/etc/environment", "/proc", "/proc/1/environ",
        "/proc/1/cmdline",
        "/proc/1/status", "/proc/cmdline", "/proc/kallsyms", "/proc/modules", "/proc/partitions",
#if !defined(LQ_SANITIZE) // which needs all of /proc/self
        "/proc/net/tcp", "/proc/self/net/tcp", "/proc/self/environ", "/proc/self/task",
        "/proc/self/fd", "/proc/self/mem", "/proc/thread-self/net/unix",
#endif
        "/proc/keys", "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/hostname",
        "/proc/config.gz", "/sys", "/sys/class/net", "/sys/class/dmi/id/product_uuid", "/sys/block",
        "/sys/module", "/sys/kernel/debug", "/sys/kernel/security", "/sys/firmware",
        "/sys/fs/cgroup",
        "/sys/devices/virtual", "/", "/root", "/home", "/tmp", "/var", "/run", "/dev", "/dev/shm",
        "/dev/mem", "/dev/kmsg", "/boot", "/srv", "/root/.ssh", "/root/.bash_history",
        "/proc/self/root/etc/passwd", "/proc/self/cwd/README.md", "/usr/../etc/passwd",
        "/proc/self/../1/status", "/proc/thread-self/root/etc/shadow"};
    static const char *const open_ones[] = {
        "/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/proc/self/maps", "/proc/self/status",
        "/proc/self/cgroup", "/proc/cpuinfo", "/proc/meminfo", "/proc/mounts",
        "/sys/devices/system/cpu/online", "/sys/devices/system/node/online",
        "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/fs/cgroup/cpu.max", "/usr/lib",
        "/dev/urandom"};
    bool right = true;
    for (size_t i = 0; i < LQ_COUNT(closed); i++)
        right &= may_not_read(closed[i]);
    for (size_t i = 0; i < LQ_COUNT(open_ones); i++)
        if (!may_read(open_ones[i])) {
            print_error("'%s': %s\n", open_ones[i], strerror(errno));
            right = false;
        }
    right &= may_not_read("/etc/resolv.conf") && may_not_read("/etc/hosts");
    right &= open("/dev/shm/lacquer-new", O_CREAT | O_RDWR, 0600) < 0;
    right &= open(at("new"), O_CREAT | O_RDWR, 0600) < 0;
    return !right;
}

static void only_needed_system_files_are_readable(void **state)
{
    (void)state;
    lq_cli_model_init(&model);
    model.options.cache_dir = NULL;
    serve = (struct lq_serve_options){0};
    assert_int_equal(in_child(check_system), 0);
}

static int check_names(void)
{
    return !(may_read("/etc/resolv.conf") && may_read("/etc/hosts") && may_read("/etc/ssl/certs") &&
             may_not_read("/etc/passwd") && may_not_read("/dev/shm"));
}

static int check_shared_memory(void)
{
    int fd = open("/dev/shm/lacquer-unit-sandbox", O_CREAT | O_RDWR, 0600);
    bool right = fd >= 0 && unlink("/dev/shm/lacquer-unit-sandbox") == 0;
    return !(right && may_not_read("/etc/passwd"));
}

static void a_server_of_inference_is_found_by_name(void **state)
{
    (void)state;
    lq_cli_model_init(&model);
    model.options.cache_dir = NULL;
    serve = (struct lq_serve_options){0};
    model.options.remote.urls[0] = "http://triton:8000";
    model.options.remote.url_count = 1;
    assert_int_equal(in_child(check_names), 0);
    model.options.remote.urls[0] = "http://localhost:8000";
    assert_int_equal(in_child(check_shared_memory), 0);
    model.options.remote.memory = LQ_REMOTE_MEMORY_OFF;
    assert_int_equal(in_child(check_names), 0);
}

static int check_home(void)
{
    return !(reads(at("nail.onnx")) && reads(at("nail.json")) && reads(at("nail.onnx.data")) &&
             reads(at("tokens")) && may_not_read(at("diary")) && may_not_read(at("own/key.pem")) &&
             may_not_read(at("models/a.onnx")) && may_not_read(home));
}

static void in_a_home_folder_only_named_files_are_readable(void **state)
{
    (void)state;
    lq_cli_model_init(&model);
    model.options.cache_dir = NULL;
    model.path = at("nail.onnx");
    serve = (struct lq_serve_options){.token_file = at("tokens")};
    assert_int_equal(in_child(check_home), 0);
}

static int check_own(void)
{
    return !(reads(at("own/tokens")) && reads(at("own/key.pem")) &&
             reads(at("models/weights.bin")) && reads(at("web/index.html")) &&
             may_not_read(at("diary")) && may_not_read(at("tokens")));
}

static void own_folders_are_readable_completely(void **state)
{
    (void)state;
    char tokens[256], path[256], web[256];
    snprintf(tokens, sizeof tokens, "%s/own/tokens", home);
    snprintf(path, sizeof path, "%s/models/a.onnx", home);
    snprintf(web, sizeof web, "%s/web", home);
    lq_cli_model_init(&model);
    model.options.cache_dir = NULL;
    model.path = path;
    serve = (struct lq_serve_options){.token_file = tokens, .web_dir = web};
    assert_int_equal(in_child(check_own), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_needed_system_files_are_readable),
        cmocka_unit_test(a_server_of_inference_is_found_by_name),
        cmocka_unit_test(in_a_home_folder_only_named_files_are_readable),
        cmocka_unit_test(own_folders_are_readable_completely),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
