/*
 * Clients and children of the revision 2026-07-28 for a bridge in a fake world, and children of the older ones beside
 * them.
 */
#ifndef TESTS_UNIT_BRIDGE_ERA_FIXTURE_H
#define TESTS_UNIT_BRIDGE_ERA_FIXTURE_H

#include "tests/unit/bridge/bridge_fixture.h"

#define ERA_META_OF(capabilities)                                            \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"," \
    "\"io.modelcontextprotocol/clientCapabilities\":" capabilities "}"
#define ERA_INFO "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"fake\",\"version\":\"1\"}}"
#define ERA_RESULT(id, members) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{" members "}}"
#define ERA_ERROR(id, code, text) \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" text "\"}}"
#define ERA_NOTE(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":{" params "}}"

/* What a child of the modern era answers to server/discover: the members of the result. */
extern const char era_discover[];

/* A modern client's request. What is NULL is left out, or as it is in most requests. */
struct era_request {
    const char *id;           /* as JSON; 1 */
    const char *method;       /* "tools/list" */
    const char *name;         /* params.name, and the header */
    const char *params;       /* more members of params */
    const char *capabilities; /* as JSON; {} */
    const char *meta;         /* more members of _meta */
    const char *key;          /* the value of the header X-Key */
};

/* For cmocka: a bridge_fixture whose server speaks the modern era only; its subscription for its sessions is open. */
int era_set_up_modern(void **state);

/* The headers of the request say what its body says. */
struct fake_exchange *era_post(struct bridge_fixture *fixture, const struct era_request *request);

/* The children's number n (from 0) in the order of their start. */
struct fake_child *era_child(struct bridge_fixture *fixture, size_t n);

/* The child starts a process and makes the handshake, as one of the legacy or the modern era, and is read out. */
void era_shake_legacy(struct fake_child *child);
void era_shake_modern(struct fake_child *child);

/* It refuses initialize, as a server of the modern era only does. */
void era_refuse_legacy(struct fake_child *child);

/* The child answers its last request with these members of a result, or as an error with the code. */
void era_answer(struct fake_child *child, const char *members);
void era_answer_to(struct fake_child *child, uint64_t wire_id, const char *members);
void era_answer_error(struct fake_child *child, int code);

/* The child is asked for its tools, and has none with headers. */
void era_list_tools(struct fake_child *child);

/* Requires that the child was sent a request of this method, and that its line holds `part`. */
void era_expect_request(struct fake_child *child, const char *method, const char *part);

/* The value of a member of the answer's result, as JSON in a buffer that the next call reuses. */
const char *era_result_member(struct fake_exchange *exchange, const char *name);

/* Requires that the answer holds this text. */
void era_expect_in_answer(struct fake_exchange *exchange, int status, const char *text);

/* A legacy session whose client declares these capabilities; its name lives as long as the fixture. */
const char *era_open_session(struct bridge_fixture *fixture, const char *capabilities);

#endif
