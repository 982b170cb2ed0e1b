/* back_gemini_simple.h: Google's operations without a conversation, shared by the Gemini API and
 * Vertex AI: embeddings, pictures, speech. As simple_op's functions. */
#ifndef SLUICE_DATA_DIALECT_BACK_GEMINI_SIMPLE_H
#define SLUICE_DATA_DIALECT_BACK_GEMINI_SIMPLE_H

#include "data-plane/dialect/back_gemini.h"
#include "data-plane/dialect/simple.h"

bool back_gemini_is_vertex(const struct dialect_call *call);
/* A part {"inlineData":...}. */
void back_gemini_write_inline(struct json_writer *w, struct str mime, struct str data);

/* Vertex AI: a model that embeds words and pictures; one that takes a single input. */
bool back_gemini_embeds_media(struct str model);
bool back_gemini_embeds_single(struct str model);
/* A model that makes pictures by predict; others make them by generateContent. */
bool back_gemini_is_imagen(struct str model);

extern const struct simple_rule back_gemini_embed_rules[];
enum status back_gemini_embed_write(struct dialect_call *call, const struct simple *ask,
                                    struct buf *out);
enum status back_gemini_embed_read(struct dialect_call *call, const struct simple *ask,
                                   struct str type, struct str body, struct simple_answer *answer);

extern const struct simple_rule back_gemini_image_rules[];
enum status back_gemini_image_write(struct dialect_call *call, const struct simple *ask,
                                    struct buf *out);
enum status back_gemini_image_read(struct dialect_call *call, const struct simple *ask,
                                   struct str type, struct str body, struct simple_answer *answer);

extern const struct simple_rule back_gemini_speech_rules[];
enum status back_gemini_speech_write(struct dialect_call *call, const struct simple *ask,
                                     struct buf *out);
enum status back_gemini_speech_read(struct dialect_call *call, const struct simple *ask,
                                    struct str type, struct str body, struct simple_answer *answer);

#endif
