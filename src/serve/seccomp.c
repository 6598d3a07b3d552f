// The half of the sandbox that fences system calls: a seccomp filter, written out since it is short.
// It refuses what a server never needs and what attacks on kernels begin with. It is no list of all
// that is allowed: inference libraries are many, and each may call what the last did not.
#include "serve/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE AUDIT_ARCH_AARCH64
#endif

// Calls that get EPERM.
static const int refused[] = {
    // other programs, other processes
    SYS_execve, SYS_execveat, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
    SYS_pidfd_getfd, SYS_pidfd_open, SYS_pidfd_send_signal, SYS_kill, SYS_tkill,
    SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
#if !defined(LQ_SANITIZE) // the leak check of AddressSanitizer traces its own process
    SYS_ptrace,
#endif
#if defined(SYS_fork)
    SYS_fork, SYS_vfork,
#endif
    // new places to be reached at
    SYS_bind, SYS_listen,
    // the system's own state
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_reboot,
    SYS_swapon, SYS_swapoff, SYS_sethostname, SYS_setdomainname, SYS_settimeofday,
    SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_acct, SYS_quotactl, SYS_syslog,
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_open_by_handle_at,
    SYS_name_to_handle_at, SYS_fsopen, SYS_fsmount, SYS_move_mount, SYS_open_tree,
#if defined(SYS_iopl)
    SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_kexec_file_load,
#endif
    // large attack surfaces
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_personality,
};

// Sockets that may be made. Datagrams reach anywhere without connecting, so that who needs no other
// server makes none but for asking the kernel which addresses it has. What other programs listen for
// at paths (a container engine, say) Landlock does not fence.
static const int families[] = {AF_NETLINK, AF_INET, AF_INET6};

enum { CODE_MAX = 256 };

struct program {
    struct sock_filter code[CODE_MAX];
    unsigned short len;
};

static void add(struct program *program, uint16_t code, uint8_t yes, uint8_t no, uint32_t value)
{
    if (program->len < CODE_MAX)
        program->code[program->len++] = (struct sock_filter){code, yes, no, value};
}

static void load(struct program *program, size_t offset)
{
    add(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void answer(struct program *program, uint32_t action)
{
    add(program, BPF_RET | BPF_K, 0, 0, action);
}

// Whatever was loaded: if it is `value`, ends with `action`.
static void answer_if(struct program *program, uint32_t value, uint32_t action)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    answer(program, action);
}

static void load_argument(struct program *program, int index)
{
    // The low half: both machines are little-endian.
    load(program, offsetof(struct seccomp_data, args) + 8 * (size_t)index);
}

#if defined(THIS_MACHINE)
static void write_program(struct program *program, const struct lq_confine *confine)
{
    const uint32_t no = SECCOMP_RET_ERRNO | EPERM;
    load(program, offsetof(struct seccomp_data, arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, THIS_MACHINE);
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    add(program, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000); // the x32 numbers
    answer(program, no);
#endif
    for (size_t i = 0; i < LQ_COUNT(refused); i++)
        answer_if(program, (uint32_t)refused[i], no);
    if (!confine->connect)
        answer_if(program, SYS_connect, no);
    // tgkill: to itself, as abort() does.
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_tgkill);
    load_argument(program, 0);
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (uint32_t)getpid());
    answer(program, no);
    answer(program, SECCOMP_RET_ALLOW);
#if !defined(LQ_SANITIZE)
    // A filter cannot look into clone3's memory; told that there is none, C libraries use clone.
    answer_if(program, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    // clone: threads only.
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_clone);
    load_argument(program, 0);
    add(program, BPF_JMP | BPF_JSET | BPF_K, 1, 0, CLONE_THREAD);
    answer(program, no);
    answer(program, SECCOMP_RET_ALLOW);
#endif
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_socket);
    answer(program, SECCOMP_RET_ALLOW);
    load_argument(program, 0);
    for (size_t i = 0; i < (confine->connect ? LQ_COUNT(families) : 1); i++)
        answer_if(program, (uint32_t)families[i], SECCOMP_RET_ALLOW);
    answer(program, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
}

int lq_confine_seccomp(const struct lq_confine *confine, struct lq_error *err)
{
    struct program program = {.len = 0};
    write_program(&program, confine);
    struct sock_fprog filter = {program.len, program.code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0)
        return LQ_OK;
    if (errno == EINVAL)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "this kernel has no seccomp filters");
    return lq_fail(err, LQ_ERR_IO, "cannot fence system calls: %s; --no-sandbox does without",
                   strerror(errno));
}
#else
int lq_confine_seccomp(const struct lq_confine *confine, struct lq_error *err)
{
    (void)confine;
    return lq_fail(err, LQ_ERR_UNAVAILABLE, "the seccomp filter does not know this processor");
}
#endif
