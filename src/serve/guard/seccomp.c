// The part of the sandbox that restricts system calls, with libseccomp. Calls that a server never
// needs and that attacks on kernels use are denied (EPERM). Calls with both good and bad uses are
// allowed only with the arguments of the good ones. Calls newer than this list do not exist
// (ENOSYS), as on an older kernel. It is not an allow list: there are many inference libraries, and
// each may need a call that the last one did not.
//
// Sources: seccomp(2), the manual pages of the calls, seccomp_rule_add(3).
#include "serve/guard/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KNOWN_MAX = 470,   // the newest call considered here: listns of Linux 6.19
    FUTURE_MAX = 1023, // up to this number: future calls
    REFUSE = SCMP_ACT_ERRNO(EPERM),
    MISSING = SCMP_ACT_ERRNO(ENOSYS),
};

static const char *const refused[] = {
    // other programs, other processes
    "execve", "execveat", "fork", "vfork", "process_vm_readv", "process_vm_writev", "kcmp",
    "pidfd_getfd", "pidfd_open", "pidfd_send_signal", "process_madvise", "process_mrelease", "kill",
    "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "migrate_pages", "ioprio_set",
#if !defined(LQ_SANITIZE) // the leak check of AddressSanitizer traces its own process
    "ptrace",
#endif
    // new addresses to listen at, and ways to other processes that bypass files
    "bind", "listen", "mknod", "mknodat", "shmget", "shmat", "shmctl", "shmdt", "semget", "semop",
    "semctl", "semtimedop", "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink",
    "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr",
    // owners and modes of files, which Landlock does not check
    "chmod", "fchmod", "chown", "fchown", "lchown", "fchownat", "utime", "utimes",
    "utimensat", "futimesat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr",
    "fremovexattr", "truncate", "truncate64", "link", "linkat", "symlink", "symlinkat",
    // memory for code that is in no file
    "memfd_create", "memfd_secret",
    // the process's identity
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid",
    "setgroups", "capset", "personality", "setsid", "setpgid",
    // the system's own state
    "mount", "umount", "umount2", "mount_setattr", "move_mount", "open_tree", "fsopen", "fsconfig",
    "fsmount", "fspick", "pivot_root", "chroot", "setns", "unshare", "reboot", "swapon", "swapoff",
    "sethostname", "setdomainname", "settimeofday", "stime", "clock_settime", "clock_settime64",
    "clock_adjtime", "clock_adjtime64", "adjtimex", "acct", "quotactl", "quotactl_fd", "syslog",
    "vhangup", "uselib", "ustat", "sysfs", "_sysctl", "nfsservctl", "lookup_dcookie",
    "create_module", "init_module", "finit_module", "delete_module", "query_module",
    "get_kernel_syms", "kexec_load", "kexec_file_load", "open_by_handle_at", "name_to_handle_at",
    "iopl", "ioperm", "modify_ldt", "vm86", "vm86old",
    // large attack surfaces
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "io_setup", "io_submit", "io_cancel", "io_destroy", "io_getevents",
    "io_pgetevents", "keyctl", "add_key", "request_key", "fanotify_init", "fanotify_mark",
    "inotify_init", "inotify_init1", "inotify_add_watch", "vmsplice", "tee",
};

// Calls too new for Debian 12's libseccomp to know by name; their numbers are the same on every
// architecture.
static const int refused_newer[] = {
    452, // fchmodat2
    457, 458, // statmount, listmount
    459, 460, 461, // lsm_get_self_attr, lsm_set_self_attr, lsm_list_modules
    463, 466, // setxattrat, removexattrat
    467, 469, 470, // open_tree_attr, file_setattr, listns
};

// ioctl requests of terminals and sockets: those that only query, and those that C libraries make
// by themselves. None that inserts characters into a terminal (TIOCSTI, TIOCLINUX).
static const unsigned requests[] = {TCGETS, TIOCGWINSZ, TIOCGPGRP, TIOCOUTQ, FIONREAD, FIONBIO,
                                    FIOCLEX, FIONCLEX, SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS,
                                    SIOCGIFADDR, SIOCGIFINDEX};

// fcntl commands for the process's own descriptors. Not F_SETOWN and F_SETSIG, which make the
// kernel send any signal to any process of the same user.
static const int commands[] = {
    F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_GETOWN, F_OFD_GETLK,
    F_OFD_SETLK, F_OFD_SETLKW, F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS,
    F_GET_SEALS};

#if !defined(LQ_SANITIZE)
// With the last two OpenVINO queries the vector length of an ARM64 processor with SVE or SME.
static const int controls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_PDEATHSIG,
                               PR_GET_PDEATHSIG, PR_GET_SECCOMP, PR_SET_NO_NEW_PRIVS,
                               PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ, PR_SET_TIMERSLACK,
                               PR_GET_TIMERSLACK, PR_GET_TID_ADDRESS, PR_SET_THP_DISABLE,
                               PR_GET_THP_DISABLE, 0x53564d41 /* PR_SET_VMA: names for memory */,
                               51 /* PR_SVE_GET_VL */, 64 /* PR_SME_GET_VL */};
