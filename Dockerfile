# syntax=docker/dockerfile:1
# The server alone: it needs a PostgreSQL elsewhere, named by DATABASE_URL. docker-compose.yml brings both.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The caches outlive the build, so the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin millrace \
    && cp target/release/millrace /usr/local/bin/millrace

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin millrace
COPY --from=build /usr/local/bin/millrace /usr/local/bin/millrace
USER millrace
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["millrace", "healthcheck"]
ENTRYPOINT ["millrace"]
CMD ["serve"]
