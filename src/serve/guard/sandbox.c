#include "serve/guard/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

static void add(const char *paths[LQ_SANDBOX_PATHS_MAX], int *count, const char *path)
{
    if (path && *path && *count < LQ_SANDBOX_PATHS_MAX)
        paths[(*count)++] = path;
}

void lq_sandbox_read(struct lq_sandbox *sandbox, const char *path)
{
    add(sandbox->read, &sandbox->read_count, path);
}

void lq_sandbox_write(struct lq_sandbox *sandbox, const char *path)
{
    add(sandbox->write, &sandbox->write_count, path);
}

int lq_sandbox_user(const char *name, struct lq_error *err)
{
    errno = 0;
    const struct passwd *user = getpwnam(name);
    if (!user)
        return lq_fail(err, LQ_ERR_ARGUMENT, "there is no user '%.60s'", name);
    if (user->pw_uid == 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.60s' is root: name a user without rights", name);
    if (initgroups(name, user->pw_gid) != 0 ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot become user '%.60s': %s", name,
                       errno == EPERM ? "only root can" : strerror(errno));
    if (setuid(0) == 0 || geteuid() != user->pw_uid || getegid() != user->pw_gid)
        return lq_fail(err, LQ_ERR_IO, "root rights could be regained after becoming "
                                       "'%.60s'", name);
    setenv("HOME", user->pw_dir, 1);
    return LQ_OK;
}

void lq_sandbox_memory(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0);
}

int lq_sandbox_enter(const struct lq_sandbox *sandbox, struct lq_error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return lq_fail(err, LQ_ERR_IO, "cannot set no_new_privs: %s", strerror(errno));
    int status = lq_sandbox_landlock(sandbox, err);
    if (status == LQ_ERR_UNAVAILABLE)
        lq_log_warn("%s: access to files and network is not restricted", err->text);
    if (status == LQ_OK || status == LQ_ERR_UNAVAILABLE)
        status = lq_sandbox_seccomp(sandbox, err);
    if (status == LQ_ERR_UNAVAILABLE) {
        lq_log_warn("%s: system calls are not restricted", err->text);
        status = LQ_OK;
    }
    return status;
}
