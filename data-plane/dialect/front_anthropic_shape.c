/* front_anthropic_shape.c: the pieces that a stream and a whole message share, and errors.
 *
 * One writer for each piece, so that a stream put together by a client equals the whole message.
 * Source: Anthropic API reference ("Messages", "Errors"). An error's type follows its status: other
 * providers' words for it mean nothing to Anthropic's SDKs.
 */
#include "data-plane/dialect/front_anthropic.h"

bool front_anthropic_is_claude(const struct dialect_call *call)
{
    return call->back->signs_as != NULL && strcmp(call->back->signs_as, CLAUDE_SIGNS) == 0;
}

void front_anthropic_head(struct json_writer *w, struct chat_text id, struct chat_text model)
{
    struct str inner = chat_text_inner(id);
    jw_key(w, "id");
    jw_raw(w, str_starts(inner, STR("msg_")) ? STR("\"") : STR("\"msg_"));
    buf_add_str(w->buf, inner);
    buf_add_char(w->buf, '"');
    jw_field_cstr(w, "type", "message");
    jw_field_cstr(w, "role", "assistant");
    jw_field_raw(w, "model", model.raw);
}

void front_anthropic_usage(struct json_writer *w, const struct slot_usage *usage)
{
    uint64_t beside = usage->cached_tokens + usage->cache_write_tokens;
    jw_object(w);
    jw_field_u64(w, "input_tokens",
                 usage->input_tokens > beside ? usage->input_tokens - beside : 0);
    jw_field_u64(w, "cache_creation_input_tokens", usage->cache_write_tokens);
    jw_field_u64(w, "cache_read_input_tokens", usage->cached_tokens);
    jw_field_u64(w, "output_tokens", usage->output_tokens);
    jw_key(w, "output_tokens_details");
    jw_object(w);
    jw_field_u64(w, "thinking_tokens", usage->reasoning_tokens);
    jw_end(w);
    jw_end(w);
}

const char *front_anthropic_stop(enum chat_finish finish, bool refused)
{
    switch (finish) {
    case CHAT_FINISH_STOP_SEQUENCE:
        return "stop_sequence";
    case CHAT_FINISH_LENGTH:
        return "max_tokens";
    case CHAT_FINISH_WINDOW:
        return "model_context_window_exceeded";
    case CHAT_FINISH_TOOL_CALLS:
        return "tool_use";
    case CHAT_FINISH_REFUSAL:
    case CHAT_FINISH_FILTER:
        return "refusal";
    case CHAT_FINISH_PAUSE:
        return "pause_turn";
    case CHAT_FINISH_NONE:
    case CHAT_FINISH_STOP:
    case CHAT_FINISH_ERROR:
        break;
    }
    return refused ? "refusal" : "end_turn";
}

void front_anthropic_ending(struct json_writer *w, enum chat_finish finish, struct chat_text stop,
                            bool refused)
{
    const char *reason = front_anthropic_stop(finish, refused);
    jw_field_cstr(w, "stop_reason", reason);
    jw_key(w, "stop_sequence");
    if (finish == CHAT_FINISH_STOP_SEQUENCE && chat_has(stop))
        jw_raw(w, stop.raw);
    else
        jw_null(w);
    jw_key(w, "stop_details");
    if (strcmp(reason, "refusal") == 0)
        jw_raw(w, STR("{\"type\":\"refusal\",\"category\":null,\"explanation\":null}"));
    else
        jw_null(w);
}

bool front_anthropic_cites(const struct dialect_call *call, const struct chat_citation *citation)
{
    return front_anthropic_is_claude(call) || chat_has(citation->url);
}

/* Claude's own citations as they are; an address from elsewhere as a result of a search. */
void front_anthropic_citation(struct dialect_call *call, struct json_writer *w,
                              const struct chat_citation *citation)
{
    if (front_anthropic_is_claude(call)) {
        jw_raw(w, citation->json);
        return;
    }
    jw_object(w);
    jw_field_cstr(w, "type", "web_search_result_location");
    jw_field_raw(w, "url", citation->url.raw);
    jw_field_raw(w, "title", chat_has(citation->title) ? citation->title.raw : STR("\"\""));
    jw_field_raw(w, "cited_text", chat_has(citation->quote) ? citation->quote.raw : STR("\"\""));
    jw_field_cstr(w, "encrypted_index", "");
    jw_end(w);
}

struct chat_text front_anthropic_signature(struct dialect_call *call, enum chat_proof proof,
                                           struct str origin, struct chat_text signature)
{
    if (origin.n == 0 && call->back->signs_as != NULL)
        origin = str_c(call->back->signs_as);
    if (!chat_has(signature) || origin.n == 0 || str_eq(origin, STR(CLAUDE_SIGNS)))
        return signature;
    struct chat_text joined = chat_proof_join(call->scratch, origin, proof, signature);
    if (!chat_has(joined))
        call->out.failed = ST_NO_MEMORY;
    return chat_has(joined) ? joined : signature;
}

void front_anthropic_source(struct json_writer *w, const struct chat_media *media)
{
    bool data = media->source == CHAT_SOURCE_DATA;
    jw_key(w, "source");
    jw_object(w);
    jw_field_cstr(w, "type", data ? "base64" : "url");
    if (data)
        jw_field_str(w, "media_type", media->mime);
    jw_key(w, data ? "data" : "url");
    jw_raw(w, STR("\""));
    buf_add_str(w->buf, media->inner);
    buf_add_char(w->buf, '"');
    jw_end(w);
}

const char *front_anthropic_error_type(int http)
{
    switch (http) {
    case 401:
        return "authentication_error";
    case 402:
        return "billing_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 413:
        return "request_too_large";
    case 429:
        return "rate_limit_error";
    case 503:
    case 529:
        return "overloaded_error";
    case 408:
    case 504:
        return "timeout_error";
    default:
        return http >= 500 || http == 0 ? "api_error" : "invalid_request_error";
    }
}

void front_anthropic_error(struct dialect_call *call, const struct chat_error *error,
                           bool in_stream)
{
    struct json_writer w;
    if (in_stream)
        buf_add_lit(&call->out, "event: error\ndata: ");
    jw_init(&w, &call->out);
    jw_object(&w);
    jw_field_cstr(&w, "type", "error");
    jw_key(&w, "error");
    jw_object(&w);
    jw_field_cstr(&w, "type", front_anthropic_error_type(error->http));
    jw_field_str(&w, "message", error->message);
    jw_end(&w);
    jw_field_str(&w, "request_id", call->answer_id);
    jw_end(&w);
    if (in_stream)
        buf_add_lit(&call->out, "\n\n");
}
