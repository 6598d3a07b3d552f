// Which system calls the filter denies: each case tries them in a child process.
#include "unit/serve/guard/confined.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int check_calls(void)
{
    struct sockaddr_in nowhere = {.sin_family = AF_INET, .sin_port = htons(9)};
    char *const arguments[] = {(char[]){"/bin/true"}, NULL};
    bool right = tcp >= 0 && !makes(AF_PACKET, SOCK_RAW) && !makes(AF_UNIX, SOCK_STREAM) &&
                 !makes(AF_INET, SOCK_STREAM) && !makes(AF_INET6, SOCK_DGRAM) &&
                 !makes(AF_INET, SOCK_DGRAM) && makes(AF_NETLINK, SOCK_RAW);
    right &= call_is_refused(execv("/bin/true", arguments));
    right &= call_is_refused(bind(tcp, (struct sockaddr *)&nowhere, sizeof nowhere));
    right &= call_is_refused(listen(tcp, 1));
    right &= call_is_refused(connect(tcp, (struct sockaddr *)&nowhere, sizeof nowhere));
    right &= call_is_refused(unshare(CLONE_NEWUSER));
    right &= call_is_refused(syscall(SYS_bpf, 0, NULL, 0));
    right &= call_is_refused(kill(getppid(), 0));
    right &= call_is_refused(syscall(SYS_tgkill, getppid(), getppid(), 0));
    right &= signal(SIGUSR1, SIG_IGN) != SIG_ERR && raise(SIGUSR1) == 0; // it may signal itself
#if !defined(LQ_SANITIZE)
    right &= call_is_refused(fork());
#endif
    return !right;
}

// Calls that always fail with EPERM, whatever their arguments. Without the filter, none of them
// would fail with EPERM for the zeros below (as root).
static const int no_calls[] = {
    SYS_execve, SYS_execveat, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_kill,
    SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_open, SYS_pidfd_getfd,
    SYS_pidfd_send_signal, SYS_process_madvise, SYS_migrate_pages, SYS_ioprio_set, SYS_bind,
    SYS_listen, SYS_mknodat, SYS_shmget, SYS_shmat, SYS_semget, SYS_msgget, SYS_mq_open, SYS_fchmod,
    SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr,
    SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SYS_linkat, SYS_symlinkat,
    SYS_memfd_create, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
    SYS_setresgid, SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_capset, SYS_personality,
    SYS_setsid, SYS_setpgid, SYS_mount, SYS_umount2, SYS_move_mount, SYS_open_tree, SYS_fsopen,
    SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare,
    SYS_reboot, SYS_swapon, SYS_swapoff, SYS_sethostname, SYS_setdomainname, SYS_settimeofday,
    SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_acct, SYS_quotactl, SYS_syslog,
    SYS_vhangup, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
    SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_setup, SYS_io_submit,
    SYS_keyctl, SYS_add_key, SYS_request_key, SYS_fanotify_init, SYS_fanotify_mark, SYS_vmsplice,
    SYS_inotify_init1, SYS_inotify_add_watch, SYS_truncate,
    442 /* mount_setattr */, 443 /* quotactl_fd */, 447 /* memfd_secret */,
    448 /* process_mrelease */,
    452 /* fchmodat2 */, 457 /* statmount */, 458 /* listmount */, 460 /* lsm_set_self_attr */,
    463 /* setxattrat */, 466 /* removexattrat */, 467 /* open_tree_attr */, 469 /* file_setattr */,
#if !defined(LQ_SANITIZE)
    SYS_ptrace,
#endif
#if defined(__x86_64__)
    SYS_fork, SYS_vfork, SYS_chmod, SYS_chown, SYS_lchown, SYS_fchmodat, SYS_utime, SYS_utimes,
    SYS_futimesat, SYS_link, SYS_symlink, SYS_mknod, SYS_iopl, SYS_ioperm, SYS_modify_ldt,
    SYS_kexec_file_load, SYS_uselib, SYS_ustat,
#endif
};

