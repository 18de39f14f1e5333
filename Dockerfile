# syntax=docker/dockerfile:1
# The page is built by Node, the environment by Python from the lock, and what runs holds neither compiler nor npm.

FROM node:22-alpine AS page
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM python:3.11-slim-bookworm AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/keelwing
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --require-hashes -r requirements.lock
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
# Editable, as `make` does it: the files beside the code (SQL, lanes, scenarios, the page) are then simply there.
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation -e .

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 KEELWING_DATA_DIR=/data
RUN groupadd --gid 10001 keelwing \
    && useradd --uid 10001 --gid keelwing --no-create-home --home-dir /data --shell /usr/sbin/nologin keelwing \
    && install -d -o keelwing -g keelwing -m 0700 /data
COPY --from=environment /opt/venv /opt/venv
COPY --from=environment /opt/keelwing /opt/keelwing
WORKDIR /data
USER keelwing
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["keelwing"]
CMD ["--help"]
