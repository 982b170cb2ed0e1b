/* sandbox_try.c: tries what a worker must not be able to do; the proof behind `sluice-gateway
 * selftest-sandbox` and the tests.
 *
 * One row per act. An act is refused if the kernel says EPERM, EACCES or ENOSYS; any other failure
 * ("no such file", "connection refused") means that nothing stood in the way. Acts that would do
 * damage if they succeeded are shaped so that they cannot: fork's child leaves at once, the signal
 * is 0, the program does not exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/str.h"
#include "data-plane/sandbox.h"

#define TRY_PORT_UNLISTED 1 /* tcpmux: nobody lists it, nobody serves it */

struct sandbox_act {
    const char *name;
    bool (*done)(void); /* true if it succeeded; else errno tells why */
};

static bool close_if(int fd)
{
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static bool act_open(void)
{
    return close_if(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static bool act_create(void)
{
    return close_if(
        open("/tmp/sluice-sandbox-probe", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

static bool act_open_proc(void)
{
    return close_if(open("/proc/self/mem", O_RDWR | O_CLOEXEC));
}

static bool act_stat(void)
{
    struct stat stat_room;
    return stat("/etc/passwd", &stat_room) == 0;
}

static bool act_exec(void)
{
    char *argv[] = {NULL}, *envp[] = {NULL};
    return execve("/nonexistent/program", argv, envp) == 0;
}

static bool act_fork(void)
{
    long pid = syscall(__NR_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static void *thread_main(void *arg)
{
    return arg;
}

static bool act_thread(void)
{
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, thread_main, NULL);
    if (rc == 0)
        pthread_join(thread, NULL);
    errno = rc == EAGAIN ? EPERM : rc; /* glibc translates the refusal of clone */
    return rc == 0;
}

static bool act_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(TRY_PORT_UNLISTED)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
    int why = errno;
    close_if(fd);
    errno = why;
    return done;
}

static bool act_bind(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done = fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof any) == 0;
    int why = errno;
    close_if(fd);
    errno = why;
    return done;
}

static bool act_socket_raw(void)
{
    return close_if(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static bool act_socket_udp(void)
{
    return close_if(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static bool act_socket_unix(void)
{
    return close_if(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static bool act_socket_netlink(void)
{
    return close_if(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static bool act_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static bool act_read_memory(void)
{
    char byte;
    struct iovec mine = {&byte, 1}, theirs = {&byte, 1};
    return syscall(__NR_process_vm_readv, getppid(), &mine, 1, &theirs, 1, 0) >= 0;
}

static bool act_kill(void)
{
    return kill(getppid(), 0) == 0;
}

static bool act_mmap_exec(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && munmap(p, 4096) == 0;
}

static bool act_mprotect_exec(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    bool done = mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
    int why = errno;
    munmap(p, 4096);
    errno = why;
    return done;
}

static bool act_memfd(void)
{
    return close_if(memfd_create("probe", MFD_CLOEXEC));
}

static bool act_unshare(void)
{
    return syscall(__NR_unshare, 0x10000000) == 0; /* CLONE_NEWUSER */
}

static bool act_setuid(void)
{
    return syscall(__NR_setuid, 0) == 0;
}

static bool act_chdir(void)
{
    return chdir("/") == 0;
}

static const struct sandbox_act acts[] = {
    {"open", act_open},
    {"create", act_create},
    {"open_proc", act_open_proc},
    {"stat", act_stat},
    {"chdir", act_chdir},
    {"exec", act_exec},
    {"fork", act_fork},
    {"thread", act_thread},
    {"connect", act_connect},
    {"bind", act_bind},
    {"socket_raw", act_socket_raw},
    {"socket_udp", act_socket_udp},
    {"socket_unix", act_socket_unix},
    {"socket_netlink", act_socket_netlink},
    {"ptrace", act_ptrace},
    {"read_memory", act_read_memory},
    {"kill", act_kill},
    {"mmap_exec", act_mmap_exec},
    {"mprotect_exec", act_mprotect_exec},
    {"memfd", act_memfd},
    {"unshare", act_unshare},
    {"setuid", act_setuid},
};

const char *sandbox_act_name(size_t index)
{
    return index < COUNT_OF(acts) ? acts[index].name : NULL;
}

enum status sandbox_try(const char *act, bool *refused)
{
    for (size_t i = 0; i < COUNT_OF(acts); i++) {
        if (!str_eq(str_c(act), str_c(acts[i].name)))
            continue;
        errno = 0;
        bool done = acts[i].done();
        *refused = !done && (errno == EPERM || errno == EACCES || errno == ENOSYS);
        return ST_OK;
    }
    return ST_NOT_FOUND;
}

int sandbox_selftest_main(void)
{
    static const uint16_t ports[] = {443};
    struct sandbox_report report;
    bool all = true;
    if (sandbox_lock(ports, COUNT_OF(ports), false, &report) != ST_OK) {
        fputs("the sandbox could not be locked\n", stderr);
        return 1;
    }
    printf("{\"seccomp\":%s,\"landlock_files\":%s,\"landlock_network\":%s,\"landlock_abi\":%d,"
           "\"refused\":{",
           report.seccomp ? "true" : "false", report.landlock_files ? "true" : "false",
           report.landlock_network ? "true" : "false", report.landlock_abi);
    for (size_t i = 0; i < COUNT_OF(acts); i++) {
        bool refused = false;
        all = sandbox_try(acts[i].name, &refused) == ST_OK && refused && all;
        printf("%s\"%s\":%s", i == 0 ? "" : ",", acts[i].name, refused ? "true" : "false");
    }
    printf("},\"ok\":%s}\n", all ? "true" : "false");
    fflush(stdout);
    return all ? 0 : 1;
}
