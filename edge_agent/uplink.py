"""The uplink: the only file of the agent that speaks MQTT."""

import aiomqtt
