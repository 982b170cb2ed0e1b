/* segment.c: makes and maps the shared segment, and computes where things are in it.
 *
 *   0     4 KiB          whole pages    + column_bytes     + column_bytes
 *   [head][counter table][column 0 .........][column 1 ......] ...      column_bytes: whole pages
 *
 * Invariant: an address given from here lies inside the mapping, because it is computed from this
 * process's own copy of the layout and the memfd is sealed against changes of size. Must never:
 * trust a number in the segment after segment_map.
 */
#include "data-plane/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_PAGE         4096u
#define SEGMENT_SEALS        (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define SEGMENT_SLOTS_MAX    (1u << 20)
#define SEGMENT_COLUMNS_EACH 2u /* a living worker and one that is being recovered */

_Static_assert(sizeof(struct segment_head) <= SEGMENT_PAGE, "the head is one page");
_Static_assert(SEGMENT_COLUMNS_EACH * 128u == SEGMENT_MAX_COLUMNS, "128 workers");

static uint32_t ring_count_of(uint32_t slot_count)
{
    uint32_t n = 1;
    while (n < slot_count)
        n *= 2;
    return n;
}

static size_t page_up(size_t n)
{
    return (n + SEGMENT_PAGE - 1) & ~(size_t)(SEGMENT_PAGE - 1);
}

static size_t rings_at(void)
{
    return sizeof(struct column_head) + SEGMENT_METRICS * sizeof(uint64_t);
}

static size_t accounts_at(const struct segment *segment)
{
    size_t n = rings_at() + 2 * segment->ring_count * sizeof(uint32_t);
    return (n + sizeof(struct account) - 1) & ~(sizeof(struct account) - 1);
}

static size_t breaker_at(const struct segment *segment)
{
    size_t n = accounts_at(segment) + segment->counter_count * sizeof(struct account);
    return (n + SEGMENT_SLOT_BYTES - 1) & ~(size_t)(SEGMENT_SLOT_BYTES - 1);
}

static size_t slots_at(const struct segment *segment)
{
    size_t n = breaker_at(segment) + sizeof(struct breaker_column);
    return (n + SEGMENT_SLOT_BYTES - 1) & ~(size_t)(SEGMENT_SLOT_BYTES - 1);
}

static size_t column_bytes(const struct segment *segment)
{
    return page_up(slots_at(segment) + (size_t)segment->slot_count * SEGMENT_SLOT_BYTES);
}

static size_t columns_at(const struct segment *segment)
{
    return SEGMENT_PAGE + page_up(segment->counter_count * sizeof(struct counter));
}

static size_t segment_bytes(const struct segment *segment)
{
    return columns_at(segment) + segment->columns * column_bytes(segment);
}

static enum status segment_layout(struct segment *segment, uint32_t workers, uint32_t slot_count,
                                  uint32_t counter_count)
{
    if (workers == 0 || workers > SEGMENT_MAX_COLUMNS / SEGMENT_COLUMNS_EACH || slot_count == 0 ||
        slot_count > SEGMENT_SLOTS_MAX || counter_count == 0 ||
        counter_count > SEGMENT_COUNTERS_MAX)
        return ST_BAD_FORMAT;
    segment->workers = workers;
    segment->columns = workers * SEGMENT_COLUMNS_EACH;
    segment->slot_count = slot_count;
    segment->ring_count = ring_count_of(slot_count);
    segment->counter_count = counter_count;
    segment->bytes = segment_bytes(segment);
    return ST_OK;
}

static enum status segment_mmap(struct segment *segment)
{
    void *p = mmap(NULL, segment->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, segment->fd, 0);
    if (p == MAP_FAILED)
        return ST_NO_MEMORY;
    segment->head = p;
    return ST_OK;
}

enum status segment_create(uint32_t workers, uint32_t slot_count, uint32_t counter_count,
                           const struct id *node, uint64_t boot, struct segment *segment)
{
    struct segment made = {.fd = -1};
    TRY(segment_layout(&made, workers, slot_count, counter_count));
    enum status status = ST_IO;
    made.fd = memfd_create("sluice-segment", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made.fd >= 0 && ftruncate(made.fd, (off_t)made.bytes) == 0 &&
        fcntl(made.fd, F_ADD_SEALS, SEGMENT_SEALS) == 0)
        status = segment_mmap(&made);
    if (status != ST_OK) {
        segment_close(&made);
        return status;
    }
    struct segment_head *head = made.head;
    head->magic = SEGMENT_MAGIC;
    head->version = SEGMENT_VERSION;
    head->workers = workers;
    head->columns = made.columns;
    head->slot_count = slot_count;
    head->counter_count = counter_count;
    head->bytes = made.bytes;
    head->node = *node;
    head->boot = boot;
    *segment = made;
    return ST_OK;
}

enum status segment_map(int fd, struct segment *segment)
{
    struct segment made = {.fd = fd};
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        return ST_IO;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEGMENT_SEALS) != SEGMENT_SEALS || stat.st_size < (off_t)SEGMENT_PAGE)
        return ST_BAD_FORMAT;
    made.bytes = (size_t)stat.st_size;
    TRY(segment_mmap(&made));
    const struct segment_head head = *made.head;
    enum status status = ST_BAD_FORMAT;
    struct segment proved = {.fd = fd, .head = made.head};
    if (head.magic == SEGMENT_MAGIC && head.version == SEGMENT_VERSION)
        status = segment_layout(&proved, head.workers, head.slot_count, head.counter_count);
    if (status == ST_OK && (proved.bytes != made.bytes || head.columns != proved.columns))
        status = ST_BAD_FORMAT;
    if (status != ST_OK) {
        munmap(made.head, made.bytes);
        return status;
    }
    *segment = proved;
    return ST_OK;
}

