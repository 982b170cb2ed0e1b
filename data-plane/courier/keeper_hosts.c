/* keeper_hosts.c: collects host names from the catalog so that they are resolved before anybody
 * asks. Wrong or missing names cost a wait, never a wrong address: workers ask by themselves for
 * what they need. */
#include "data-plane/courier/keeper_hosts.h"

#include <stdlib.h>

#include "common/netaddr.h"

#define HOST_MAX_BYTES 253

struct host_list {
    struct str *hosts; /* borrowed from the catalog's transaction */
    size_t count, max;
};

struct str url_host(struct str url)
{
    struct str host;
    uint16_t port;
    ptrdiff_t scheme = str_find(url, STR("://"));
    if (scheme >= 0)
        url = str_from(url, (size_t)scheme + 3);
    ptrdiff_t slash = str_find_char(url, '/');
    if (slash >= 0)
        url = str_head(url, (size_t)slash);
    if (netaddr_split_port(url, 0, &host, &port) != ST_OK || host.n == 0 ||
        host.n > HOST_MAX_BYTES || netaddr_looks_numeric(host) || str_find_char(host, '{') >= 0)
        return STR_NONE;
    return host;
}

static void list_add(struct host_list *list, struct str url)
{
    struct str host = url_host(url);
    if (host.n > 0 && list->count < list->max)
        list->hosts[list->count++] = host;
}

static void list_add_all(struct host_list *list, struct str commas)
{
    struct str item;
    while (str_split(&commas, ',', &item))
        list_add(list, item);
}

static enum status integration_hosts(void *arg, struct str record)
{
    const struct cat_integration *row =
        CAT_AS(record, SLUICE__KIND__KIND_INTEGRATION, cat_integration);
    if (row == NULL || row->status != SLUICE__STATUS__STATUS_ACTIVE)
        return ST_OK;
    list_add(arg, cat_str(&row->head, row->base_url));
    list_add_all(arg, cat_str(&row->head, row->hosts));
    return ST_OK;
}

static enum status rules_hosts(void *arg, struct str record)
{
    const struct cat_rules *rules = cat_check_rules(record);
    if (rules == NULL)
        return ST_OK;
    for (uint64_t i = 0; i < (uint64_t)rules->exact_count + rules->pattern_count; i++) {
        list_add(arg, cat_str(&rules->head, rules->rules[i].base_url));
        list_add_all(arg, cat_str(&rules->head, rules->rules[i].hosts));
    }
    return ST_OK;
}

static int host_compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void catalog_hosts(struct catalog *catalog, size_t max, struct buf *out)
{
    struct host_list list = {.max = max * 8}; /* most are repetitions */
    list.hosts = calloc(list.max, sizeof *list.hosts);
    if (list.hosts == NULL)
        return;
    enum status status =
        catalog_each_of_kind(catalog, SLUICE__KIND__KIND_INTEGRATION, integration_hosts, &list);
    if (status == ST_OK)
        status = catalog_each_of_kind(catalog, CAT_KIND_RULES, rules_hosts, &list);
    qsort(list.hosts, list.count, sizeof *list.hosts, host_compare);
    size_t given = 0;
    for (size_t i = 0; i < list.count && given < max && status == ST_OK; i++) {
        if (i > 0 && str_eq(list.hosts[i], list.hosts[i - 1]))
            continue;
        buf_add_str(out, list.hosts[i]);
        buf_add_char(out, '\n');
        given++;
    }
    free(list.hosts);
}
