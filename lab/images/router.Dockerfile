# The lab's transits: BIRD and FRR, and the starter, which needs nothing but Python.
# Build from the repository's root: docker build -f lab/images/router.Dockerfile -t ambicast-lab/router:1 .
FROM debian:12-slim

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      bird2 frr iproute2 iputils-ping nftables procps python3-minimal tcpdump \
 && rm -rf /var/lib/apt/lists/*

COPY lab/__init__.py /opt/ambicast/lab/__init__.py
COPY lab/nodes /opt/ambicast/lab/nodes
ENV PYTHONPATH=/opt/ambicast PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# containerlab gives `python3 -m lab.nodes.start /etc/ambicast/node.json` as the command.
CMD ["sleep", "infinity"]
