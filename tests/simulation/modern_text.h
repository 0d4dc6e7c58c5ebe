/*
 * The messages of the modern era as the simulation writes them: what a client sends, what a child of the legacy era
 * must be given of it, and what the client must be given of the child's answer.
 */
#ifndef TESTS_SIMULATION_MODERN_TEXT_H
#define TESTS_SIMULATION_MODERN_TEXT_H

#include "tests/simulation/request.h"

#define MODERN_KEY "io.modelcontextprotocol/"

/* Appends the request as its client sends it, or a child of its own era reads it. */
void modern_text_write(const struct request *request, struct buffer *out, const char *id, const char *token);

/* The same for a child of the legacy era. */
void modern_text_write_legacy(const struct request *request, struct buffer *out, const char *id, const char *token);

/* Appends a legacy child's answer as the client must be given it. */
void modern_text_write_answer(const struct saying *saying, const struct request *request, const char *id,
                              struct buffer *out);

/* Appends a legacy child's notification as the subscription with this id must be given it. */
void modern_text_write_change(const struct saying *saying, const char *id, struct buffer *out);

#endif
