/* zone.c: reading TZif (RFC 8536), and the POSIX rule behind its last transition.
 *
 *   header v1, data v1 (32 bit; passed over)
 *   header v2+: counts            data: transition times s64 x timecnt
 *                                       type of each      u8  x timecnt
 *                                       types {offset s32, dst u8, name u8} x typecnt
 *                                       names, leap seconds, flags (passed over)
 *   "\n" POSIX TZ string "\n"     what holds after the last transition
 *
 * Everything is checked against the file's length before it is read. The daylight flag of a type
 * decides nothing: only its offset counts. Zones with leap seconds ("right/...") are refused: our
 * time, like POSIX's, has none.
 */
#include "control-plane/ledger/zone.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"

#define ZONE_FOLDER     "/usr/share/zoneinfo"
#define ZONE_HEAD_BYTES 44u
#define ZONE_TYPE_BYTES 6u
#define ZONE_DAY_S      86400
#define ZONE_HOURS_MAX  167 /* RFC 8536 3.3.1: times of a rule reach a week either way */
#define ZONE_OFFSET_MAX (26 * 3600)

/* When a clock is changed, in the way of POSIX. */
enum zone_when { ZONE_MONTH_WEEK_DAY, ZONE_JULIAN, ZONE_DAY_OF_YEAR };
struct zone_change {
    enum zone_when when;
    int month, week, day;
    int64_t time_s; /* of the local day */
};

struct zone {
    char name[ZONE_NAME_MAX + 1];
    int64_t *at_s;     /* transitions */
    int32_t *offset_s; /* from each of them on */
    size_t count;
    int32_t first_s; /* before the first transition */
    bool has_rule, has_dst;
    int32_t std_s, dst_s;
    struct zone_change begins, ends; /* of daylight time */
};

static struct {
    pthread_mutex_t lock;
    struct zone *zones[ZONE_MAX];
    size_t count;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->at_s);
    free(zone->offset_s);
    free(zone);
}

/* --- the POSIX rule --- */