#endif

// The filter under construction. The first failure is kept.
struct filter {
    scmp_filter_ctx context;
    int failed; // a negative errno, 0: none
    bool decided[FUTURE_MAX + 1]; // calls that already have rules
};

static void add(struct filter *filter, uint32_t action, int call, unsigned count,
                const struct scmp_arg_cmp *arguments)
{
    if (call < 0 || call > FUTURE_MAX)
        return; // not on this machine
    filter->decided[call] = true;
    if (action == REFUSE)
        return; // the default
    int failed = seccomp_rule_add_array(filter->context, action, call, count, arguments);
    if (failed && !filter->failed)
        filter->failed = failed;
}

static int number(const char *name)
{
    return seccomp_syscall_resolve_name(name);
}

// Allows a call with these arguments; with others the default denies it. Whole registers are
// compared unless `mask` says otherwise, so that values in the register half that the kernel
// ignores cannot open anything.
static void allow_if(struct filter *filter, const char *name, unsigned index, uint64_t value)
{
    add(filter, SCMP_ACT_ALLOW, number(name), 1,
        &(struct scmp_arg_cmp){index, SCMP_CMP_EQ, value, 0});
}

static void allow_masked(struct filter *filter, const char *name, unsigned index, uint64_t mask,
                         uint64_t value)
{
    add(filter, SCMP_ACT_ALLOW, number(name), 1,
        &(struct scmp_arg_cmp){index, SCMP_CMP_MASKED_EQ, mask, value});
}

// Allows sockets of this family, type (without its flags) and protocol.
static void allow_socket(struct filter *filter, int family, int type, int protocol)
{
    const struct scmp_arg_cmp arguments[] = {
        {0, SCMP_CMP_EQ, (uint64_t)family, 0},
        {1, SCMP_CMP_MASKED_EQ, ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), (uint64_t)type},
        {2, SCMP_CMP_EQ, (uint64_t)protocol, 0},
    };
    add(filter, SCMP_ACT_ALLOW, number("socket"), LQ_COUNT(arguments), arguments);
}

// Datagrams can be sent anywhere without connecting, so a server that needs no other server may
// only create the socket that asks the kernel for its addresses (NETLINK_ROUTE is protocol 0).
// Local sockets are denied too: Landlock does not restrict connecting to paths on which other
// programs (such as a container engine) listen.
static void allow_sockets(struct filter *filter, bool connect)
{
    static const int internet[] = {AF_INET, AF_INET6};
    allow_socket(filter, AF_NETLINK, SOCK_RAW, 0);
    allow_socket(filter, AF_NETLINK, SOCK_DGRAM, 0);
    for (size_t i = 0; connect && i < LQ_COUNT(internet); i++) {
        allow_socket(filter, internet[i], SOCK_STREAM, 0);
        allow_socket(filter, internet[i], SOCK_STREAM, IPPROTO_TCP);
        allow_socket(filter, internet[i], SOCK_DGRAM, 0);
        allow_socket(filter, internet[i], SOCK_DGRAM, IPPROTO_UDP);
    }
    // Libraries try several families and handle this error.
    for (int family = 0; family < 64; family++)
        if (family != AF_NETLINK && (!connect || (family != AF_INET && family != AF_INET6)))
            add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), number("socket"), 1,
                &(struct scmp_arg_cmp){0, SCMP_CMP_EQ, (uint64_t)family, 0});
    if (!connect)
        add(filter, REFUSE, number("connect"), 0, NULL);
}

// GPU drivers are used through ioctl: NVIDIA's with type 'F', its unified memory with plain numbers
// and 0x30000001, Intel's with type 'd' (DRM). Landlock decides which devices may be opened.
static void allow_gpu(struct filter *filter)
{
    static const struct { uint64_t mask, value; } requests_of[] = {
        {0xff00, 'F' << 8}, {0xff00, 'd' << 8}, {0xffffff00, 0}, {UINT32_MAX, 0x30000001}};
    for (size_t i = 0; i < LQ_COUNT(requests_of); i++)
        allow_masked(filter, "ioctl", 1, requests_of[i].mask, requests_of[i].value);
}

