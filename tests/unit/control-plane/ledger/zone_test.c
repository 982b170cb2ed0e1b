/* Zones: every name the system knows, at every change and at random times until 2200, against
 * Python's zoneinfo. */
#include "control-plane/ledger/zone.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Prints "zone utc_s offset_s": around each hour at which an offset changes (found by bisection
 * between samples a week apart), and at 200 random times. Dates that Python cannot have (year 1)
 * stay out. */
static const char oracle[] =
    "import random, sys, zoneinfo\n"
    "from datetime import datetime, timezone\n"
    "random.seed(int(sys.argv[1]))\n"
    "names = sorted(zoneinfo.available_timezones())\n"
    "names = [n for n in names if n not in ('localtime', 'Factory') and not "
    "n.startswith('right/')]\n"
    "W, LO, HI = 604800, -5000000000, 7258118400\n"
    "out = open(sys.argv[2], 'w')\n"
    "for n in names:\n"
    "    z = zoneinfo.ZoneInfo(n)\n"
    "    def at(t): return int(datetime.fromtimestamp(t, timezone.utc).astimezone(z).utcoffset()"
    ".total_seconds())\n"
    "    ts = [random.randrange(LO, HI) for _ in range(200)]\n"
    "    for start in random.sample(range(LO, HI - 60 * W, 40 * W), 12):\n"
    "        for a in range(start, start + 60 * W, W):\n"
    "            x, y = a, a + W\n"
    "            if at(x) == at(y): continue\n"
    "            while y - x > 1:\n"
    "                m = (x + y) // 2\n"
    "                if at(m) == at(x): x = m\n"
    "                else: y = m\n"
    "            ts += [x, y, y + 1]\n"
    "    for t in ts: out.write('%s %d %d\\n' % (n, t, at(t)))\n"
    "out.close()\n";

static void run_oracle(const char *seed, const char *path)
{
    pid_t pid = fork();
    int how = 1;
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        execlp("python3", "python3", "-c", oracle, seed, path, (char *)NULL);
        _exit(127);
    }
    cr_assert_eq(waitpid(pid, &how, 0), pid);
    cr_assert_eq(how, 0, "the oracle did not run");
}

Test(zone, agrees_with_zoneinfo, .timeout = 300)
{
    char path[] = "/tmp/sluice-zone-XXXXXX", name[80];
    int64_t utc_s;
    int offset_s;
    unsigned rows = 0, zones = 0;
    const struct zone *zone = NULL;
    char last[80] = "";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    run_oracle("7", path);
    FILE *in = fdopen(fd, "r");
    while (fscanf(in, "%79s %" SCNd64 " %d", name, &utc_s, &offset_s) == 3) {
        if (strcmp(name, last) != 0) {
            cr_assert_eq(zone_open(str_c(name), &zone), ST_OK, "%s", name);
            snprintf(last, sizeof last, "%s", name);
            zones++;
        }
        int64_t have_ms = zone_offset_ms(zone, utc_s * 1000 + 999);
        cr_assert_eq(have_ms, (int64_t)offset_s * 1000, "%s at %" PRId64 ": %" PRId64 ", not %d s",
                     name, utc_s, have_ms / 1000, offset_s);
        rows++;
    }
    fclose(in);
    unlink(path);
    cr_expect_gt(zones, 400);
    cr_expect_gt(rows, 100000);
}

Test(zone, utc_is_no_zone)
{
    const struct zone *zone;
    cr_assert_eq(zone_open(STR(""), &zone), ST_OK);
    cr_expect_null(zone);
    cr_assert_eq(zone_open(STR("UTC"), &zone), ST_OK);
    cr_expect_null(zone);
    cr_expect_eq(zone_offset_ms(NULL, 1768478400000), 0);
    cr_expect_eq(zone_mark(NULL), 0);
}

Test(zone, names_that_are_none)
{
    static const char *const names[] = {"Europe/Atlantis", "../etc/passwd", "/etc/passwd",
                                        "Europe",          "tzdata.zi",     "zone.tab",
                                        "Europe/Ber lin",  "europe/berlin "};
    const struct zone *zone = NULL;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        cr_expect_neq(zone_open(str_c(names[i]), &zone), ST_OK, "%s", names[i]);
    cr_expect_null(zone);
}

Test(zone, is_kept)
{
    const struct zone *a, *b, *c;
    cr_assert_eq(zone_open(STR("Europe/Berlin"), &a), ST_OK);
    cr_assert_eq(zone_open(STR("Europe/Berlin"), &b), ST_OK);
    cr_assert_eq(zone_open(STR("Asia/Kathmandu"), &c), ST_OK);
    cr_expect_eq(a, b);
    cr_expect_neq(zone_mark(a), zone_mark(c));
}
