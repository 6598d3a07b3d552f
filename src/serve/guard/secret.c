#include "serve/guard/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/trust.h"

static int check(const char *path, const struct stat *info, struct lq_error *err)
{
    mode_t mode = info->st_mode & 07777;
    if (!S_ISREG(info->st_mode))
        return LQ_OK; // nobody else can read a pipe
    if (mode & S_IWOTH)
        return lq_fail(err, LQ_ERR_ARGUMENT, "anybody may write to '%.120s' (mode %04o): chmod 600 "
                       "it", path, (unsigned)mode);
    bool own = info->st_uid == geteuid() && info->st_uid != 0;
    if (mode & S_IROTH || (own && mode & S_IRGRP))
        lq_log_warn("other users may read '%.120s' (mode %04o): chmod 600 it", path,
                    (unsigned)mode);
    else if (mode & S_IWGRP)
        lq_log_warn("a group may change '%.120s' (mode %04o): chmod g-w it", path, (unsigned)mode);
    struct lq_error why;
    if (lq_trust_path(path, geteuid(), LQ_TRUST_GROUP, &why) == LQ_ERR_AUTH)
        lq_log_warn("another user could replace '%.80s': %s", path, why.text);
    return LQ_OK;
}

int lq_secret_read(const char *path, struct lq_buf *buf, struct lq_error *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    int status = fstat(fd, &info) == 0
                     ? check(path, &info, err)
                     : lq_fail(err, LQ_ERR_IO, "cannot look at '%s': %s", path, strerror(errno));
    if (status == LQ_OK)
        status = lq_file_read_from(fd, path, buf, err);
    close(fd);
    return status;
}
