# One image for every Airflow service and for the demo city. It holds the whole lock, the tools of the
# tests included: what runs in production is exactly what was tested.
FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir uv
COPY requirements.lock /tmp/requirements.lock
RUN uv venv /opt/venv \
    && uv pip install --no-cache --python /opt/venv/bin/python --require-hashes --compile-bytecode \
       -r /tmp/requirements.lock

FROM python:3.11-slim-bookworm
# The folders exist with their owner before a volume is mounted on them: an empty volume takes both over.
RUN useradd --uid 50000 --gid 0 --create-home airflow \
    && mkdir -p /opt/airflow/logs /data/landing /data/drop /data/inbox /data/outbox /data/reports /data/alerts \
    && chown -R 50000:0 /opt/airflow /data \
    && chmod 0700 /data/landing /data/drop /data/inbox
COPY --from=build /opt/venv /opt/venv
COPY include /opt/directive_etl/include
COPY dags /opt/directive_etl/dags
COPY plugins /opt/directive_etl/plugins
ARG CODE_VERSION=unversioned
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/directive_etl/include \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/directive_etl/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/directive_etl/plugins \
    DIRECTIVE_ETL_CODE_VERSION=$CODE_VERSION
WORKDIR /opt/directive_etl
USER 50000:0