static bool posix_char(struct str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

static bool posix_number(struct str *rest, int max, int *value)
{
    int n = 0;
    size_t digits = 0;
    while (digits < rest->n && digits < 4 && rest->p[digits] >= '0' && rest->p[digits] <= '9')
        n = n * 10 + (rest->p[digits++] - '0');
    if (digits == 0 || n > max)
        return false;
    *rest = str_from(*rest, digits);
    *value = n;
    return true;
}

/* [+-]h[h][h][:mm[:ss]] in seconds. */
static bool posix_time(struct str *rest, int64_t *seconds)
{
    int hours = 0, minutes = 0, secs = 0;
    bool minus = posix_char(rest, '-');
    if (!minus)
        (void)posix_char(rest, '+');
    if (!posix_number(rest, ZONE_HOURS_MAX, &hours))
        return false;
    if (posix_char(rest, ':') && !posix_number(rest, 59, &minutes))
        return false;
    if (posix_char(rest, ':') && !posix_number(rest, 59, &secs))
        return false;
    *seconds = hours * 3600 + minutes * 60 + secs;
    if (minus)
        *seconds = -*seconds;
    return true;
}

static bool posix_name(struct str *rest)
{
    size_t n = 0;
    if (posix_char(rest, '<')) {
        ptrdiff_t end = str_find_char(*rest, '>');
        if (end < 3)
            return false;
        *rest = str_from(*rest, (size_t)end + 1);
        return true;
    }
    while (n < rest->n && ((rest->p[n] | 0x20) >= 'a' && (rest->p[n] | 0x20) <= 'z'))
        n++;
    *rest = str_from(*rest, n);
    return n >= 3;
}

/* ",Mm.w.d[/time]", ",Jn[/time]" or ",n[/time]". */
static bool posix_change(struct str *rest, struct zone_change *change)
{
    bool ok;
    *change = (struct zone_change){.time_s = 2 * 3600};
    if (!posix_char(rest, ','))
        return false;
    if (posix_char(rest, 'M')) {
        change->when = ZONE_MONTH_WEEK_DAY;
        ok = posix_number(rest, 12, &change->month) && posix_char(rest, '.') &&
             posix_number(rest, 5, &change->week) && posix_char(rest, '.') &&
             posix_number(rest, 6, &change->day) && change->month >= 1 && change->week >= 1;
    } else if (posix_char(rest, 'J')) {
        change->when = ZONE_JULIAN;
        ok = posix_number(rest, 365, &change->day) && change->day >= 1;
    } else {
        change->when = ZONE_DAY_OF_YEAR;
        ok = posix_number(rest, 365, &change->day);
    }
    return ok && (!posix_char(rest, '/') || posix_time(rest, &change->time_s));
}

/* POSIX counts offsets west of Greenwich as positive. */
static bool posix_offset(struct str *rest, int32_t *offset_s)
{
    int64_t west;
    if (!posix_time(rest, &west) || west > ZONE_OFFSET_MAX || west < -ZONE_OFFSET_MAX)
        return false;
    *offset_s = (int32_t)-west;
    return true;
}

static enum status zone_parse_rule(struct zone *zone, struct str text)
{
    struct str rest = text;
    if (text.n == 0)
        return ST_OK;
    if (!posix_name(&rest) || !posix_offset(&rest, &zone->std_s))
        return ST_BAD_FORMAT;
    zone->has_rule = true;
    if (rest.n == 0)
        return ST_OK;
    zone->has_dst = true;
    zone->dst_s = zone->std_s + 3600;
    if (!posix_name(&rest))
        return ST_BAD_FORMAT;
    if (rest.n > 0 && rest.p[0] != ',' && !posix_offset(&rest, &zone->dst_s))
        return ST_BAD_FORMAT;
    if (!posix_change(&rest, &zone->begins) || !posix_change(&rest, &zone->ends) || rest.n > 0)
        return ST_BAD_FORMAT;
    return ST_OK;
}

/* 1970-01-01 was a Thursday. */
static int weekday(int64_t day)
{
    return (int)((day % 7 + 7 + 4) % 7);
}

/* The local second, as if the offset were 0, at which a change is due in a year. */
static int64_t change_at(const struct zone_change *change, int64_t year)
{
    int64_t first = clock_days_from_civil(year, 1, 1), day;
    bool leap = clock_days_from_civil(year + 1, 1, 1) - first == 366;
    switch (change->when) {
    case ZONE_JULIAN: /* 1..365, 29 February is never counted */
        day = first + change->day - 1 + (leap && change->day >= 60);
        break;
    case ZONE_DAY_OF_YEAR:
        day = first + change->day;
        break;
    case ZONE_MONTH_WEEK_DAY:
    default: {
        int64_t month = clock_days_from_civil(year, (unsigned)change->month, 1);
        int64_t next = change->month == 12
                           ? clock_days_from_civil(year + 1, 1, 1)
                           : clock_days_from_civil(year, (unsigned)change->month + 1, 1);
        day = month + (change->day - weekday(month) + 7) % 7 + 7 * (int64_t)(change->week - 1);
        while (day >= next) /* week 5 is the last one */
            day -= 7;
        break;
    }
    }
    return day * ZONE_DAY_S + change->time_s;
}

static int32_t posix_offset_at(const struct zone *zone, int64_t utc_s)
{
    int64_t year;
    unsigned month, of_month;
    if (!zone->has_dst)
        return zone->std_s;
    int64_t local = utc_s + zone->std_s;
    clock_civil_from_days(local / ZONE_DAY_S - (local % ZONE_DAY_S < 0), &year, &month, &of_month);
    int64_t begins = change_at(&zone->begins, year) - zone->std_s;
    int64_t ends = change_at(&zone->ends, year) - zone->dst_s;
    bool dst = begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
    return dst ? zone->dst_s : zone->std_s;
}

/* --- the file --- */

static uint32_t get_u32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t get_s64(const char *p)
{
    return (int64_t)((uint64_t)get_u32(p) << 32 | get_u32(p + 4));
}

struct zone_head {
    size_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
};

/* ST_BAD_FORMAT: no header of version 2 or later here. */
static enum status head_read(struct str bytes, struct zone_head *head)
{
    if (bytes.n < ZONE_HEAD_BYTES || memcmp(bytes.p, "TZif", 4) != 0 || bytes.p[4] < '2')
        return ST_BAD_FORMAT;
    *head = (struct zone_head){get_u32(bytes.p + 20), get_u32(bytes.p + 24), get_u32(bytes.p + 28),
                               get_u32(bytes.p + 32), get_u32(bytes.p + 36), get_u32(bytes.p + 40)};
    return head->typecnt >= 1 && head->typecnt <= 256 ? ST_OK : ST_BAD_FORMAT;
}

/* Counts are 32 bits wide and the sizes below small, so nothing wraps. */
static size_t data_bytes(const struct zone_head *head, size_t time_bytes)
{
    return head->timecnt * (time_bytes + 1) + head->typecnt * ZONE_TYPE_BYTES + head->charcnt +
           head->leapcnt * (time_bytes + 4) + head->isstdcnt + head->isutcnt;
}

static enum status read_transitions(struct zone *zone, const struct zone_head *head, const char *p)
{
    const char *types = p + head->timecnt * 8, *offsets = types + head->timecnt;
    zone->count = head->timecnt;
    zone->first_s = (int32_t)get_u32(offsets);
    zone->at_s = calloc(head->timecnt + 1, sizeof *zone->at_s);
    zone->offset_s = calloc(head->timecnt + 1, sizeof *zone->offset_s);
    if (zone->at_s == NULL || zone->offset_s == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < head->timecnt; i++) {
        uint8_t type = (uint8_t)types[i];
        zone->at_s[i] = get_s64(p + 8 * i);
        if (type >= head->typecnt || (i > 0 && zone->at_s[i] <= zone->at_s[i - 1]))
            return ST_BAD_FORMAT;
        zone->offset_s[i] = (int32_t)get_u32(offsets + type * ZONE_TYPE_BYTES);
        if (zone->offset_s[i] > ZONE_OFFSET_MAX || zone->offset_s[i] < -ZONE_OFFSET_MAX)
            return ST_BAD_FORMAT;
    }
    return ST_OK;
}

static enum status zone_parse(struct zone *zone, struct str file)
{
    struct zone_head head;
    TRY(head_read(file, &head));
    size_t skip = ZONE_HEAD_BYTES + data_bytes(&head, 4);
    if (skip > file.n)
        return ST_BAD_FORMAT;
    struct str rest = str_from(file, skip);
    TRY(head_read(rest, &head));
    size_t data = ZONE_HEAD_BYTES + data_bytes(&head, 8);
    if (data >= rest.n || head.leapcnt != 0)
        return ST_BAD_FORMAT;
    TRY(read_transitions(zone, &head, rest.p + ZONE_HEAD_BYTES));
    struct str footer = str_from(rest, data);
    if (footer.n < 2 || footer.p[0] != '\n' || footer.p[footer.n - 1] != '\n')
        return ST_BAD_FORMAT;
    return zone_parse_rule(zone, str_of(footer.p + 1, footer.n - 2));
}

static enum status read_file(const char *path, char *bytes, size_t *n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ST_NOT_FOUND;
    size_t used = 0;
    ssize_t got;
    while ((got = read(fd, bytes + used, ZONE_FILE_MAX - used)) > 0)
        used += (size_t)got;
    close(fd);
    *n = used;
    return got < 0 ? ST_IO : used == ZONE_FILE_MAX ? ST_BAD_FORMAT : ST_OK;
}

static enum status zone_load(struct str name, struct zone **out)
{
    char path[sizeof ZONE_FOLDER + ZONE_NAME_MAX + 1];
    size_t n = 0;
    struct zone *zone = calloc(1, sizeof *zone);
    char *bytes = malloc(ZONE_FILE_MAX);
    enum status status = zone != NULL && bytes != NULL ? ST_OK : ST_NO_MEMORY;
    (void)snprintf(path, sizeof path, ZONE_FOLDER "/" STR_FMT, STR_ARG(name));
    if (status == ST_OK)
        status = read_file(path, bytes, &n);
    if (status == ST_OK)
        status = zone_parse(zone, str_of(bytes, n));
    free(bytes);
    if (status != ST_OK) {
        zone_free(zone);
        return status;
    }
    memcpy(zone->name, name.p, name.n);
    *out = zone;
    return ST_OK;
}

/* Letters, digits, '_', '+', '-' and '/' inside: nothing that leaves the folder. */
static bool zone_name_ok(struct str name)
{
    if (name.n == 0 || name.n > ZONE_NAME_MAX || name.p[0] == '/')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '+' && c != '-' && c != '/')
            return false;
    }
    return true;
}

