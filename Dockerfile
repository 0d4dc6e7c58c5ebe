# The bridge alone. A server that needs a runtime (Node.js, Python, ...) comes in an image of its own, made from that
# runtime's image: COPY --from=... /usr/bin/mcp-bridge and the three libraries below.

FROM docker.io/library/debian:bookworm-slim AS build
WORKDIR /source
COPY .ci/deps .ci/deps
RUN .ci/deps build
COPY . .
RUN make install DESTDIR=/image PREFIX=/usr CFLAGS="-O2"

FROM docker.io/library/debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends libuv1 libcjson1 libsodium23 >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
    && groupadd --gid 10001 bridge \
    && useradd --uid 10001 --gid bridge --home-dir /var/lib/mcp-bridge --no-create-home --shell /usr/sbin/nologin bridge \
    && install -d -o bridge -g bridge /var/lib/mcp-bridge
COPY --from=build /image/usr/bin/mcp-bridge /usr/bin/mcp-bridge

LABEL org.opencontainers.image.title="mcp-bridge" \
      org.opencontainers.image.description="Serves stdio MCP servers over Streamable HTTP" \
      org.opencontainers.image.licenses="MIT"

# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/mcp-bridge
# In a container the loopback is nobody's: without this no port could be published.
ENV MCP_BRIDGE_HOST=0.0.0.0
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["mcp-bridge"]
