#include "bridge/base/map.h"

#include "bridge/base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum { MAP_FIRST_BUCKETS = 16 };

static uint64_t secret_key[2];

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_release(struct map *map)
{
    if (map == NULL) {
        return;
    }
    assert(map->count == 0);
    free(map->buckets);
    map_init(map);
}

static struct map_node **bucket_of(const struct map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

/* Behind the nodes that the bucket has: of two with one key, the newer stays the first to be found. */
static void append(struct map *map, struct map_node *node)
{
    struct map_node **link = bucket_of(map, node->hash);
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = node;
    node->next = NULL;
}

static void resize(struct map *map, size_t bucket_count)
{
    struct map old = *map;
    map->buckets = memory_new(bucket_count * sizeof(struct map_node *));
    map->bucket_count = bucket_count;
    for (size_t i = 0; i < old.bucket_count; i++) {
        struct map_node *node = old.buckets[i];
        while (node != NULL) {
            struct map_node *next = node->next;
            append(map, node);
            node = next;
        }
    }
    free(old.buckets);
}

void map_add(struct map *map, struct map_node *node, uint64_t hash)
{
    if (map->count == map->bucket_count) {
        resize(map, map->bucket_count > 0 ? map->bucket_count * 2 : MAP_FIRST_BUCKETS);
    }
    struct map_node **bucket = bucket_of(map, hash);
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    map->count++;
}

struct map_node *map_find(const struct map *map, uint64_t hash, map_matches_fn matches, const void *key)
{
    if (map->count == 0) {
        return NULL;
    }
    struct map_node *node = *bucket_of(map, hash);
    while (node != NULL && (node->hash != hash || !matches(node, key))) {
        node = node->next;
    }
    return node;
}

void map_remove(struct map *map, struct map_node *node)
{
    struct map_node **link = bucket_of(map, node->hash);
    while (*link != node) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    map->count--;
    /* A flood that is over gives its memory back. */
    if (map->bucket_count > MAP_FIRST_BUCKETS && map->count < map->bucket_count / 8) {
        resize(map, map->bucket_count / 2);
    }
}

struct map_node *map_any(const struct map *map)
{
    for (size_t i = 0; map->count > 0 && i < map->bucket_count; i++) {
        if (map->buckets[i] != NULL) {
            return map->buckets[i];
        }
    }
    return NULL;
}

void map_visit(const struct map *map, void (*visit)(struct map_node *node, void *context), void *context)
{
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (struct map_node *node = map->buckets[i]; node != NULL; node = node->next) {
            visit(node, context);
        }
    }
}

void map_set_secret(const uint8_t secret[16])
{
    memcpy(secret_key, secret, sizeof(secret_key));
}

/* The finalizer of SplitMix64 (Steele, Lea, Flood, 2014): spreads consecutive numbers over all bits. */
uint64_t map_hash_number(uint64_t number)
{
    number += 0x9e3779b97f4a7c15u;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

static uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein, 2012): without the secret nobody can choose keys that collide. */
uint64_t map_hash_bytes(struct slice bytes)
{
    uint64_t v[4] = {secret_key[0] ^ 0x736f6d6570736575u, secret_key[1] ^ 0x646f72616e646f6du,
                     secret_key[0] ^ 0x6c7967656e657261u, secret_key[1] ^ 0x7465646279746573u};
    uint64_t word;
    size_t offset = 0;
    for (; offset + sizeof(word) <= bytes.size; offset += sizeof(word)) {
        memcpy(&word, bytes.data + offset, sizeof(word));
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)bytes.size << 56;
    for (size_t i = 0; offset + i < bytes.size; i++) {
        word |= (uint64_t)(uint8_t)bytes.data[offset + i] << (8 * i);
    }
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
