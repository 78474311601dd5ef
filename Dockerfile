# syntax=docker/dockerfile:1
# Two images: `site`, the page and the look-alike API, and `index`, the index as a service.
#
#   docker build --target site --tag lookalikes-site .
#
# The networks and the demo gallery are in the first. Neither has a shell.

ARG ASSETS_IMAGE=node:22-bookworm-slim
ARG BUILD_IMAGE=rust:1.95-slim-bookworm
# Needs glibc of Debian 12 or newer, libstdc++ and the certificates of authorities.
ARG RUN_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${ASSETS_IMAGE} AS assets
# What Debian has today is what is wanted: of this stage only files with pinned hashes are taken.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY embed/assets embed/assets
RUN embed/assets/fetch && rm -r assets/bin assets/cache

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --package embed --package lambda \
 && install --strip -D --target-directory=/out/bin \
    target/release/embed target/release/health target/release/index target/release/lambda target/release/push \
 && mkdir /out/data
COPY --from=assets /src/assets assets
RUN /out/bin/embed import folder assets/gallery --store /out/gallery

FROM ${RUN_IMAGE} AS run
COPY --from=build /out/bin/health /usr/local/bin/
WORKDIR /srv
ENV HOST=0.0.0.0
USER 65532:65532

FROM run AS site
COPY --from=build /out/bin/lambda /out/bin/push /usr/local/bin/
COPY --from=assets /src/assets/models /srv/assets/models
COPY --from=assets /src/assets/onnxruntime /srv/assets/onnxruntime
COPY --from=build /out/gallery /srv/gallery
COPY site /srv/site
ENV PORT=8080 MODELS_DIR=/srv/assets STORE=/srv/gallery SITE_DIR=/srv/site
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["/usr/local/bin/health", "/readyz"]
ENTRYPOINT ["/usr/local/bin/lambda"]

FROM run AS index
COPY --from=build /out/bin/index /usr/local/bin/
# A new volume takes its owner from here.
COPY --from=build --chown=65532:65532 /out/data /data
ENV PORT=8081
EXPOSE 8081
VOLUME /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/health", "/readyz"]
ENTRYPOINT ["/usr/local/bin/index"]
CMD ["--data", "/data"]
