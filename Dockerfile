# One image for every process; `worker` adds torch. Build arguments choose what is installed, not how it runs.
FROM node:22-bookworm-slim AS browser
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
RUN useradd --system --uid 10001 --create-home palimpsest
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY archive ./archive
COPY stylizer ./stylizer
COPY workers ./workers
RUN python -m pip install -c constraints.txt -e .
COPY manage.py ./
COPY static ./static
COPY templates ./templates
COPY --from=browser /app/node_modules ./node_modules
RUN PALIMPSEST_HOME=/tmp/build python manage.py collectstatic --noinput --verbosity 0 && rm -rf /tmp/build \
    && mkdir -p /data/incoming && chown -R palimpsest:palimpsest /data
USER palimpsest
ENV PALIMPSEST_HOME=/data
VOLUME /data
EXPOSE 8000

FROM base AS web
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--respawn-failed-workers", "archive.wsgi:application"]

FROM base AS worker
USER root
RUN python -m pip install -c constraints.txt -e '.[worker]'
USER palimpsest
