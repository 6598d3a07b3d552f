// Opens many connections to a server on this machine, for tests/e2e/storm.py: RATE a second, each
// from one of many loopback addresses. Each does one thing and then resets the connection.
//
//   bench-storm PORT RATE SECONDS KINDS      KINDS, in turn: c  connects and sends nothing
//                                                            t  performs a TLS handshake
//                                                            w  opens a WebSocket without TLS
//                                                            s  opens a WebSocket with TLS
//
// Prints one JSON line: how many of each kind succeeded, how many failed, and how long it took. A
// thread that is late catches up, so that the mean rate is kept.
// Threads: each opens its own connections, one at a time. Owner: main.
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

enum { THREADS = 32, ADDRESSES = 250, TIMEOUT_S = 5, KINDS_MAX = 32 };

struct storm {
    int port, rate, seconds;
    const char *kinds;
    SSL_CTX *tls;
    struct timespec begin;
};

struct thread {
    const struct storm *storm;
    int number;
    pthread_t thread;
    long done[128], failed[128]; // by kind
};

static double since(const struct timespec *begin)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

static int open_from(int address, int port)
{
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    const struct linger reset = {.l_onoff = 1};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f000100 + (uint32_t)address)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
        connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool upgrade(int fd, SSL *tls)
{
    static const char request[] =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: lacquer.v1\r\n\r\n";
    static const char wanted[] = "HTTP/1.1 101";
    char reply[512];
    const int len = sizeof request - 1;
    if ((tls ? SSL_write(tls, request, len) : (int)send(fd, request, (size_t)len, 0)) != len)
        return false;
    int got = tls ? SSL_read(tls, reply, sizeof reply) : (int)recv(fd, reply, sizeof reply, 0);
    return got > (int)sizeof wanted && memcmp(reply, wanted, sizeof wanted - 1) == 0;
}

static bool visit(const struct storm *storm, int address, char kind)
{
    int fd = open_from(address, storm->port);
    if (fd < 0)
        return false;
    bool secure = kind == 't' || kind == 's', done = true;
    SSL *tls = secure ? SSL_new(storm->tls) : NULL;
    if (secure)
        done = tls && SSL_set_fd(tls, fd) && SSL_connect(tls) == 1;
    if (done && (kind == 'w' || kind == 's'))
        done = upgrade(fd, tls);
    SSL_free(tls);
    close(fd);
    return done;
}

static void *run(void *context)
{
    struct thread *thread = context;
    const struct storm *storm = thread->storm;
    const size_t kind_count = strlen(storm->kinds);
    const long count = (long)storm->rate * storm->seconds;
    for (long i = thread->number; i < count && since(&storm->begin) < storm->seconds;
         i += THREADS) {
        double wait = (double)i / storm->rate - since(&storm->begin);
        if (wait > 0)
            usleep((useconds_t)(wait * 1e6));
        char kind = storm->kinds[(size_t)(i + i / THREADS) % kind_count];
        bool done = visit(storm, 1 + (int)(i % ADDRESSES), kind);
        (done ? thread->done : thread->failed)[(int)kind]++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct thread threads[THREADS] = {0};
    if (argc != 5 || strlen(argv[4]) > KINDS_MAX || strspn(argv[4], "ctws") != strlen(argv[4])) {
        fprintf(stderr, "bench-storm PORT RATE SECONDS KINDS (of c, t, w, s)\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct storm storm = {.port = (int)strtol(argv[1], NULL, 10),
                          .rate = (int)strtol(argv[2], NULL, 10),
                          .seconds = (int)strtol(argv[3], NULL, 10), .kinds = argv[4],
                          .tls = SSL_CTX_new(TLS_client_method())};
    if (!storm.tls || storm.rate <= 0)
        return 2;
    SSL_CTX_set_verify(storm.tls, SSL_VERIFY_NONE, NULL);
    clock_gettime(CLOCK_MONOTONIC, &storm.begin);
    for (int i = 0; i < THREADS; i++) {
        threads[i].storm = &storm;
        threads[i].number = i;
        if (pthread_create(&threads[i].thread, NULL, run, &threads[i]) != 0)
            return 2;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i].thread, NULL);
    printf("{\"seconds\": %.2f", since(&storm.begin));
    for (const char *kind = "ctws"; *kind; kind++) {
        long done = 0, failed = 0;
        for (int i = 0; i < THREADS; i++) {
            done += threads[i].done[(int)*kind];
            failed += threads[i].failed[(int)*kind];
        }
        printf(", \"%c\": [%ld, %ld]", *kind, done, failed);
    }
    printf("}\n");
    SSL_CTX_free(storm.tls);
    return 0;
}
