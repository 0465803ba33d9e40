# One image for every service; the command says which: `serve write-api`, `serve read-api`, `serve projector` …
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /build
COPY pyproject.toml requirements.lock README.md ./
RUN uv venv /app \
 && uv pip install --python /app --no-cache --require-hashes -r pyproject.toml -c requirements.lock \
 && uv venv /builder \
 && uv pip install --python /builder --no-cache -c requirements.lock hatchling
COPY events events
COPY commands commands
COPY event_store event_store
COPY projections projections
COPY write_api write_api
COPY read_api read_api
COPY replay replay
COPY operations operations
COPY benchmarks benchmarks
RUN uv build --wheel --no-build-isolation --python /builder --out-dir /wheel \
 && uv pip install --python /app --no-cache --no-deps /wheel/*.whl

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home parkledger \
 && install --directory --owner parkledger --group parkledger --mode 0700 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PARKLEDGER_DATA=/data \
    PARKLEDGER_HOST=0.0.0.0 \
    PARKLEDGER_LOG_FORMAT=json
USER parkledger
WORKDIR /data
VOLUME /data
EXPOSE 8100 8101
ENTRYPOINT ["parkledger"]
CMD ["serve"]
