/* node_bundle.h: what a node needs to join: one file, written at enrolment by sluicectl, read by
 * sluice-gateway.
 *
 *   sluice-node-bundle 1
 *   node <uuid>              node_key <base64url, 32 bytes>
 *   name <text>              public_key <base64url, X25519>
 *   region <text>            private_key <base64url, X25519>
 *   link_url tls+tcp://..    ca <base64url of the PEM text>
 *   control_url <url>        cert, key likewise
 *
 * one field a line, or the same text as one line: "slnb1." + base64url(text), which survives copy
 * and paste.
 *
 * The file is a secret (0600): it lets its holder be that node. Two shapes: whole (the master's),
 * and the link's part without the X25519 private key (the courier's: it must never be able to open
 * a delivery key). Unknown lines are ignored; a missing, repeated or malformed one refuses the
 * bundle. Owner: whoever parsed it; secrets inside die with node_bundle_free. One thread.
 */
#ifndef SLUICE_COMMON_NODE_BUNDLE_H
#define SLUICE_COMMON_NODE_BUNDLE_H

#include "common/frame.h"
#include "common/secret.h"

#define NODE_BUNDLE_MAX_BYTES (64u << 10)
#define NODE_BUNDLE_TEXT_MAX  64 /* name, region */
#define NODE_BUNDLE_URL_MAX   255
#define NODE_BUNDLE_PEM_MAX   8192
#define NODE_BUNDLE_KEY_BYTES 32

struct node_bundle {
    struct id node;
    char name[NODE_BUNDLE_TEXT_MAX + 1];
    char region[NODE_BUNDLE_TEXT_MAX + 1];
    char link_url[NODE_BUNDLE_URL_MAX + 1];
    char control_url[NODE_BUNDLE_URL_MAX + 1];
    uint8_t public_key[NODE_BUNDLE_KEY_BYTES];
    struct secret *node_key;    /* 32 bytes */
    struct secret *private_key; /* 32 bytes; NULL in the link's part */
    char *ca_pem, *cert_pem;    /* NUL-terminated */
    struct secret *key_pem;     /* with its NUL */
};

/* Writes the bundle as lines; `whole` false leaves the private key out. gives. ST_NO_MEMORY,
 * ST_TOO_LARGE. */
MUST_USE enum status node_bundle_format(const struct node_bundle *bundle, bool whole,
                                        struct secret **text);
/* The same as one line (always whole). gives. */
MUST_USE enum status node_bundle_token(const struct node_bundle *bundle, struct secret **line);

/* Reads either shape; a bundle without a private key is the link's part. copies. ST_BAD_FORMAT,
 * ST_NO_MEMORY. */
MUST_USE enum status node_bundle_parse(struct str text, struct node_bundle *bundle);
/* Reads a descriptor to its end and closes it. ST_BAD_FORMAT, ST_IO, ST_NO_MEMORY. */
MUST_USE enum status node_bundle_read_fd(int fd, struct node_bundle *bundle);
/* ST_NOT_FOUND, ST_INVALID (readable by group or others), and as node_bundle_read_fd. */
MUST_USE enum status node_bundle_read(const char *path, struct node_bundle *bundle);
/* Creates `path` (0600) with the whole bundle and makes it durable; never overwrites. ST_CONFLICT:
 * it exists. ST_IO. */
MUST_USE enum status node_bundle_write(const char *path, const struct node_bundle *bundle);

/* Makes a new node's keys: node_key, private_key, public_key. ST_NO_MEMORY, ST_IO. */
MUST_USE enum status node_bundle_make_keys(struct node_bundle *bundle);

/* wipes and releases; the struct is zero afterwards. NULL and zeroed structs are fine. */
void node_bundle_free(struct node_bundle *bundle);

#endif