static int check_no_calls(void)
{
    for (size_t i = 0; i < LQ_COUNT(no_calls); i++)
        if (!call_is_refused(syscall(no_calls[i], 0, 0, 0, 0, 0, 0))) {
            print_error("call %d: errno %d\n", no_calls[i], errno);
            return 1;
        }
    // Newer than the filter: as if the kernel were older.
    for (int call = 471; call < 1000; call += 23)
        if (syscall(call, 0, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS)
            return 1;
    return 0;
}

static void calls_that_no_server_needs_are_denied(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, false, check_no_calls), 0);
    assert_int_equal(in_child(lq_sandbox_seccomp, true, check_no_calls), 0);
}

// Attempts to bypass the filter: allowed values with bits set in the register half that the kernel
// ignores, and denied arguments of allowed calls.
static int check_arguments(void)
{
    const unsigned long high = 1ul << 32;
    char line[] = "x";
    struct rlimit limit;
    int terminal = open("/dev/null", O_RDWR), on = 1, left;
    bool right = call_is_refused(ioctl(terminal, TIOCSTI, line));
    right &= call_is_refused(ioctl(terminal, TIOCLINUX, line));
    right &= call_is_refused(syscall(SYS_ioctl, terminal, high | TIOCSTI, line));
    right &= call_is_refused(ioctl(terminal, TIOCSCTTY, 0));
    right &= call_is_refused(ioctl(terminal, TIOCSETD, &on));
    right &= call_is_refused(ioctl(terminal, 0x40086602 /* FS_IOC_SETFLAGS */, &on));
    right &= call_is_refused(ioctl(terminal, 0x5432 /* TCSETX */, &on));
    right &= !call_is_refused(ioctl(tcp, FIONREAD, &left)) && ioctl(tcp, FIONBIO, &on) == 0;
    right &= isatty(terminal) == 0 && errno == ENOTTY;
    right &= call_is_refused(syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, NULL, &limit));
    right &= call_is_refused(syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, NULL, &limit));
    right &= getrlimit(RLIMIT_NOFILE, &limit) == 0;
    right &= syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, NULL, &limit) == 0;
    right &= call_is_refused(syscall(SYS_tgkill, 1, 1, 0));
    right &= call_is_refused(syscall(SYS_setpriority, PRIO_PROCESS, getppid(), 5));
    // netlink protocols other than ROUTE, with and without extra bits in the register
    for (int protocol = 1; protocol < 23; protocol++)
        right &= socket(AF_NETLINK, SOCK_RAW, protocol) < 0;
    right &= socket(AF_NETLINK, SOCK_RAW, 0) >= 0 && socket(AF_NETLINK, SOCK_DGRAM, 0) >= 0;
    right &= syscall(SYS_socket, high | AF_UNIX, SOCK_STREAM, 0) < 0;
    right &= syscall(SYS_socket, high | AF_INET, SOCK_DGRAM, 0) < 0;
    for (int family = 0; family < 64; family++)
        right &= family == AF_NETLINK || !makes(family, SOCK_DGRAM);
    right &= call_is_refused(syscall(SYS_fchmodat, AT_FDCWD, readable, 04755));
    right &= call_is_refused(syscall(SYS_fchmodat, AT_FDCWD, readable, 0666));
    return !right;
}

