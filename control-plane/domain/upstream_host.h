/* upstream_host.h: where an integration's requests go: the effective base URL and the hosts that
 * may get its credential.
 *
 * The base URL is the integration's custom host, or the provider row's with its {placeholders}
 * filled from the configuration. Values of placeholders and custom hosts come from admins and are
 * checked here so that none can smuggle in another host, a user, a port or a path where only a name
 * belongs. Hosts that exchange a credential for tokens (the row's token_hosts) may always get it. The
 * worker classifies every address again when it connects; this check is for people,
 * that one for attackers. Pure. Everything given lives in the arena.
 */
#ifndef SLUICE_CONTROL_DOMAIN_UPSTREAM_HOST_H
#define SLUICE_CONTROL_DOMAIN_UPSTREAM_HOST_H

#include "common/json_tree.h"
#include "proto/catalog.pb-c.h"

#define UPSTREAM_HOSTS_MAX 16
#define UPSTREAM_URL_MAX   2048

struct upstream_host {
    char *base_url; /* "" when a placeholder of it has no value, or the row has none and no custom
                       host is given */
    struct str
        hosts[UPSTREAM_HOSTS_MAX]; /* host, or host:port if not the scheme's own; lower case */
    size_t host_count;
};

struct upstream_input {
    const Sluice__ProviderType *type;
    const struct json *configurations; /* an object, or NULL */
    struct str allowed_private;        /* comma list of CIDRs that the operator opened */
};

/* On ST_INVALID `why` names the configuration field and the fault. ST_NO_MEMORY. */
MUST_USE enum status upstream_host_make(struct arena *arena, const struct upstream_input *input,
                                        struct upstream_host *out, struct str *why);

/* Checks one custom host (http or https URL; a bare host is taken as https) and gives it without a
 * trailing slash, and its host. An address in a private range must lie in `allowed_private`; http
 * needs that too. */
MUST_USE enum status upstream_host_check(struct arena *arena, struct str url,
                                         struct str allowed_private, char **base_url,
                                         struct str *host, const char **why);

#endif
