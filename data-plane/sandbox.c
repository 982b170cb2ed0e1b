/* sandbox.c: takes away from a worker everything that serving does not need, in layers that do not
 * lean on each other.
 *
 *   capabilities   none                         limits     no core
 *   Landlock       no file at all, TCP connect to listed ports, no bind, no signal and no abstract
 * socket outside seccomp        the list of sandbox.def, compiled below to BPF, refused calls
 * return EPERM
 *
 * The worker parses strangers' bytes and holds opened credentials; whoever takes it over shall be
 * able to do what it does and nothing else. Invariant: when sandbox_lock returns ST_OK every layer
 * reported is in force for all threads, for good. Must never: be lifted, or be applied partly
 * without saying so in the report.
 *
 * Landlock's constants are here because Debian 12's header stops at ABI 1.
 */
#include "data-plane/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#else
#error "sandbox.c: name the audit architecture of this machine"
#endif

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule       445
#define __NR_landlock_restrict_self  446
#endif
#ifndef __NR_memfd_secret
#define __NR_memfd_secret 447
#endif

/* --- Landlock (kernel Documentation/userspace-api/landlock.rst) --- */

#define LANDLOCK_VERSION_FLAG 1u
#define LANDLOCK_RULE_PORT    2
#define LANDLOCK_CONNECT_TCP  (UINT64_C(1) << 1)
#define LANDLOCK_NET_ALL      (UINT64_C(1) | LANDLOCK_CONNECT_TCP) /* bind, connect */
#define LANDLOCK_SCOPE_ALL    UINT64_C(3)                          /* abstract sockets, signals */

struct landlock_ruleset {
    uint64_t fs, net, scoped;
};

struct landlock_port {
    uint64_t allowed, port;
} __attribute__((packed));

/* Every file right that an ABI knows; handled and never granted. */
static uint64_t landlock_file_rights(int abi)
{
    unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
    return (UINT64_C(1) << bits) - 1;
}