// clone may only create threads, none of them in a new namespace. The other calls may only concern
// the process itself.
static void allow_with_arguments(struct filter *filter)
{
    uint64_t self = (uint64_t)getpid();
    allow_if(filter, "tgkill", 0, self); // as abort() does
    // OpenVINO makes its cache files read-only and gives up if it cannot. The call is reported as
    // successful without being made, because only the owner can access the folder anyway. Any other
    // mode is denied.
    add(filter, SCMP_ACT_ERRNO(0), number("fchmodat"), 1,
        &(struct scmp_arg_cmp){2, SCMP_CMP_EQ, S_IRUSR | S_IRGRP, 0});
    allow_if(filter, "prlimit64", 0, 0);
    allow_if(filter, "prlimit64", 0, self);
    allow_if(filter, "move_pages", 0, 0);
    allow_if(filter, "setpriority", 1, 0);
    static const char *const scheduling[] = {"sched_setscheduler", "sched_setparam",
                                             "sched_setattr"};
    for (size_t i = 0; i < LQ_COUNT(scheduling); i++) {
        allow_if(filter, scheduling[i], 0, 0);
        allow_if(filter, scheduling[i], 0, self);
    }
    for (size_t i = 0; i < LQ_COUNT(requests); i++)
        allow_masked(filter, "ioctl", 1, UINT32_MAX, requests[i]);
#if !defined(LQ_SANITIZE)
    const uint64_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE;
    allow_masked(filter, "clone", 0, CLONE_THREAD | spaces, CLONE_THREAD);
    // A filter cannot read clone3's arguments in memory. If the call does not exist, C libraries
    // use clone.
    add(filter, MISSING, number("clone3"), 0, NULL);
    for (size_t i = 0; i < LQ_COUNT(controls); i++)
        allow_masked(filter, "prctl", 0, UINT32_MAX, (uint32_t)controls[i]);
#endif
}

// Opening for reading can also truncate a file, which Landlock only checks from Linux 6.2 on. So
// truncation is only allowed when opening for writing.
static void allow_opening(struct filter *filter, const char *name, unsigned flags_at)
{
    allow_masked(filter, name, flags_at, O_TRUNC, 0);
    allow_masked(filter, name, flags_at, O_ACCMODE, O_WRONLY);
    allow_masked(filter, name, flags_at, O_ACCMODE, O_RDWR);
}

static void allow_files_and_messages(struct filter *filter)
{
    for (size_t i = 0; i < LQ_COUNT(commands); i++)
        allow_masked(filter, "fcntl", 1, UINT32_MAX, (uint32_t)commands[i]);
    allow_opening(filter, "open", 1);
    allow_opening(filter, "openat", 2);
    add(filter, MISSING, number("openat2"), 0, NULL); // flags in unreadable memory
    // Sending with TCP Fast Open would connect without `connect`.
    allow_masked(filter, "sendto", 3, MSG_FASTOPEN, 0);
    allow_masked(filter, "sendmsg", 2, MSG_FASTOPEN, 0);
    allow_masked(filter, "sendmmsg", 3, MSG_FASTOPEN, 0);
}

static void write_rules(struct filter *filter, const struct lq_sandbox *sandbox)
{
    for (size_t i = 0; i < LQ_COUNT(refused); i++)
        add(filter, REFUSE, number(refused[i]), 0, NULL);
    for (size_t i = 0; i < LQ_COUNT(refused_newer); i++)
        add(filter, REFUSE, refused_newer[i], 0, NULL);
    allow_sockets(filter, sandbox->connect);
    allow_with_arguments(filter);
    if (sandbox->gpu)
        allow_gpu(filter);
    allow_files_and_messages(filter);
    for (int call = 0; call <= FUTURE_MAX; call++)
        if (!filter->decided[call])
            add(filter, call <= KNOWN_MAX ? SCMP_ACT_ALLOW : MISSING, call, 0, NULL);
}

int lq_sandbox_seccomp(const struct lq_sandbox *sandbox, struct lq_error *err)
{
    if (prctl(PR_GET_SECCOMP) < 0 && errno == EINVAL)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "this kernel has no seccomp filters");
    struct filter filter = {.context = seccomp_init(REFUSE)};
    if (!filter.context)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    // System calls of the kernel's other ABIs (32 bits, x32) are denied too, because their numbers
    // mean other calls. The filter is a tree, because the event loop makes many calls.
    filter.failed = seccomp_attr_set(filter.context, SCMP_FLTATR_ACT_BADARCH, REFUSE);
    if (filter.failed == 0)
        filter.failed = seccomp_attr_set(filter.context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (filter.failed == 0) // report the kernel's own error codes
        filter.failed = seccomp_attr_set(filter.context, SCMP_FLTATR_API_SYSRAWRC, 1);
    write_rules(&filter, sandbox);
    if (filter.failed == 0)
        filter.failed = seccomp_load(filter.context);
    seccomp_release(filter.context);
    if (filter.failed == 0)
        return LQ_OK;
    if (filter.failed == -EINVAL || filter.failed == -ENOSYS)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "this kernel has no seccomp filters");
    if (filter.failed == -ENOMEM)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    return lq_fail(err, LQ_ERR_IO, "cannot restrict system calls: %s; --no-sandbox turns the "
                                   "sandbox off",
                   strerror(-filter.failed));
}
