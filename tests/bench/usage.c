/* usage.c: reads /proc/PID/task/x/schedstat, which counts nanoseconds on a CPU where utime and stime count ticks of 10 ms; with ticks
 * a measurement of two seconds is wrong by several percent. Must never guess: an unreadable file counts 0, and the figure shows it.
 */
#include "tests/bench/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t read_number(const char *path, unsigned skip)
{
    FILE *file = fopen(path, "re");
    unsigned long long value = 0;
    if (file == NULL)
        return 0;
    for (unsigned i = 0; i <= skip; i++) {
        if (fscanf(file, "%llu", &value) != 1)
            value = 0;
    }
    fclose(file);
    return value;
}

struct usage usage_of(int pid)
{
    struct usage usage = {0, 0};
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    usage.rss_bytes = read_number(path, 1) * (uint64_t)sysconf(_SC_PAGESIZE);
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        return usage;
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        usage.cpu_ns += read_number(path, 0);
    }
    closedir(tasks);
    return usage;
}