enum status zone_open(struct str name, const struct zone **out)
{
    struct zone *zone = NULL;
    enum status status = ST_OK;
    if (name.n == 0 || str_eq(name, STR("UTC"))) {
        *out = NULL;
        return ST_OK;
    }
    if (!zone_name_ok(name))
        return ST_NOT_FOUND;
    pthread_mutex_lock(&kept.lock);
    for (size_t i = 0; i < kept.count && zone == NULL; i++)
        if (str_eq(str_c(kept.zones[i]->name), name))
            zone = kept.zones[i];
    if (zone == NULL) {
        status = kept.count < ZONE_MAX ? zone_load(name, &zone) : ST_TOO_LARGE;
        if (status == ST_OK)
            kept.zones[kept.count++] = zone;
    }
    pthread_mutex_unlock(&kept.lock);
    TRY(status);
    *out = zone;
    return ST_OK;
}

int64_t zone_offset_ms(const void *data, int64_t utc_ms)
{
    const struct zone *zone = data;
    if (zone == NULL)
        return 0;
    int64_t utc_s = utc_ms / 1000 - (utc_ms % 1000 < 0);
    size_t low = 0, high = zone->count; /* transitions before `low` are passed */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->at_s[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->has_rule)
        return (int64_t)posix_offset_at(zone, utc_s) * 1000;
    return (int64_t)(low == 0 ? zone->first_s : zone->offset_s[low - 1]) * 1000;
}

/* FNV-1a. */
uint64_t zone_mark(const struct zone *zone)
{
    uint64_t hash = 14695981039346656037u;
    if (zone == NULL)
        return 0;
    for (const char *p = zone->name; *p != '\0'; p++)
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
    return hash;
}