// Other calls with the effect of denied ones.
static int check_ways_around(void)
{
    struct sockaddr_in nowhere = {.sin_family = AF_INET, .sin_port = htons(9),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct f_owner_ex owner = {F_OWNER_PID, getppid()};
    struct iovec piece = {(char[]){"x"}, 1};
    struct msghdr message = {.msg_name = &nowhere, .msg_namelen = sizeof nowhere, .msg_iov = &piece,
                             .msg_iovlen = 1};
    struct mmsghdr messages[] = {{.msg_hdr = message}};
    struct sched_param none = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/kept", writable);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    // signalling any process through a descriptor
    bool right = call_is_refused(fcntl(tcp, F_SETOWN, getppid()));
    right &= call_is_refused(fcntl(tcp, F_SETOWN_EX, &owner));
    right &= call_is_refused(fcntl(tcp, F_SETSIG, SIGKILL));
    right &= call_is_refused(fcntl(tcp, F_SETLEASE, F_RDLCK));
    right &= call_is_refused(fcntl(tcp, F_NOTIFY, 1));
    right &= call_is_refused(syscall(SYS_fcntl, tcp, 1ul << 32 | F_SETOWN, getppid()));
    right &= fcntl(tcp, F_SETFL, fcntl(tcp, F_GETFL) | O_NONBLOCK) == 0;
    int other = fcntl(tcp, F_DUPFD_CLOEXEC, 0);
    right &= other >= 0 && close(other) == 0;
    // connecting without connect()
    right &= call_is_refused(sendto(tcp, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&nowhere,
                                    sizeof nowhere));
    right &= call_is_refused(sendmsg(tcp, &message, MSG_FASTOPEN | MSG_NOSIGNAL));
    right &= call_is_refused(sendmmsg(tcp, messages, 1, MSG_FASTOPEN));
    // truncating a read-only file
    right &= file >= 0 && write(file, "text", 4) == 4;
    right &= call_is_refused(open(path, O_RDONLY | O_TRUNC));
    right &= call_is_refused(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_TRUNC, 0));
    right &= call_is_refused(syscall(SYS_openat, AT_FDCWD, path, 3 | O_TRUNC, 0));
    right &= syscall(437 /* openat2 */, AT_FDCWD, path, NULL, 0) == -1 && errno == ENOSYS;
    int again = open(path, O_WRONLY | O_TRUNC);
    right &= again >= 0 && unlink(path) == 0;
    // the scheduling of other processes
    right &= call_is_refused(sched_setscheduler(getppid(), SCHED_IDLE, &none));
    right &= call_is_refused(sched_setparam(getppid(), &none));
    right &= sched_setscheduler(0, SCHED_OTHER, &none) == 0;
    return !right;
}

static void ways_around_denied_calls_are_denied(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, false, check_ways_around), 0);
    assert_int_equal(in_child(lq_sandbox_seccomp, true, check_ways_around), 0);
}

static void good_calls_with_bad_arguments_are_denied(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, false, check_arguments), 0);
}

static int check_raw_sockets(void)
{
    bool right = makes(AF_INET, SOCK_STREAM) && makes(AF_INET6, SOCK_STREAM) &&
                 makes(AF_INET, SOCK_DGRAM) && !makes(AF_UNIX, SOCK_STREAM) &&
                 !makes(AF_PACKET, SOCK_RAW) && !makes(AF_VSOCK, SOCK_STREAM) &&
                 !makes(AF_ALG, SOCK_SEQPACKET) && !makes(AF_BLUETOOTH, SOCK_RAW);
    for (int protocol = 1; protocol < 300; protocol++)
        right &= call_is_refused(socket(AF_INET, SOCK_RAW, protocol));
    right &= socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP) >= 0;
    right &= call_is_refused(socket(AF_INET, SOCK_STREAM, 262 /* MPTCP */));
    right &= call_is_refused(socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
    right &= call_is_refused(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
    return !right;
}

static void raw_sockets_are_denied_to_remote_engines(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, true, check_raw_sockets), 0);
}

