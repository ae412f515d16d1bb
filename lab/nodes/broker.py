"""The broker's settings: Mosquitto, open inside the lab, TCP_NODELAY (else 44-88 ms a message)."""

from __future__ import annotations

MOSQUITTO_CONFIG = """\
user root
listener 1883
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location /var/lib/mosquitto/
max_queued_messages 10000
log_dest stderr
log_type error
log_type warning
log_type notice
"""
