# Tandem for all that runs in a cluster: each task of the compiled pipeline, and the verbs, `tandem run`
# in a CronJob and `tandem serve` among them.
#   docker build --tag tandem:1 .
#   docker build --tag tandem:1-gpu --build-arg VARIANT=gpu .     (x86-64 alone: cuDNN has no other wheel)
# The GPU variant has the same base: TensorFlow's locked `and-cuda` wheels bring CUDA and cuDNN, the node
# brings the driver. An image of NVIDIA's would bring both libraries once more, in other versions.

FROM python:3.10-slim-bookworm AS dependencies
# pyfarmhash, which TFX needs, is published as C++ source alone.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir uv==0.13.9
# Bytecode goes by no file times, which registries and builders may rewrite.
ENV UV_PROJECT_ENVIRONMENT=/opt/tandem \
    UV_PYTHON=/usr/local/bin/python3.10 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH
WORKDIR /src
COPY pyproject.toml uv.lock ./
ARG VARIANT=cpu
# What goes again: uv's lock, which everybody may write to, and 420 MB of C++ headers.
RUN --mount=type=cache,target=/root/.cache/uv \
    case "$VARIANT" in \
      cpu) set -- ;; \
      gpu) set -- --extra gpu ;; \
      *) echo "expected VARIANT to be cpu or gpu, received $VARIANT" >&2; exit 2 ;; \
    esac \
    && uv sync --frozen --no-install-project --extra kfp --extra s3 "$@" \
    && rm -rf /opt/tandem/.lock /opt/tandem/lib/python3.10/site-packages/tensorflow/include

# Apart from its dependencies, so that a change of Tandem's code is a small layer to push and to pull.
FROM dependencies AS project
COPY setup.py ./
COPY schema schema
COPY trainer trainer
COPY serving serving
COPY components components
COPY pipeline pipeline
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --python /opt/tandem/bin/python --prefix /project --no-deps . \
    && rm -f /project/.lock

FROM python:3.10-slim-bookworm
LABEL org.opencontainers.image.title="tandem" \
      org.opencontainers.image.description="Interaction logs and a catalogue in, a served two-stage recommender out." \
      org.opencontainers.image.licenses="Apache-2.0"
# The base comes without bytecode of the standard library, and nobody may write it later.
RUN python -m compileall -q --invalidation-mode unchecked-hash /usr/local/lib/python3.10 \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin tandem
COPY --from=dependencies /opt/tandem /opt/tandem
COPY --from=project /project /opt/tandem
# HOME and with it every cache is /tmp: the one place to mount where the root is read-only.
# USER is what getpass answers where the cluster runs the image as a user that it does not know.
ENV PATH=/opt/tandem/bin:$PATH \
    TF_USE_LEGACY_KERAS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    USER=tandem
WORKDIR /tmp
USER 10001:10001
EXPOSE 8500 8501
# Ctrl-C's signal: every verb ends on it, also as a container's first process.
STOPSIGNAL SIGINT
ENTRYPOINT ["tandem"]
CMD ["--help"]
