// The part of the sandbox that restricts files and TCP: Landlock, through its three system calls,
// because it needs no library and old C headers lack its newer rights.
#include "serve/guard/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Parts of linux/landlock.h of Linux 6.12 that Debian 12's header lacks, under our own names.
enum {
    SYS_CREATE = 444, SYS_ADD = 445, SYS_RESTRICT = 446, // the same on every architecture
    ABI_QUESTION = 1 << 0,
    RULE_PATH = 1,
    ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_NET = 4, ABI_IOCTL = 5, ABI_SCOPE = 6,
};

#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_ALL_ABI_1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL (UINT64_C(1) << 15)
#define NET_BIND (UINT64_C(1) << 0)
#define NET_CONNECT (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset {
    uint64_t fs, net, scope;
};

struct path_rule {
    uint64_t allowed;
    int32_t folder;
} __attribute__((packed));

static const uint64_t reading = FS_READ_FILE | FS_READ_DIR;

static struct ruleset everything(long abi)
{
    struct ruleset rules = {.fs = FS_ALL_ABI_1};
    rules.fs |= abi >= ABI_REFER ? FS_REFER : 0;
    rules.fs |= abi >= ABI_TRUNCATE ? FS_TRUNCATE : 0;
    rules.fs |= abi >= ABI_IOCTL ? FS_IOCTL : 0;
    rules.net = abi >= ABI_NET ? NET_BIND | NET_CONNECT : 0;
    rules.scope = abi >= ABI_SCOPE ? SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL : 0;
    return rules;
}

// A path that cannot be opened needs no rule: access stays denied.
static bool allow(int rules, const char *path, uint64_t rights)
{
    struct path_rule rule = {.folder = open(path, O_PATH | O_CLOEXEC)};
    struct stat info;
    if (rule.folder < 0)
        return true;
    bool known = fstat(rule.folder, &info) == 0;
    // A file must not get rights that apply only to folders; a device may also have ioctl.
    if (known && !S_ISDIR(info.st_mode))
        rights &= FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE |
                  (S_ISCHR(info.st_mode) ? FS_IOCTL : 0);
    rule.allowed = rights;
    bool done = known && syscall(SYS_ADD, rules, RULE_PATH, &rule, 0) == 0;
    close(rule.folder);
    return done;
}

static bool allow_all(int rules, const struct lq_sandbox *sandbox, uint64_t known)
{
    const uint64_t writing = (reading | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE |
                              FS_MAKE_DIR | FS_MAKE_REG | FS_REFER | FS_TRUNCATE |
                              FS_IOCTL) & known;
    for (int i = 0; i < sandbox->read_count; i++)
        if (!allow(rules, sandbox->read[i], reading))
            return false;
    for (int i = 0; i < sandbox->write_count; i++)
        if (!allow(rules, sandbox->write[i], writing))
            return false;
    return true;
}

int lq_sandbox_landlock(const struct lq_sandbox *sandbox, struct lq_error *err)
{
    long abi = syscall(SYS_CREATE, NULL, 0, ABI_QUESTION);
    if (abi < 1)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "this kernel has no Landlock");
    struct ruleset wanted = everything(abi);
    if (sandbox->connect) {
        wanted.net &= ~NET_CONNECT;
        wanted.scope &= ~SCOPE_ABSTRACT_SOCKET;
    }
    size_t size = abi >= ABI_SCOPE ? sizeof wanted : abi >= ABI_NET ? 16 : 8;
    int rules = (int)syscall(SYS_CREATE, &wanted, size, 0);
    bool done = rules >= 0 && allow_all(rules, sandbox, wanted.fs) &&
                syscall(SYS_RESTRICT, rules, 0) == 0;
    int status = done ? LQ_OK
                      : lq_fail(err, LQ_ERR_IO, "cannot enter the sandbox: %s; --no-sandbox turns "
                                                "it off", strerror(errno));
    if (rules >= 0)
        close(rules);
    return status;
}
