/* back_vertex.h: Vertex AI: one service with the APIs of several makers (vertex_model.h), one
 * address scheme, and one way to prove who asks.
 *
 * Source: Vertex AI reference (v1): projects.locations.publishers.models,
 * projects.locations.endpoints; Anthropic's Vertex SDK; Google, "Using OAuth 2.0 for Server to
 * Server Applications".
 */
#ifndef SLUICE_DATA_DIALECT_BACK_VERTEX_H
#define SLUICE_DATA_DIALECT_BACK_VERTEX_H

#include "data-plane/dialect/token.h"
#include "data-plane/dialect/vertex_model.h"

#define BACK_VERTEX_BASE "/v1/projects/{vertex_project_id}/locations/{vertex_region}/"
#define BACK_VERTEX_PATH BACK_VERTEX_BASE "publishers/google/models/{model}:generateContent"

/* The back of this model; target->model becomes what stands in the path or in the body. */
const struct back *back_vertex_choose(struct arena *arena, struct dialect_target *target);
/* back.path of all of them. */
enum status back_vertex_path(const struct dialect_target *target, struct str row, bool stream,
                             struct buf *out);
/* simple_op.path: a verb behind Google's model. */
enum status back_vertex_embed_path(const struct dialect_target *target, struct str row,
                                   struct buf *out);
enum status back_vertex_image_path(const struct dialect_target *target, struct str row,
                                   struct buf *out);
/* back.sign: a given token, a service account's, or an API key (express mode). */
enum status back_vertex_sign(const struct dialect_signing *signing);
/* back.error: Google's shape, or the maker's. */
void back_vertex_error(struct dialect_call *call, const struct json *body,
                       struct chat_error *error);

/* A service account's access token, for one hour. */
extern const struct token_kind back_vertex_token;

#endif
