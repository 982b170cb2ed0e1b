/* static.h: the console's files (admin-ui/dist), read from one folder.
 *
 * Read-only and stateless: each request opens the file below the folder descriptor with openat,
 * never following a symbolic link and never leaving the folder. Files above STATIC_MAX_BYTES are
 * refused. Thread-safe.
 */
#ifndef SLUICE_CONTROL_HTTP_STATIC_H
#define SLUICE_CONTROL_HTTP_STATIC_H

#include "control-plane/http/request.h"

#define STATIC_MAX_BYTES (8u << 20)

struct static_files;

/* Opens the folder. Pages may connect to their own origin and to that of `gateway_url` (the playground
 * calls models there; empty: none). ST_NOT_FOUND: there is none (the console is not built). ST_NO_MEMORY, ST_IO. */
MUST_USE enum status static_open(const char *folder, struct str gateway_url,
                                 struct static_files **files);
void static_close(struct static_files *files);

/* Answers a GET or HEAD: a file below assets/, another one by its extension, and index.html for all
 * else and for whatever a browser is sent to (Accept: text/html), because the console routes by
 * itself. A packed file goes out where Accept-Encoding takes it. ST_NOT_FOUND: no such file; the reply is untouched. ST_IO,
 * ST_NO_MEMORY, ST_TOO_LARGE. */
MUST_USE enum status static_serve(struct static_files *files, const struct http_request *request,
                                  struct http_reply *reply);

#endif