/* The kernel refuses a struct longer than it knows with anything set behind its end. */
static size_t landlock_ruleset_bytes(int abi)
{
    return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static enum status landlock_lock(const uint16_t *ports, size_t count, struct sandbox_report *report)
{
    long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
    if (abi < 1)
        return ST_OK; /* reported as absent */
    report->landlock_abi = (int)abi;
    struct landlock_ruleset ruleset = {.fs = landlock_file_rights((int)abi),
                                       .net = LANDLOCK_NET_ALL,
                                       .scoped = LANDLOCK_SCOPE_ALL};
    int fd =
        (int)syscall(__NR_landlock_create_ruleset, &ruleset, landlock_ruleset_bytes((int)abi), 0);
    if (fd < 0)
        return ST_IO;
    enum status status = ST_OK;
    for (size_t i = 0; i < count && abi >= 4 && status == ST_OK; i++) {
        struct landlock_port rule = {LANDLOCK_CONNECT_TCP, ports[i]};
        if (syscall(__NR_landlock_add_rule, fd, LANDLOCK_RULE_PORT, &rule, 0) != 0)
            status = ST_IO;
    }
    if (status == ST_OK && syscall(__NR_landlock_restrict_self, fd, 0) != 0)
        status = ST_IO;
    close(fd);
    if (status != ST_OK)
        return status;
    report->landlock_files = true;
    report->landlock_network = abi >= 4;
    return ST_OK;
}

/* --- seccomp: sandbox.def to BPF --- */

#define INT_BITS       UINT64_C(0xFFFFFFFF)
#define ANY_BIT        UINT64_MAX
#define SOCK_TYPE_BITS UINT64_C(0xF)
#define OWN_PID        UINT64_MAX /* stands for getpid() */

struct sandbox_test {
    int arg; /* -1: no test */
    uint64_t mask, value;
};

struct sandbox_row {
    uint32_t call;
    uint32_t action;
    struct sandbox_test tests[2];
};

#define NO_TEST                                                                                    \
    {                                                                                              \
        -1, 0, 0                                                                                   \
    }
#define SANDBOX_ABSENT (SECCOMP_RET_ERRNO | ENOSYS)
#define SANDBOX_REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define ALLOW(name)    {__NR_##name, SECCOMP_RET_ALLOW, {NO_TEST, NO_TEST}},
#define ALLOW_1(name, arg, mask, value)                                                            \
    {__NR_##name, SECCOMP_RET_ALLOW, {{arg, mask, value}, NO_TEST}},
#define ALLOW_2(name, arg, mask, value, arg2, mask2, value2)                                       \
    {__NR_##name, SECCOMP_RET_ALLOW, {{arg, mask, value}, {arg2, mask2, value2}}},
#define ABSENT(name) {__NR_##name, SANDBOX_ABSENT, {NO_TEST, NO_TEST}},

static const struct sandbox_row rows[] = {
#include "data-plane/sandbox.def"
};

#define ROW_MAX_OPS 12u /* one compare, two tests of four, one return, one reload */
#define SANDBOX_OPS (6 + COUNT_OF(rows) * ROW_MAX_OPS)

struct sandbox_program {
    struct sock_filter ops[SANDBOX_OPS];
    uint16_t n;
};

static void emit(struct sandbox_program *program, uint16_t code, uint32_t k, uint8_t yes,
                 uint8_t no)
{
    CHECK(program->n < SANDBOX_OPS);
    program->ops[program->n++] = (struct sock_filter){code, yes, no, k};
}

static void emit_load(struct sandbox_program *program, size_t at)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}

/* Half an argument: load, mask, compare; on a difference skip `behind` further instructions. */
static void emit_half(struct sandbox_program *program, size_t at, uint32_t mask, uint32_t value)
{
    emit_load(program, at);
    if (mask != UINT32_MAX)
        emit(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, UINT8_MAX); /* patched by emit_row */
}

static void emit_test(struct sandbox_program *program, const struct sandbox_test *test)
{
    size_t at = offsetof(struct seccomp_data, args) +
                (size_t)test->arg * 8; /* little-endian: low half first */
    uint64_t value = test->value == OWN_PID ? (uint64_t)getpid() : test->value;
    emit_half(program, at, (uint32_t)test->mask, (uint32_t)value);
    if (test->mask >> 32 != 0)
        emit_half(program, at + 4, (uint32_t)(test->mask >> 32), (uint32_t)(value >> 32));
}

/*   if call == nr { tests, each failing to `end`; return action } end: reload nr   */
static void emit_row(struct sandbox_program *program, const struct sandbox_row *row)
{
    uint16_t start = program->n;
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, row->call, 0, UINT8_MAX);
    bool tested = false;
    for (size_t i = 0; i < COUNT_OF(row->tests); i++) {
        if (row->tests[i].arg < 0)
            continue;
        emit_test(program, &row->tests[i]);
        tested = true;
    }
    emit(program, BPF_RET | BPF_K, row->action, 0, 0);
    uint16_t end = program->n;
    if (tested)
        emit_load(program, offsetof(struct seccomp_data, nr));
    for (uint16_t i = start; i < end; i++) {
        if (BPF_CLASS(program->ops[i].code) == BPF_JMP)
            program->ops[i].jf = (uint8_t)(end - i - 1);
    }
}

static void compile(struct sandbox_program *program)
{
    program->n = 0;
    emit_load(program, offsetof(struct seccomp_data, arch));
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0);
    emit(program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    emit_load(program, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        emit_row(program, &rows[i]);
    emit(program, BPF_RET | BPF_K, SANDBOX_REFUSE, 0, 0);
}

static enum status seccomp_lock(struct sandbox_report *report)
{
    struct sandbox_program program;
    compile(&program);
    struct sock_fprog prog = {.len = program.n, .filter = program.ops};
    if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) != 0)
        return errno == ENOSYS || errno == EINVAL ? ST_OK : ST_IO;
    report->seccomp = true;
    return ST_OK;
}

/* --- all together --- */

static enum status capabilities_drop(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return syscall(__NR_capset, &head, none) == 0 ? ST_OK : ST_IO;
}

enum status sandbox_lock(const uint16_t *ports, size_t count, bool require_all,
                         struct sandbox_report *report)
{
    struct sandbox_report done = {.landlock_abi = 0};
    struct rlimit no_core = {0, 0};
    if (count > SANDBOX_PORTS_MAX)
        return ST_INVALID;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &no_core) != 0)
        return ST_IO;
    TRY(capabilities_drop());
    TRY(landlock_lock(ports, count, &done));
    TRY(seccomp_lock(&done));
    if (require_all && !(done.seccomp && done.landlock_files && done.landlock_network))
        return ST_IO;
    *report = done;
    return ST_OK;
}
