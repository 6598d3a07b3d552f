// How much processor time the control groups of this process leave it: of version 1 and 2, its own
// group's limit and those of all groups around it, as far as they can be seen from here.
//
//   /proc/self/cgroup     "0::/system.slice/x.service" (v2) or "4:cpu,cpuacct:/docker/1f…" (v1)
//   /proc/self/mountinfo  where these trees are mounted, and which part of them (proc(5))
//   cpu.max               v2: "QUOTA PERIOD" in µs, or "max PERIOD"
//   cpu.cfs_quota_us      v1: µs in each cpu.cfs_period_us, or -1
// Threads: any. Owner: the caller's memory only.
#pragma once

#include <stddef.h>

struct lq_cgroup_quota {
    double cores;    // processor seconds a second; 0: no limit
    char file[1024]; // that says so
};

// The smallest limit. `root` stands before every path ("" for the real ones): tests have trees of
// their own.
void lq_cgroup_read(struct lq_cgroup_quota *quota, const char *root);
