/*
 * A hash map whose nodes stand inside the objects. Chained; it doubles when it is full and never shrinks below
 * its first size. Keys may come from a peer, so byte keys are hashed with SipHash under a secret of the process.
 */
#ifndef BRIDGE_BASE_MAP_H
#define BRIDGE_BASE_MAP_H

#include "bridge/base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

/* Whether the object around `node` has this key. */
typedef bool (*map_matches_fn)(const struct map_node *node, const void *key);

struct map {
    struct map_node **buckets; /* owned; a power of two of them */
    size_t bucket_count;
    size_t count;
};

void map_init(struct map *map);

/* The map must be empty: it owns no node. */
void map_release(struct map *map);

void map_add(struct map *map, struct map_node *node, uint64_t hash);
struct map_node *map_find(const struct map *map, uint64_t hash, map_matches_fn matches, const void *key);

/* The node must be in the map. */
void map_remove(struct map *map, struct map_node *node);

/* Any one node, NULL when empty: for emptying a map. */
struct map_node *map_any(const struct map *map);

/* Calls `visit` for every node; it may change the objects but not the map. */
void map_visit(const struct map *map, void (*visit)(struct map_node *node, void *context), void *context);

uint64_t map_hash_bytes(struct slice bytes);
uint64_t map_hash_number(uint64_t number);

/* The secret of map_hash_bytes(): set once at start from the system's random source, before any map is filled. */
void map_set_secret(const uint8_t secret[16]);

#endif
