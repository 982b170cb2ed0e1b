/* family.h: one provider's API as a whole: its routes, how it judges a credential, how its errors
 * and reply heads look.
 *
 * A request belongs to one family from its first look (dispatch.c) to its end; everything that is
 * said in a provider's own words goes through these functions, so faults, unknown paths and
 * refusals have the shape of the API that was called. All are static data.
 */
#ifndef SLUICE_TESTS_SIM_FAMILY_H
#define SLUICE_TESTS_SIM_FAMILY_H

#include "tests/sim/call.h"

struct route {
    const char *method;
    /* Segments after any base path; '*' is one segment, "*:verb" one that ends so, a last '**' all
     * that is left. */
    const char *path;
    void (*call)(struct call *call);
    unsigned flags; /* enum route_flag, or-ed */
};

enum route_flag {
    ROUTE_SHARED =
        1,         /* other APIs have this path, too: it is taken only when the family is meant */
    ROUTE_RAW = 2, /* the body is no JSON: call->root stays NULL */
};

struct failure {
    struct request *req; /* NULL in a batch row */
    int status;
    const char *code, *param; /* in the family's own words; NULL: what follows from the status */
    struct str message;       /* p = NULL: what this API says with this status */
};

struct family {
    const char *name;
    const char *content_type; /* of replies whose handler says nothing; NULL: application/json */
    const struct route *routes;
    size_t route_count;
    /* Whether a request on a shared path, or on a path of nobody, is for this API. */
    bool (*is_meant)(const struct request *req);
    /* Judges the credential; false: the refusal is the reply. */
    bool (*admit)(struct request *req);
    /* Appends the header lines that every reply of this API has. */
    void (*head)(struct request *req, struct buf *out);
    /* Appends the error body; may add header lines to the request's extra_head. */
    void (*error)(struct buf *out, const struct failure *failure);
};

extern const struct family family_openai;
extern const struct family family_anthropic;
extern const struct family family_bedrock;
extern const struct family family_cohere;
extern const struct family family_gemini;
extern const struct family family_gcs;
extern const struct family family_google_oauth;
extern const struct family family_s3;
extern const struct family family_sts;
extern const struct family family_vertex;

/* The media type of a reply whose handler says nothing about it. */
static inline const char *family_content_type(const struct family *family)
{
    return family->content_type == NULL ? "application/json" : family->content_type;
}

/* The route that the end of `path` matches, trying the longest end first; NULL: none. `req` (NULL:
 * a batch row, OpenAI's) decides about shared routes. *id is what stood for the last star; *family
 * is set in any case; *wrong_method when only the method does not fit. */
const struct route *routes_find(const struct request *req, struct str method, struct str path,
                                struct str *id, const struct family **family, bool *wrong_method);

/* The family of a call. */
const struct family *call_family(const struct call *call);

#endif
