# The operator's image. `docker build .` fetches what is locked from PyPI; where no registry
# answers, `make image` gives BASE an image of its own making and brings the wheels along.
#
# BASE is any Debian or Ubuntu image whose python3 (3.11 to 3.14) has pip. A digest pins it:
#   docker build --build-arg BASE=python:3.13-slim-bookworm@sha256:... .
ARG BASE=python:3.13-slim-bookworm

# --- the packages, exactly as locked
FROM ${BASE} AS packages
# Set to 1 where wheels/ holds everything; PIP_INDEX_URL names a mirror.
ARG PIP_NO_INDEX
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/run.txt requirements/build.txt wheel[s] ./
RUN python3 -m venv --without-pip /opt/idlewatt \
 && python3 -m pip --python /opt/idlewatt/bin/python install --no-compile --require-hashes \
      --only-binary :all: --find-links . -r run.txt \
 && python3 -m pip install --no-compile --require-hashes --only-binary :all: --find-links . \
      --target /build/tools -r build.txt
COPY scripts/image.py ./
RUN python3 image.py packages /opt/idlewatt && python3 image.py system /opt/idlewatt /system

# --- idlewatt itself, apart: it changes often, and what is above seldom
FROM packages AS idlewatt
WORKDIR /build/idlewatt
COPY pyproject.toml README.md LICENSE ./
COPY scheduler scheduler
COPY operator operator
RUN PYTHONPATH=/build/tools python3 -m hatchling build --target wheel --directory /build/built \
 && python3 -m pip --python /opt/idlewatt/bin/python install --no-compile --no-deps --no-index \
      --prefix /own/opt/idlewatt /build/built/*.whl \
 && python3 /build/image.py compile /own /opt/idlewatt

# --- the planner's kernels, compiled once, for any processor of this kind
FROM packages AS kernels
COPY --from=idlewatt /own /
RUN NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR=/opt/idlewatt/kernels PYTHONDONTWRITEBYTECODE=1 \
      /opt/idlewatt/bin/python3 -m idlewatt_operator.planning.warm

# --- what is shipped: Python and the libraries it is linked to, no shell, no package manager
FROM scratch
COPY --from=packages /system /
COPY --from=packages /opt/idlewatt /opt/idlewatt
COPY --from=idlewatt /own /
COPY --from=kernels /opt/idlewatt/kernels /opt/idlewatt/kernels
ENV PATH=/opt/idlewatt/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    NUMBA_CPU_NAME=generic \
    IDLEWATT_SHIPPED_KERNELS=/opt/idlewatt/kernels \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /
ENTRYPOINT ["idlewatt"]
CMD ["run"]
LABEL org.opencontainers.image.title="idlewatt" \
      org.opencontainers.image.description="Runs inference pods on parked electric vehicles" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
