/* config_refs.c: see config_refs.h. A document that names a provider in a way that is not known
 * here is only not warned about; what it may do is decided when a request is routed. */
#include "control-plane/domain/config_refs.h"

static bool text_names(struct str text, struct str slug, bool whole)
{
    if (text.n > 0 && text.p[0] == '@') {
        struct str rest = str_from(text, 1), first;
        return str_split(&rest, '/', &first) && str_eq(first, slug);
    }
    return whole && str_eq(text, slug);
}

bool config_refs_name(const struct json *document, struct arena *arena, struct str slug)
{
    for (const struct json *item = document == NULL ? NULL : document->first; item != NULL;
         item = item->next) {
        struct str text;
        bool whole = str_eq(item->key, STR("provider")) || str_eq(item->key, STR("virtual_key")) ||
                     str_eq(item->key, STR("virtualKey"));
        if (item->type == JSON_STRING && json_text(item, arena, &text) == ST_OK &&
            text_names(text, slug, whole))
            return true;
        if ((item->type == JSON_OBJECT || item->type == JSON_ARRAY) &&
            config_refs_name(item, arena, slug))
            return true;
    }
    return false;
}
