"""Tests of the device layer: profiles, codecs, buses and drivers."""
