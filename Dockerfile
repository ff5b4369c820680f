# Everything that `make` sets up, and the commands on the PATH: what profiles/kubernetes runs, and a place to work.
#   docker build --tag natslib . && docker run --rm --volume "$PWD/drawn:/natslib/figures" natslib
#   docker run --rm --publish 8888:8888 natslib make lab ARGS="--no-browser --ip=0.0.0.0"
FROM python:3.11-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /natslib
COPY . .
RUN make .venv/.ready
ENV PATH="/natslib/.venv/bin:$PATH"
CMD ["make", "figures"]
