/* options.h: the command line of sluice-sim. Everything is borrowed from argv and lives as long as
 * the process. */
#ifndef SLUICE_TESTS_SIM_OPTIONS_H
#define SLUICE_TESTS_SIM_OPTIONS_H

#include "common/str.h"

#include <stddef.h>
#include <stdint.h>

#define OPTIONS_LIST_MAX 64 /* of each repeatable option */

struct options_list {
    const char *item[OPTIONS_LIST_MAX];
    size_t count;
};

struct options {
    const char *bind; /* IPv4 or IPv6 literal */
    uint16_t port;    /* 0: the kernel picks */
    const char *tls_cert, *tls_key;
    const char *truth_log;
    int64_t chunk_interval_ms;
    int64_t chunks; /* 0: one per token, at most 64 */
    int64_t latency_ms;
    int64_t job_ms; /* what runs in the background (batches, jobs, responses) takes this long */
    int64_t token_seconds; /* life of the tokens that are given out; 0: what was asked for */
    struct options_list accept_keys; /* none: any key is good */
    struct options_list models;
    struct options_list aws_keys;         /* ID:SECRET; none: the published example pair */
    int64_t url_keys;                     /* 1: Google's API keys may come in the URL */
    struct options_list service_accounts; /* files of Google service accounts */
    struct options_list entra_clients; /* TENANT/ID:SECRET; none: no client is known */
    struct options_list aws_roles; /* ARN or ARN=EXTERNAL_ID; none: any role, no external id */
};

/* Whether a credential is good: it was named with --accept-key, or none was. */
bool options_accept_key(const struct options *options, struct str key);

/* ST_INVALID after one line on stderr that names the option. ST_END when help was printed. */
MUST_USE enum status options_parse(int argc, char **argv, struct options *options);

#endif
