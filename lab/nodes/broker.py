"""The broker's settings: Mosquitto with TLS, a user per host, and an access list.

TCP_NODELAY, because a message would else take 44 to 88 ms. What is secret is made when the lab
comes up (:mod:`lab.topology.credentials`); here stands where it lies. A client's id is its user,
as on a real broker (``use_username_as_clientid``), so each user has one connection: the lab
listens and speaks as users of its own, the latter with any words on the fleet's topics, and the
viewer is left to people.
"""

from __future__ import annotations

from typing import Final

PORT: Final = 8883
AUTHORITY_FILE: Final = "/etc/ambicast/broker-ca.pem"
PASSWORD_FILE: Final = "/etc/ambicast/broker.password"  # noqa: S105 - where it lies
VIEWER_FILE: Final = "/etc/mosquitto/viewer.password"
LAB: Final = "lab"
LISTENER: Final = "lab-listener"
LISTENER_FILE: Final = "/etc/mosquitto/lab-listener.password"
LAB_FILE: Final = "/etc/mosquitto/lab.password"
CERTIFICATE_FILE: Final = "/etc/mosquitto/broker.pem"
KEY_FILE: Final = "/etc/mosquitto/broker.key"
PASSWORDS_FILE: Final = "/etc/mosquitto/passwords"
ACCESS_FILE: Final = "/etc/mosquitto/access"

# What every client of the broker has, and what the broker's own node has besides.
OF_CLIENT: Final = (AUTHORITY_FILE, PASSWORD_FILE)
OF_BROKER: Final = (
    VIEWER_FILE,
    LAB_FILE,
    LISTENER_FILE,
    CERTIFICATE_FILE,
    KEY_FILE,
    PASSWORDS_FILE,
    ACCESS_FILE,
)

MOSQUITTO_CONFIG: Final = f"""\
user root
per_listener_settings false
allow_anonymous false
password_file {PASSWORDS_FILE}
acl_file {ACCESS_FILE}
listener {PORT}
cafile {AUTHORITY_FILE}
certfile {CERTIFICATE_FILE}
keyfile {KEY_FILE}
tls_version tlsv1.2
use_username_as_clientid true
set_tcp_nodelay true
persistence true
persistence_location /var/lib/mosquitto/
max_packet_size 300000
max_queued_messages 10000
log_dest stderr
log_type error
log_type warning
log_type notice
"""


def connection(host: str, user: str) -> dict[str, object]:
    """The ``broker`` of ``user``'s settings file."""
    return {
        "host": host,
        "port": PORT,
        "username": user,
        "password_file": PASSWORD_FILE,
        "tls": {"ca": AUTHORITY_FILE},
    }
