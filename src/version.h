/* The program's version: the one place where it is written. */
#ifndef SRC_VERSION_H
#define SRC_VERSION_H

#define MCP_BRIDGE_VERSION "0.1.0"

#endif
