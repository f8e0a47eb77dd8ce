"""MQTT in: bytes to one use case call."""

import aiomqtt
