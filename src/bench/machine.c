#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cpu.h"
#include "bench/server.h"

enum { BUSY_PERCENT = 15 };

// Jiffies of all cores together, busy and total (proc(5), first line of /proc/stat).
static bool jiffies(double *busy, double *all)
{
    double field[8] = {0}; // user nice system idle iowait irq softirq steal
    FILE *file = fopen("/proc/stat", "re");
    int got = file ? fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &field[0], &field[1],
                            &field[2], &field[3], &field[4], &field[5], &field[6], &field[7]) : 0;
    if (file)
        fclose(file);
    *all = 0;
    for (int i = 0; i < 8; i++)
        *all += field[i];
    *busy = *all - field[3] - field[4];
    return got == 8;
}

double lq_machine_busy_percent(void)
{
    double busy_before, all_before, busy, all;
    if (!jiffies(&busy_before, &all_before))
        return -1;
    poll(NULL, 0, 500);
    if (!jiffies(&busy, &all) || all <= all_before)
        return -1;
    return 100 * (busy - busy_before) / (all - all_before);
}

double lq_machine_load_average(void)
{
    double average;
    return getloadavg(&average, 1) == 1 ? average : -1;
}

bool lq_machine_is_busy(double busy_percent, double load_average)
{
    return busy_percent > BUSY_PERCENT || load_average > lq_cpu_count();
}

static void processor(char *name, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    snprintf(name, size, "unknown processor");
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        value[strcspn(value, "\n")] = 0;
        snprintf(name, size, "%s", value + 1 + (value[1] == ' '));
        break;
    }
    if (file)
        fclose(file);
}

void lq_machine_name(char *text, size_t size)
{
    char name[192];
    struct utsname system = {0};
    processor(name, sizeof name);
    uname(&system);
    snprintf(text, size, "%s, %d cores%s, %s %s %s", name, lq_cpu_count(),
             lq_cpu_has_bf16() ? ", bf16" : "", system.sysname, system.release, system.machine);
}
