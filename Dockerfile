# syntax=docker/dockerfile:1
# Two images: `scout`, and `scout-browser`, which has Chromium for pages that need a browser.
#   docker build --target scout --tag scout .

FROM debian:bookworm-slim AS python
# Debian mends its packages under the same name: a version named here would soon be gone.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*

FROM python AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv --without-pip /opt/scout && python3 -m venv /opt/pip
WORKDIR /src
COPY deploy/requirements.txt deploy/
RUN /opt/pip/bin/pip --python /opt/scout/bin/python install --no-cache-dir --require-hashes \
        --only-binary :all: --requirement deploy/requirements.txt
COPY LICENSE README.md pyproject.toml ./
COPY scout_cli scout_cli
RUN /opt/pip/bin/pip --python /opt/scout/bin/python install --no-cache-dir --no-deps .

FROM python AS scout
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin scout \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/scout \
    && install --directory --owner=10001 --group=10001 --mode=0755 /secrets
COPY --chmod=0755 deploy/first-start /usr/local/bin/first-start
COPY --from=build /opt/scout /opt/scout
# Database and keys are in /var/lib/scout, a scouts.toml may be mounted at /etc/scout.
ENV PATH=/opt/scout/bin:/usr/local/bin:/usr/bin:/bin \
    XDG_DATA_HOME=/var/lib \
    XDG_CONFIG_HOME=/etc \
    XDG_CACHE_HOME=/tmp \
    HOME=/tmp
USER 10001:10001
WORKDIR /var/lib/scout
EXPOSE 54321
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python3", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:54321/healthz', timeout=4)"]
ENTRYPOINT ["scout"]
CMD ["serve", "--host", "0.0.0.0"]

FROM scout AS scout-browser
USER 0
# libatomic1 is for the Node.js that Playwright brings.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium fonts-dejavu-core libatomic1 \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