#if !defined(LQ_SANITIZE)
static int check_clone(void)
{
    static const unsigned long spaces[] = {CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET,
                                           CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP};
    const unsigned long thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    bool right = call_is_refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    right &= call_is_refused(syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0));
    for (size_t i = 0; i < LQ_COUNT(spaces); i++) {
        right &= call_is_refused(syscall(SYS_clone, spaces[i] | SIGCHLD, 0, 0, 0, 0));
        right &= call_is_refused(syscall(SYS_clone, spaces[i] | thread, 0, 0, 0, 0));
    }
    right &= syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS;
    right &= call_is_refused(prctl(PR_SET_DUMPABLE, 1));
    right &= call_is_refused(prctl(PR_SET_PTRACER, -1));
    right &= call_is_refused(prctl(PR_SET_MM, 1, 0, 0, 0));
    right &= prctl(PR_SET_NAME, "test") == 0 && prctl(PR_GET_DUMPABLE) >= 0;
    // The kernel must answer these, not the filter, even on processors without such vectors.
    right &= prctl(51 /* PR_SVE_GET_VL */) >= 0 || errno == EINVAL;
    right &= prctl(64 /* PR_SME_GET_VL */) >= 0 || errno == EINVAL;
    return !right;
}

static void clone_may_only_create_threads(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, false, check_clone), 0);
}
#endif

#if defined(__x86_64__)
// The kernel's calls by the numbers of other ABIs: x32, and 32-bit programs.
static int check_other_numbers(void)
{
    const int x32 = 0x40000000;
    bool right = true;
    for (int call = 0; call < 548; call++)
        right &= call == SYS_rt_sigreturn || call_is_refused(syscall(x32 | call, 0, 0, 0, 0, 0, 0));
    return !right;
}

static int check_old_numbers(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L /* getpid */) : "memory", "r8", "r9",
                     "r10", "r11");
    return (int)result != -EPERM && (int)result != -ENOSYS;
}

static void ignore(int number)
{
    (void)number;
    _exit(0); // this kernel has no such calls
}

static int enter_with_signals(const struct lq_sandbox *confine, struct lq_error *err)
{
    signal(SIGSEGV, ignore);
    return lq_sandbox_seccomp(confine, err);
}

static void calls_of_other_abis_are_denied(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, false, check_other_numbers), 0);
    assert_int_equal(in_child(enter_with_signals, false, check_old_numbers), 0);
}
#endif

static void seccomp_fences_calls(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, false, check_calls), 0);
}

static int enter_with_gpu(const struct lq_sandbox *confine, struct lq_error *err)
{
    struct lq_sandbox with = *confine;
    with.gpu = true;
    return lq_sandbox_seccomp(&with, err);
}

// Requests of GPU drivers: NVIDIA's, its unified memory's, Intel's.
static const unsigned long gpu_requests[] = {0xc00846d6, 33, 0x30000001, 0xc0406400};

static int check_gpu(void)
{
    int null = open("/dev/null", O_RDWR);
    char line = 0;
    bool right = call_is_refused(ioctl(null, TIOCSTI, &line)); // still denied
    for (size_t i = 0; i < LQ_COUNT(gpu_requests); i++)
        right &= !call_is_refused(ioctl(null, gpu_requests[i], 0));
    return !right;
}

static int check_no_gpu(void)
{
    int null = open("/dev/null", O_RDWR);
    bool right = true;
    for (size_t i = 0; i < LQ_COUNT(gpu_requests); i++)
        right &= call_is_refused(ioctl(null, gpu_requests[i], 0));
    return !right;
}

static void gpu_driver_requests_are_allowed_on_demand(void **state)
{
    (void)state;
    assert_int_equal(in_child(enter_with_gpu, false, check_gpu), 0);
    assert_int_equal(in_child(lq_sandbox_seccomp, false, check_no_gpu), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seccomp_fences_calls),
        cmocka_unit_test(gpu_driver_requests_are_allowed_on_demand),
        cmocka_unit_test(calls_that_no_server_needs_are_denied),
        cmocka_unit_test(good_calls_with_bad_arguments_are_denied),
        cmocka_unit_test(ways_around_denied_calls_are_denied),
        cmocka_unit_test(raw_sockets_are_denied_to_remote_engines),
#if !defined(LQ_SANITIZE)
        cmocka_unit_test(clone_may_only_create_threads),
#endif
#if defined(__x86_64__)
        cmocka_unit_test(calls_of_other_abis_are_denied),
#endif
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
