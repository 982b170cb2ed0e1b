/* bedrock.c: Amazon Bedrock as a family: routes of its runtime and control plane, credential,
 * errors.
 *
 * A request is signed (SigV4, service bedrock) or carries an API key as a bearer token. Errors are
 * {"message"} with the code in the x-amzn-errortype header. Bodies that do not fit are refused as
 * the front of AWS does it, with the place; AWS itself ignores unknown members.
 */
#include "tests/sim/aws/bedrock.h"

#include "tests/sim/aws/aws.h"
#include "tests/sim/aws/sigv4.h"
#include "tests/sim/reply.h"

static const struct route bedrock_routes[] = {
    {"POST", "model/*/converse", bedrock_converse, 0},
    {"POST", "model/*/converse-stream", bedrock_converse_stream, 0},
    {"POST", "model/*/invoke", bedrock_invoke, 0},
    {"POST", "model/*/invoke-with-response-stream", bedrock_invoke_stream, 0},
    {"POST", "model/*/count-tokens", bedrock_count_tokens, 0},
    {"GET", "foundation-models", bedrock_models_list, 0},
    {"GET", "foundation-models/*", bedrock_models_get, 0},
    {"GET", "inference-profiles", bedrock_profiles_list, 0},
    {"GET", "inference-profiles/*", bedrock_profiles_get, 0},
    {"POST", "model-invocation-job", bedrock_jobs_create, 0},
    {"GET", "model-invocation-jobs", bedrock_jobs_list, 0},
    {"GET", "model-invocation-job/*", bedrock_jobs_get, 0},
    {"POST", "model-invocation-job/*/stop", bedrock_jobs_stop, 0},
    {"POST", "model-customization-jobs", bedrock_tunings_create, 0},
    {"GET", "model-customization-jobs", bedrock_tunings_list, 0},
    {"GET", "model-customization-jobs/*", bedrock_tunings_get, 0},
    {"POST", "model-customization-jobs/*/stop", bedrock_tunings_stop, 0},
};

static bool bedrock_is_meant(const struct request *req)
{
    return sigv4_is_for(req, "/bedrock/") ||
           str_find(request_header(req, "host"), STR("bedrock")) >= 0;
}

static bool bedrock_admit(struct request *req)
{
    struct str bearer = request_header(req, "authorization");
    if (!str_starts(bearer, STR("Bearer ")))
        return sigv4_admit(req, "bedrock");
    if (bearer.n > 7 && options_accept_key(&req->sim->options, str_from(bearer, 7)))
        return true;
    reply_error(req, 403, "AccessDeniedException",
                STR("Authentication failed: Please make sure your API Key is valid."));
    return false;
}

static void bedrock_error(struct buf *out, const struct failure *failure)
{
    struct json_writer w;
    const char *code = failure->code == NULL ? aws_error_code(failure->status) : failure->code;
    if (failure->req != NULL) {
        buf_clear(&failure->req->extra_head);
        buf_printf(&failure->req->extra_head,
                   "x-amzn-errortype: %s:http://internal.amazon.com/coral/"
                   "com.amazon.bedrock/\r\n",
                   code);
    }
    jw_init(&w, out);
    jw_object(&w);
    jw_field_str(&w, "message",
                 failure->message.p == NULL ? aws_error_message(failure->status)
                                            : failure->message);
    jw_end(&w);
}

const struct family family_bedrock = {
    .name = "bedrock",
    .routes = bedrock_routes,
    .route_count = COUNT_OF(bedrock_routes),
    .is_meant = bedrock_is_meant,
    .admit = bedrock_admit,
    .head = aws_head,
    .error = bedrock_error,
};

void bedrock_refuse_shape(struct call *call, const struct shape_fault *fault)
{
    const struct shape_field *field = fault->field;
    switch (fault->rule) {
    case SHAPE_MISSING:
        call_error(call, 400, NULL, NULL,
                   "1 validation error detected: Value null at '%s' failed to satisfy constraint: "
                   "Member must not be null",
                   fault->path);
        break;
    case SHAPE_UNKNOWN:
        call_error(call, 400, NULL, NULL, "The member %s is not known at this place.", fault->path);
        break;
    case SHAPE_WRONG_TYPE:
        call_error(call, 400, "SerializationException", NULL, "%s has the wrong type", fault->path);
        break;
    case SHAPE_TOO_SMALL:
    case SHAPE_TOO_LARGE:
        call_error(
            call, 400, NULL, NULL,
            "1 validation error detected: Value at '%s' failed to satisfy constraint: "
            "Member must have value %s than or equal to %lld",
            fault->path, fault->rule == SHAPE_TOO_SMALL ? "greater" : "less",
            (long long)((fault->rule == SHAPE_TOO_SMALL ? field->min : field->max) / SHAPE_MICRO));
        break;
    case SHAPE_TOO_SHORT:
    case SHAPE_TOO_LONG:
        call_error(call, 400, NULL, NULL,
                   "1 validation error detected: Value at '%s' failed to satisfy constraint: "
                   "Member must have length %s than or equal to %lld",
                   fault->path, fault->rule == SHAPE_TOO_SHORT ? "greater" : "less",
                   (long long)(fault->rule == SHAPE_TOO_SHORT ? field->min : field->max));
        break;
    case SHAPE_NO_CHOICE:
        call_error(call, 400, NULL, NULL,
                   "1 validation error detected: Value '" STR_FMT "' at '%s' failed to satisfy "
                   "constraint: Member must satisfy enum value set: [%s]",
                   STR_ARG(str_head(fault->found, 100)), fault->path, field->choices);
        break;
    case SHAPE_NO_CASE:
    case SHAPE_NOT_ONE:
        call_error(call, 400, NULL, NULL,
                   "The union at '%s' must have exactly one of its members set.", fault->path);
        break;
    }
}

bool bedrock_check(struct call *call, const struct shape *shape)
{
    static const struct shape_style style = {.brackets = false};
    struct shape_fault fault;
    if (shape_check(call->root, shape, &style, call->arena, &fault))
        return true;
    bedrock_refuse_shape(call, &fault);
    return false;
}
