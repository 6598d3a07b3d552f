#include "base/cgroup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "unit/unit.h"

static char root[64];

// Writes a file of the tree, with the folders above it.
static void put(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void begin(const char *cgroup, const char *mounts)
{
    snprintf(root, sizeof root, "/tmp/lacquer-cgroup-XXXXXX");
    assert_non_null(mkdtemp(root));
    if (cgroup)
        put("/proc/self/cgroup", cgroup);
    if (mounts)
        put("/proc/self/mountinfo", mounts);
}

// Checks the number of cores found, and in which file below the root.
static void expect(double cores, const char *file)
{
    struct lq_cgroup_quota quota;
    char command[128];
    lq_cgroup_read(&quota, root);
    if (fabs(quota.cores - cores) > 1e-9)
        fail_msg("%g cores, not %g", quota.cores, cores);
    if (file)
        assert_string_equal(quota.file + strlen(root), file);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    assert_ok(system(command));
}

#define OTHERS "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" \
               "23 22 0:5 / /proc rw,nosuid shared:2 - proc proc rw\n"
#define V2 OTHERS "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void test_v2(void **state)
{
    (void)state;
    begin("0::/\n", V2); // a container's own namespace
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    expect(2, "/sys/fs/cgroup/cpu.max");
    begin("0::/system.slice/lacquer.service\n", V2); // CPUQuota=150%
    put("/sys/fs/cgroup/system.slice/lacquer.service/cpu.max", "150000 100000\n");
    put("/sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
    expect(1.5, "/sys/fs/cgroup/system.slice/lacquer.service/cpu.max");
    begin("0::/a.slice/b.slice/c.scope\n", V2); // the slice around it has less
    put("/sys/fs/cgroup/a.slice/b.slice/c.scope/cpu.max", "400000 100000\n");
    put("/sys/fs/cgroup/a.slice/cpu.max", "25000 50000\n");
    expect(0.5, "/sys/fs/cgroup/a.slice/cpu.max");
    begin("0::/x\n", V2);
    put("/sys/fs/cgroup/x/cpu.max", "max 100000\n");
    expect(0, NULL);
}

static void test_v2_mounted_in_part(void **state)
{
    (void)state;
    // cgroupns=host: the path is the host's, but only the container's part of the tree is mounted.
    begin("0::/docker/1f/inner\n",
          OTHERS "30 22 0:26 /docker/1f /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    put("/sys/fs/cgroup/cpu.max", "300000 100000");
    put("/sys/fs/cgroup/inner/cpu.max", "100000 100000");
    expect(1, "/sys/fs/cgroup/inner/cpu.max");
    // A path outside the mounted tree: the top of the mounted tree counts.
    begin("0::/../../other\n", OTHERS "30 22 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    put("/sys/fs/cgroup/cpu.max", "100000 100000");
    expect(1, "/sys/fs/cgroup/cpu.max");
    begin("0::/docker/1f2\n",
          OTHERS "30 22 0:26 /docker/1f /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    put("/sys/fs/cgroup/cpu.max", "100000 100000");
    put("/sys/fs/cgroup/2/cpu.max", "50000 100000"); // not ours: /docker/1f2 only begins like it
    expect(1, "/sys/fs/cgroup/cpu.max");
    // Mounted elsewhere, under a name with a space.
    begin("0::/x\n", OTHERS "30 22 0:26 / /mnt/all\\040groups rw - cgroup2 none rw\n");
    put("/mnt/all groups/x/cpu.max", "100000 100000");
    expect(1, "/mnt/all groups/x/cpu.max");
}

#define V1 OTHERS "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" \
                  "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
#define CPU "/sys/fs/cgroup/cpu,cpuacct"

static void put_v1(const char *folder, const char *quota, const char *period)
{
    char name[256];
    snprintf(name, sizeof name, "%s/cpu.cfs_quota_us", folder);
    put(name, quota);
    snprintf(name, sizeof name, "%s/cpu.cfs_period_us", folder);
    put(name, period);
}

static void test_v1(void **state)
{
    (void)state;
    static const char place[] = "5:cpuset:/z\n4:cpuacct,cpu:/docker/1f\n1:name=systemd:/z\n";
    begin(place, V1);
    put_v1(CPU "/docker/1f", "100000\n", "100000\n");
    put_v1(CPU "/docker", "-1\n", "100000\n");
    put_v1(CPU "/z", "1000\n", "100000\n"); // another controller's place
    expect(1, CPU "/docker/1f/cpu.cfs_quota_us");
    begin(place, V1);
    put_v1(CPU "/docker/1f", "-1\n", "100000\n");
    put_v1(CPU "/docker", "125000\n", "50000\n");
    expect(2.5, CPU "/docker/cpu.cfs_quota_us");
    // Docker mounts only the container's own part.
    begin(place, OTHERS "32 31 0:29 /docker/1f " CPU " ro - cgroup cgroup rw,cpu,cpuacct\n");
    put_v1(CPU, "50000\n", "100000\n");
    expect(0.5, CPU "/cpu.cfs_quota_us");
    begin(place, V1);
    put_v1(CPU "/docker/1f", "-1\n", "100000\n");
    expect(0, NULL);
}

static void test_both(void **state)
{
    (void)state;
    // systemd mounts version 2 for itself, but the cpu controller is in version 1's tree.
    begin("4:cpu:/a\n0::/b\n",
          OTHERS "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                 "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
    put_v1("/sys/fs/cgroup/cpu/a", "300000\n", "100000\n");
    put("/sys/fs/cgroup/unified/b/cgroup.procs", "");
    expect(3, "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us");
}

static void test_missing_information(void **state)
{
    (void)state;
    begin(NULL, NULL);
    put("/sys/fs/cgroup/cpu.max", "100000 100000\n");
    expect(1, "/sys/fs/cgroup/cpu.max");
    begin(NULL, NULL);
    put_v1("/sys/fs/cgroup/cpu", "200000\n", "100000\n");
    expect(2, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    begin(NULL, NULL);
    expect(0, NULL);
    begin("0::/\n", OTHERS); // nothing is mounted
    expect(0, NULL);
    static const char *const wrong[] = {"", "max", "0 100000", "-5 100000", "100000", "x y",
                                        "100000 0"};
    for (size_t i = 0; i < LQ_COUNT(wrong); i++) {
        begin("0::/\n", V2);
        put("/sys/fs/cgroup/cpu.max", wrong[i]);
        expect(0, NULL);
    }
    static const char *const lines[] = {"", "\n", "0", "0:", "0::", "0::x\n", ":::\n",
                                        "a b c d e f\n",
                                        "1 2 3 / - cgroup2\n", "- cgroup2 x rw"};
    for (size_t i = 0; i < LQ_COUNT(lines); i++) {
        begin(lines[i], lines[i]);
        expect(0, NULL);
    }
}

static void test_long_lines(void **state)
{
    (void)state;
    char *mounts = malloc(40000);
    int len = snprintf(mounts, 40000, "30 22 0:1 / / rw - overlay overlay rw,lowerdir=");
    memset(mounts + len, 'x', 20000);
    snprintf(mounts + len + 20000, 20000 - (size_t)len, "\n%s", V2);
    begin("0::/x\n", mounts);
    put("/sys/fs/cgroup/x/cpu.max", "100000 100000");
    expect(1, "/sys/fs/cgroup/x/cpu.max");
    memset(mounts, 'y', 3000);
    memcpy(mounts, "0::/", 4);
    snprintf(mounts + 3000, 10, "\n");
    begin(mounts, V2);
    put("/sys/fs/cgroup/cpu.max", "100000 100000");
    expect(1, NULL);
    free(mounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2),   cmocka_unit_test(test_v2_mounted_in_part),
        cmocka_unit_test(test_v1),   cmocka_unit_test(test_both),
        cmocka_unit_test(test_missing_information), cmocka_unit_test(test_long_lines),
    };
    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