void segment_close(struct segment *segment)
{
    if (segment->head != NULL)
        munmap(segment->head, segment->bytes);
    if (segment->fd >= 0)
        close(segment->fd);
    *segment = (struct segment){.fd = -1};
}

static char *column_at(const struct segment *segment, uint32_t column)
{
    CHECK(column < segment->columns);
    return (char *)segment->head + columns_at(segment) + column * column_bytes(segment);
}

struct column_head *segment_column(const struct segment *segment, uint32_t column)
{
    return (struct column_head *)(void *)column_at(segment, column);
}

uint64_t *segment_metrics(const struct segment *segment, uint32_t column)
{
    return (uint64_t *)(void *)(column_at(segment, column) + sizeof(struct column_head));
}

_Atomic uint32_t *segment_ring(const struct segment *segment, uint32_t column,
                               enum segment_ring ring)
{
    size_t at = rings_at() + (size_t)ring * segment->ring_count * sizeof(uint32_t);
    return (_Atomic uint32_t *)(void *)(column_at(segment, column) + at);
}

struct slot *segment_slot(const struct segment *segment, uint32_t column, uint32_t index)
{
    CHECK(index < segment->slot_count);
    return (struct slot *)(void *)(column_at(segment, column) + slots_at(segment) +
                                   (size_t)index * SEGMENT_SLOT_BYTES);
}

struct counter *segment_counter(const struct segment *segment, uint32_t row)
{
    CHECK(row < segment->counter_count);
    return (struct counter *)(void *)((char *)segment->head + SEGMENT_PAGE) + row;
}

struct account *segment_account(const struct segment *segment, uint32_t column, uint32_t row)
{
    CHECK(row < segment->counter_count);
    return (struct account *)(void *)(column_at(segment, column) + accounts_at(segment)) + row;
}

struct breaker_column *segment_breaker(const struct segment *segment, uint32_t column)
{
    return (struct breaker_column *)(void *)(column_at(segment, column) + breaker_at(segment));
}

uint32_t segment_counters_used(const struct segment *segment)
{
    uint32_t high =
        atomic_load_explicit(&segment->head->status.counters_high, memory_order_acquire);
    return high < segment->counter_count ? high : segment->counter_count;
}

/* --- columns --- */

/* All slots FREE, and the breaker's column, zero by giving their memory back: touching each would
 * make every column cost its full size from the start, used or not. */
static void slots_reset(const struct segment *segment, uint32_t column)
{
    size_t at = (size_t)(column_at(segment, column) - (char *)segment->head) + breaker_at(segment);
    size_t n = slots_at(segment) - breaker_at(segment) +
               (size_t)segment->slot_count * SEGMENT_SLOT_BYTES;
    if (fallocate(segment->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)n) ==
        0)
        return;
    memset(segment_breaker(segment, column), 0, sizeof(struct breaker_column));
    for (uint32_t i = 0; i < segment->slot_count; i++)
        atomic_store_explicit(&segment_slot(segment, column, i)->state, SLOT_FREE,
                              memory_order_relaxed);
}

/* The metrics and accounts stay: they are sums over everything the column ever did (gauges were set
 * to 0 and accounts closed when it was released). */
static void column_reset(const struct segment *segment, uint32_t column, uint32_t worker,
                         uint32_t epoch)
{
    struct column_head *head = segment_column(segment, column);
    bool used = head->epoch != 0;
    memset(head, 0, sizeof *head);
    head->worker = worker;
    head->epoch = epoch;
    if (used)
        slots_reset(segment, column);
    atomic_store_explicit(&head->state, COLUMN_LIVE, memory_order_release);
}

enum status segment_assign(const struct segment *segment, uint32_t worker, uint32_t epoch,
                           uint32_t *column)
{
    for (uint32_t i = 0; i < segment->columns; i++) {
        struct column_head *head = segment_column(segment, i);
        if (atomic_load_explicit(&head->state, memory_order_acquire) != COLUMN_UNUSED)
            continue;
        column_reset(segment, i, worker, epoch);
        *column = i;
        return ST_OK;
    }
    return ST_OVERLOADED;
}

void segment_retire(const struct segment *segment, uint32_t column)
{
    atomic_store_explicit(&segment_column(segment, column)->state, COLUMN_DEAD,
                          memory_order_release);
}

void segment_release(const struct segment *segment, uint32_t column)
{
    atomic_store_explicit(&segment_column(segment, column)->state, COLUMN_UNUSED,
                          memory_order_release);
}

/* --- attempt ids --- */

static void put_be(uint8_t *p, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

void attempt_id_pack(const struct attempt_id *id, uint8_t bytes[ATTEMPT_ID_BYTES])
{
    memcpy(bytes, id->node.b, ID_BYTES);
    put_be(bytes + 16, id->boot, 8);
    put_be(bytes + 24, id->epoch, 4);
    put_be(bytes + 28, id->n, 8);
}

/* base64url (RFC 4648 section 5); 36 bytes need no padding. */
void attempt_id_to_text(const struct attempt_id *id, char text[ATTEMPT_ID_TEXT + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[ATTEMPT_ID_BYTES];
    attempt_id_pack(id, bytes);
    for (size_t i = 0, at = 0; i < sizeof bytes; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            text[at++] = digits[three >> shift & 63];
    }
    text[ATTEMPT_ID_TEXT] = '\0';
}
