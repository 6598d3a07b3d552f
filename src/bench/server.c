#include "bench/server.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/http_client.h"

enum { STOP_MS = 4000, POLL_MS = 20, LOG_TAIL_MAX = 4096, ASK_MS = 20000,
       READY_BYTES_MAX = 64 * 1024 };

int lq_bench_server_port(struct lq_bench_server *server, struct lq_error *err)
{
    *server = (struct lq_bench_server){0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bad = fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
              getsockname(fd, (struct sockaddr *)&address, &size) != 0;
    int cause = errno;
    if (fd >= 0)
        close(fd);
    if (bad)
        return lq_fail(err, LQ_ERR_IO, "cannot find a free port: %s", strerror(cause));
    snprintf(server->url.host, sizeof server->url.host, "127.0.0.1");
    server->url.port = ntohs(address.sin_port);
    return LQ_OK;
}

// Runs in the child: sets up its streams and executes the program.
static void become(char *const argv[], int in, int out, int log_fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); // the parent died before it could be watched
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "cannot run '%s': %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int spawn(struct lq_bench_server *server, char *const argv[], int out, struct lq_error *err)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    server->log_fd = memfd_create("lacquer-bench", MFD_CLOEXEC);
    pid_t parent = getpid();
    fflush(NULL);
    pid_t pid = null < 0 || server->log_fd < 0 ? -1 : fork();
    if (pid == 0)
        become(argv, null, out < 0 ? null : out, server->log_fd, parent);
    int cause = errno;
    if (null >= 0)
        close(null);
    server->pid = pid > 0 ? pid : 0;
    if (pid < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot start '%s': %s", argv[0], strerror(cause));
    return LQ_OK;
}

// The last line that the process wrote to stderr and that is not empty.
static void last_line(const struct lq_bench_server *server, char *line, size_t size)
{
    char text[LOG_TAIL_MAX + 1];
    snprintf(line, size, "it printed no reason");
    off_t end = lseek(server->log_fd, 0, SEEK_END);
    off_t from = end > LOG_TAIL_MAX ? end - LOG_TAIL_MAX : 0;
    ssize_t len = end > 0 ? pread(server->log_fd, text, LOG_TAIL_MAX, from) : 0;
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    if (len <= 0)
        return;
    text[len] = 0;
    const char *start = strrchr(text, '\n');
    snprintf(line, size, "%.*s", (int)size - 1, start ? start + 1 : text);
}

// True when the process has ended; it is then reaped.
static bool ended(struct lq_bench_server *server)
{
    if (server->pid > 0 && waitpid(server->pid, NULL, WNOHANG) == 0)
        return false;
    server->pid = 0;
    return true;
}

// Whether the server responds with 200 at this address.
static bool is_ready(struct lq_http *http, const char *address, struct lq_buf *reply)
{
    struct lq_error unheard;
    struct lq_http_call call = {.url = address, .reply = reply,
                                .deadline_us = lq_clock_us() + ASK_MS * 1000ull};
    return lq_http_call(http, &call, &unheard) == LQ_OK && call.http_status == 200;
}

static int await_ready(struct lq_bench_server *server, const char *address, struct lq_http *http,
                       struct lq_buf *reply, int timeout_ms, struct lq_error *err)
{
    uint64_t start = lq_clock_us();
    char reason[160];
    for (;;) {
        if (ended(server)) {
            last_line(server, reason, sizeof reason);
            return lq_fail(err, LQ_ERR_UNAVAILABLE, "server ended before it was ready: %s", reason);
        }
        if (is_ready(http, address, reply))
            break;
        if (lq_clock_us() > start + (uint64_t)timeout_ms * 1000) {
            last_line(server, reason, sizeof reason);
            return lq_fail(err, LQ_ERR_TIMEOUT, "server not ready within %d s: %s",
                           timeout_ms / 1000, reason);
        }
        poll(NULL, 0, POLL_MS);
    }
    server->ready_ms = (double)(lq_clock_us() - start) / 1000;
    return LQ_OK;
}

static int wait_ready(struct lq_bench_server *server, const char *path, int timeout_ms,
                      struct lq_error *err)
{
    char address[512];
    struct lq_buf reply;
    struct lq_http *http = NULL;
    if (!lq_url_write(&server->url, path, address, sizeof address))
        return lq_fail(err, LQ_ERR_ARGUMENT, "the server's address is too long");
    lq_buf_init(&reply, READY_BYTES_MAX);
    int status = lq_http_new(&http, err);
    if (status == LQ_OK)
        status = await_ready(server, address, http, &reply, timeout_ms, err);
    lq_http_free(http);
    lq_buf_release(&reply);
    return status;
}

int lq_bench_server_start(struct lq_bench_server *server, char *const argv[],
                          const char *ready_path, int timeout_ms, struct lq_error *err)
{
    int status = spawn(server, argv, -1, err);
    if (status == LQ_OK)
        status = wait_ready(server, ready_path, timeout_ms, err);
    if (status != LQ_OK)
        lq_bench_server_stop(server);
    return status;
}

void lq_bench_server_stop(struct lq_bench_server *server)
{
    uint64_t end = lq_clock_us() + STOP_MS * 1000ull;
    if (server->pid > 0)
        kill(server->pid, SIGTERM);
    while (!ended(server)) {
        if (lq_clock_us() > end)
            kill(server->pid, SIGKILL);
        poll(NULL, 0, POLL_MS);
    }
    if (server->log_fd > 0)
        close(server->log_fd);
    server->log_fd = 0;
}

static int read_all(int fd, uint64_t end_us, struct lq_buf *out, struct lq_error *err)
{
    for (;;) {
        struct pollfd wait = {fd, POLLIN, 0};
        uint64_t now = lq_clock_us();
        if (now >= end_us || poll(&wait, 1, (int)((end_us - now) / 1000) + 1) == 0)
            return lq_fail(err, LQ_ERR_TIMEOUT, "takes too long");
        if (lq_buf_reserve(out, out->len + 4096) != LQ_OK)
            return lq_fail(err, LQ_ERR_TOO_LARGE, "prints too much");
        ssize_t got = read(fd, out->data + out->len, 4096);
        if (got < 0 && errno != EINTR)
            return lq_fail(err, LQ_ERR_IO, "cannot be read: %s", strerror(errno));
        if (got == 0)
            return LQ_OK;
        out->len += got > 0 ? (size_t)got : 0;
    }
}

int lq_bench_run_program(char *const argv[], int timeout_ms, struct lq_buf *out,
                         struct lq_error *err)
{
    struct lq_bench_server program = {0};
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return lq_fail(err, LQ_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    lq_buf_clear(out);
    int status = spawn(&program, argv, pipe_fds[1], err);
    close(pipe_fds[1]);
    if (status == LQ_OK)
        status = read_all(pipe_fds[0], lq_clock_us() + (uint64_t)timeout_ms * 1000, out, err);
    close(pipe_fds[0]);
    if (status == LQ_OK && out->len == 0) {
        char reason[160];
        last_line(&program, reason, sizeof reason);
        status = lq_fail(err, LQ_ERR_UNAVAILABLE, "'%s' printed nothing: %s", argv[0], reason);
    }
    lq_bench_server_stop(&program);
    return status;
}

static double own_cpu_seconds(pid_t pid)
{
    char path[64], text[1024];
    if (pid <= 0)
        return -1;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[len] = 0;
    // The name in parentheses may hold anything; fields 14 and 15 follow its last ')'.
    const char *after = strrchr(text, ')');
    unsigned long user = 0, kernel = 0;
    if (!after || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &kernel) != 2)
        return -1;
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

// Adds the children's time, because a server may leave the work to processes that it starts.
static double children_cpu_seconds(pid_t pid)
{
    char path[64];
    int child;
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fscanf(file, "%d", &child) == 1)
        sum += fmax(own_cpu_seconds(child), 0);
    if (file)
        fclose(file);
    return sum;
}

double lq_process_cpu_seconds(pid_t pid)
{
    double own = own_cpu_seconds(pid);
    return own < 0 ? own : own + children_cpu_seconds(pid);
}
