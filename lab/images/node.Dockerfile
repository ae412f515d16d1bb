# The lab's PoPs, clients and controller: Ambicast and everything it drives.
# Build from the repository's root: docker build -f lab/images/node.Dockerfile -t ambicast-lab/node:1 .
FROM debian:12-slim

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates iproute2 iputils-ping knot knot-dnsutils knot-module-geoip mosquitto \
      mosquitto-clients nftables procps python3 python3-venv tcpdump unbound \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/ambicast
RUN python3 -m venv /opt/ambicast/.venv
ENV PATH=/opt/ambicast/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY ambicast ambicast
COPY agents agents
COPY controller controller
COPY lab lab
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .

# containerlab gives `python3 -m lab.nodes.start /etc/ambicast/node.json` as the command.
CMD ["sleep", "infinity"]
