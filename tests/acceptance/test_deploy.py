"""What stands in deploy/ works as it is written."""

import asyncio
import getpass
import ssl
from configparser import ConfigParser
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiomqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulators.broker import access_list
from simulators.demo_programs import Programs, free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
DAY = timedelta(days=1)


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class Authority:
    """A certificate authority that writes what it issues into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, datetime.now(UTC)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "quiethall test ca")])
        self.certificate = self._certificate(self.name, self.key, ca=True)
        self._write("ca.crt", self.certificate.public_bytes(serialization.Encoding.PEM))
        self.revoke()

    def issue(self, name: str) -> x509.Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._certificate(subject, key, ca=False)
        self._write(f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        self._write(f"{name}.key", key.private_bytes(encoding, form, serialization.NoEncryption()))
        return certificate

    def revoke(self, *certificates: x509.Certificate) -> None:
        crl = x509.CertificateRevocationListBuilder(self.name, self.now - DAY, self.now + 30 * DAY)
        for certificate in certificates:
            revoked = x509.RevokedCertificateBuilder(certificate.serial_number, self.now - DAY).build()
            crl = crl.add_revoked_certificate(revoked)
        signed = crl.sign(self.key, hashes.SHA256())
        self._write("revoked.crl", signed.public_bytes(serialization.Encoding.PEM))

    def _certificate(self, subject, key, *, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(self.now - DAY)
            .not_valid_after(self.now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if ca:
            usage = x509.KeyUsage(*[False] * 5, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path)
    for name in ("broker", "controller", "hall-a", "hall-b"):
        made.issue(name)
    return made


@asynccontextmanager
async def production_broker(mosquitto, folder):
    port = free_port()
    text = (DEPLOY / "mosquitto" / "quiethall.conf").read_text("utf-8")
    text = text.replace("/etc/mosquitto/quiethall", str(folder)).replace("/var/lib/mosquitto/", f"{folder}/")
    text = text.replace("listener 8883", f"listener {port} 127.0.0.1\nuser {getpass.getuser()}")
    (folder / "quiethall.conf").write_text(text, "utf-8")
    (folder / "acl").write_text((DEPLOY / "mosquitto" / "acl").read_text("utf-8"), "utf-8")
    async with Programs(folder / "logs") as programs:
        program = await programs.start("broker", [str(mosquitto), "-c", str(folder / "quiethall.conf")])
        async with asyncio.timeout(10):
            while True:
                assert program.process.returncode is None, program.tail()
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.transport.abort()
                    break
        yield port


def box(port, folder, name, identifier=None):
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return aiomqtt.Client("127.0.0.1", port, identifier=identifier, tls_context=context, timeout=5)


async def next_message(listener):
    async with asyncio.timeout(5):
        message = await anext(aiter(listener.messages))
    return str(message.topic), message.payload


@pytest.mark.mosquitto
async def test_boxes_with_certificates_reach_only_their_own_topics(mosquitto, authority, tmp_path):
    async with (
        production_broker(mosquitto, tmp_path) as port,
        box(port, tmp_path, "controller") as controller,
        box(port, tmp_path, "hall-a") as agent,
    ):
        await controller.subscribe("qh/1/+/up/+", qos=1)
        await agent.subscribe("qh/1/controller/state", qos=1)
        await agent.publish("qh/1/hall-b/up/facts", b"forged", qos=1)
        await agent.publish("qh/1/hall-a/up/facts", b"own", qos=1)
        assert await next_message(controller) == ("qh/1/hall-a/up/facts", b"own")
        await controller.publish("qh/1/controller/state", b"online", qos=1)
        assert await next_message(agent) == ("qh/1/controller/state", b"online")


@pytest.mark.mosquitto
async def test_who_takes_another_boxes_client_id_takes_nothing(mosquitto, authority, tmp_path):
    async with (
        production_broker(mosquitto, tmp_path) as port,
        box(port, tmp_path, "hall-a", identifier="hall-a") as agent,
        box(port, tmp_path, "hall-b", identifier="hall-a"),
        box(port, tmp_path, "controller") as controller,
    ):
        await agent.subscribe("qh/1/hall-a/down/#", qos=1)
        await controller.publish("qh/1/hall-a/down/ack", b"still here", qos=1)
        assert await next_message(agent) == ("qh/1/hall-a/down/ack", b"still here")


@pytest.mark.mosquitto
async def test_a_revoked_box_and_one_without_certificate_are_refused(mosquitto, authority, tmp_path):
    authority.revoke(authority.issue("hall-c"))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    async with production_broker(mosquitto, tmp_path) as port:
        nobody = aiomqtt.Client("127.0.0.1", port, tls_context=context, timeout=5)
        for refused in (box(port, tmp_path, "hall-c"), nobody):
            with pytest.raises(aiomqtt.MqttError):
                async with refused:
                    pass
        async with box(port, tmp_path, "hall-a"):
            pass


def test_the_demo_and_production_share_one_access_list():
    assert rows((DEPLOY / "mosquitto" / "acl").read_text("utf-8")) == rows(access_list())


@pytest.mark.parametrize("program", ["hall-agent", "hall-controller"])
def test_services_start_again_for_ever_and_own_nothing_but_their_data(program):
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "systemd" / f"{program}.service", "utf-8")
    assert unit["Service"]["ExecStart"].endswith(f"/{program} run")
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit["Service"]["ProtectSystem"] == "strict"
    assert unit["Service"]["User"] == "quiethall"


@pytest.mark.parametrize("program", ["hall-agent", "hall-satellite"])
def test_the_agent_may_set_the_clock_and_nothing_else_of_the_machine(program):
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "systemd" / f"{program}.service", "utf-8")
    rights = {unit["Service"][name] for name in ("CapabilityBoundingSet", "AmbientCapabilities")}
    assert rights == {"CAP_SYS_TIME"}


def test_every_setting_of_the_example_is_one_the_agent_knows():
    from edge_agent.settings import AgentSettings

    names = [
        row.partition("=")[0] for row in rows((DEPLOY / "systemd" / "agent.env.example").read_text("utf-8"))
    ]
    assert names
    assert {name.removeprefix("HALL_AGENT_").lower() for name in names} <= set(AgentSettings.model_fields)
