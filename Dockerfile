# syntax=docker/dockerfile:1
# The page is built by Node, the wheel by Python with the page in it, and what runs holds neither compiler nor npm nor the tools
# of the tests. `make release-check` does the same steps without a container.

FROM node:22.21.1-alpine AS page
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM python:3.11.14-slim-bookworm AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
COPY requirements.lock ./
# Everything that is locked, each file held by its hash; the installation below takes of it what the wheel asks for.
RUN pip wheel --require-hashes --no-deps --wheel-dir /wheels -r requirements.lock
RUN python -m venv /opt/build && /opt/build/bin/pip install --no-index --find-links /wheels hatchling
COPY pyproject.toml README.md LICENSE ./
COPY fleet/ fleet/
COPY detect/ detect/
COPY ingest/ ingest/
COPY store/ store/
COPY alerts/ alerts/
COPY api/ api/
COPY simulators/ simulators/
COPY keelwing/ keelwing/
COPY --from=page /build/api/page/ api/page/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-index --find-links /wheels keelwing

FROM python:3.11.14-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 KEELWING_DATA_DIR=/data
RUN groupadd --gid 10001 keelwing \
    && useradd --uid 10001 --gid keelwing --no-create-home --home-dir /data --shell /usr/sbin/nologin keelwing \
    && install -d -o keelwing -g keelwing -m 0700 /data
COPY --from=environment /opt/venv /opt/venv
WORKDIR /data
USER keelwing
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["keelwing"]
CMD ["--help"]
