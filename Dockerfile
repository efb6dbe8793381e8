# Three images from one base (docs/compose.md): database, edge, and serve, which is the default.
# BASE is any Debian 12 with a working package source.
ARG BASE=debian:12-slim

# PostgreSQL 15 with a cluster of its own, reached over a shared directory of sockets: peer authentication, no password.
FROM ${BASE} AS database
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-common \
 && echo 'create_main_cluster = false' >>/etc/postgresql-common/createcluster.conf \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-15 \
 && rm -rf /var/lib/apt/lists/* \
 # PostgreSQL knows the service by the name of its user, which has the same number in the image `serve`.
 && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin azsacr \
 && install -d -o postgres -g postgres -m 0700 /var/lib/azsacr-database \
 && install -d -o postgres -g postgres -m 0755 /run/azsacr-database
COPY deploy/database /usr/local/bin/azsacr-database
USER postgres
VOLUME /var/lib/azsacr-database /run/azsacr-database
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=5 \
  CMD ["/usr/lib/postgresql/15/bin/pg_isready", "-q", "-h", "/run/azsacr-database", "-d", "azsacr"]
ENTRYPOINT ["/usr/local/bin/azsacr-database"]

FROM ${BASE} AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      gcc libc6-dev cmake ninja-build pkg-config libh2o-evloop-dev libmicrohttpd-dev libpq-dev libssl-dev libjansson-dev \
      libjwt-dev libcurl4-openssl-dev \
 && rm -rf /var/lib/apt/lists/*
COPY . /source
RUN cmake -S /source -B /build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DAZSACR_TESTS=OFF \
 && cmake --build /build --target azsacrd

# What `edge` and `serve` have in common: the program's libraries, and its user, who is of the edge's group.
FROM ${BASE} AS runtime
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      libh2o-evloop0.13 libmicrohttpd12 libpq5 libjansson4 libjwt0 libcurl4 openssl ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --groups www-data --no-create-home --home-dir /var/lib/azsacr \
      --shell /usr/sbin/nologin azsacr \
 && install -d -o azsacr -g azsacr -m 0711 /var/lib/azsacr /run/azsacr
ENV AZSACR_STATE=/var/lib/azsacr AZSACR_RUNTIME=/run/azsacr AZSACR_PORT=443
VOLUME /var/lib/azsacr /run/azsacr

# nginx, configured by the program. Its master is root, to read the key and to take port 443; its workers are www-data.
FROM runtime AS edge
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx-light \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/azsacrd /usr/local/bin/
COPY deploy/edge deploy/edge-health /usr/local/bin/
STOPSIGNAL SIGQUIT
EXPOSE 443
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=5 CMD ["/usr/local/bin/edge-health"]
ENTRYPOINT ["/usr/local/bin/edge"]

FROM runtime AS serve
COPY --from=build /build/azsacrd /usr/local/bin/
USER azsacr
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=5 CMD ["azsacrd", "health"]
ENTRYPOINT ["azsacrd"]
CMD ["serve"]
