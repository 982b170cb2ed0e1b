/* console.c: GET /v1/console: what the console must know before anybody has signed in.
 *
 * Open to anybody who reaches the port, so it tells the address that is told to developers anyway
 * and nothing about tenants.
 */
#include "control-plane/api/fields.h"

enum status api_console_get(struct api_call *call)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    jw_field_cstr(w, "object", "console");
    jw_field_str(w, "gateway_url", call->api->gateway_url);
    jw_end(w);
    return ST_OK;
}
