/* router.h: from a method and a path to a row of routes.def.
 *
 * Pure over a table that is given; nothing is allocated but decoded parameters. Paths are written
 * from "/v1"; "/v2" is an alias and one trailing slash is ignored. {name} stands for one segment,
 * {name*} at the end for all that follows. The first row that fits wins, so a literal path stands
 * before the pattern that would cover it.
 */
#ifndef SLUICE_CONTROL_HTTP_ROUTER_H
#define SLUICE_CONTROL_HTTP_ROUTER_H

#include "control-plane/http/request.h"

#define ROUTE_PARAMS_MAX 4

struct api_call;
struct field_set;

/* Which keys may come at all; what they may do is the scope's affair. */
enum route_who {
    ROUTE_ANYONE = 0, /* no key needed */
    ROUTE_NO_KEY = 4, /* none: people only */
    ROUTE_ORG = 1,    /* organisation-service keys */
    ROUTE_WS = 2,     /* workspace-service and workspace-user keys */
    ROUTE_KEY = 3,    /* any of them */
};

struct route {
    enum http_method method;
    const char *path;
    const char *scope; /* one of these scopes, separated by '|'; "" = any valid key */
    enum route_who who;
    unsigned people;                /* enum people (auth/roles.h): who of the signed-in may */
    const struct field_set *fields; /* what the body may hold; an empty set = no body is read */
    enum status (*handler)(struct api_call *call);
    bool acts; /* runs outside any transaction */
    const char *name; /* of the handler: "workspaces_create" */
};

struct route_match {
    const struct route *route;
    struct str params[ROUTE_PARAMS_MAX]; /* decoded */
    size_t param_count;
    char allow[64]; /* on ST_METHOD: the methods that the path has */
};

/* ST_NO_ROUTE: no such path. ST_METHOD: not with this method (HEAD counts as GET). ST_INVALID:
 * broken escape in a parameter. ST_NO_MEMORY. Parameters are put into the arena. */
MUST_USE enum status router_find(const struct route *routes, size_t count, enum http_method method,
                                 struct str path, struct arena *arena, struct route_match *match);

#endif
