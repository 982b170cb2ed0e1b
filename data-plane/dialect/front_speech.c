/* front_speech.c: POST /v1/audio/speech in OpenAI's words; the answer is the sound itself.
 *
 * Source: OpenAI API reference, "Create speech".
 */
#include "data-plane/dialect/front_simple.h"

static enum status read(struct dialect_call *call, struct str body, struct simple *ask)
{
    static const char *const own[] = {"input", NULL};
    struct str raws[1] = {STR_NONE};
    TRY(simple_read_members(call, body, own, raws, ask));
    return front_simple_text(call, raws[0], "input", &ask->prompt);
}

static void write(struct dialect_call *call, const struct simple *ask,
                  const struct simple_answer *answer)
{
    (void)ask;
    buf_add_str(&call->out, answer->bytes);
    call->out_type = answer->mime;
}

static const struct simple_front simple = {.read = read, .write = write};

extern const struct front front_speech;
const struct front front_speech = {
    .name = "speech", .op = OP_AUDIO_SPEECH, .simple = &simple, .error = front_openai_chat_error};
