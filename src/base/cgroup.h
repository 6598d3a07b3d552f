// How much processor time the control groups of this process allow (versions 1 and 2): the limit of
// its own group and those of all enclosing groups, as far as they are visible from here.
//
//   /proc/self/cgroup     "0::/system.slice/x.service" (v2) or "4:cpu,cpuacct:/docker/1f…" (v1)
//   /proc/self/mountinfo  where these trees are mounted, and which part of them (proc(5))
//   cpu.max               v2: "QUOTA PERIOD" in µs, or "max PERIOD"
//   cpu.cfs_quota_us      v1: µs in each cpu.cfs_period_us, or -1
// Threads: any. Owner: the caller's memory only.
#pragma once

#include <stddef.h>

struct lq_cgroup_quota {
    double cores;    // processor seconds per second; 0: no limit
    char file[1024]; // the file that sets the limit
};

// Reads the smallest limit. `root` is put before every path: "" in production, a directory tree of
// its own in a test.
void lq_cgroup_read(struct lq_cgroup_quota *quota, const char *root);
