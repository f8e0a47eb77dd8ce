"""Which certificates of a broker are believed, and why a broker could not be used, with the remedy."""

import ssl
from pathlib import Path

from device_drivers.bus.address import Address
from hall_core.errors import SettingsInvalid

__all__ = ["authorities", "why_not"]

# OpenSSL's verdicts (x509_vfy.h): the clock or the life of the certificate, and its name
_NOT_NOW = (9, 10)
_NOT_THIS_NAME = (62, 64)
# CONNACK of MQTT 3.1.1: 4 and 5; of MQTT 5: 0x86 and 0x87
_NO_LOGIN = (4, 5, 0x86, 0x87)


class _Socket(ssl.SSLSocket):
    """The MQTT client leaves the socket of a handshake that failed open: here it closes itself."""

    def do_handshake(self, block: bool = False) -> None:
        """Agree on a cipher, or end the link. Raises OSError."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def authorities(file: Path | None) -> ssl.SSLContext:
    """Believe what the authority in `file` vouches for, without it the machine's own.

    Raises SettingsInvalid when the file is no use.
    """
    try:
        context = ssl.create_default_context(cafile=file)
    except FileNotFoundError:
        raise SettingsInvalid(f"没有 CA 证书文件 {file}，请更正路径 (the CA's file is missing)") from None
    except OSError as error:
        raise SettingsInvalid(
            f"CA 证书文件 {file} 无法使用：{error.strerror or error}，应为 PEM 格式的 CA 证书"
            " (the CA's file is no use: give its certificate in PEM)"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _Socket
    return context


def why_not(address: Address, error: Exception | None) -> str:
    """Why there is no session with this broker, and what to do about it."""
    # the client's own error hides the system's, which says more
    cause = error.__context__ if error is not None and not isinstance(error, OSError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"消息服务 {address} {_certificate(address, cause)}"
    if isinstance(cause, ssl.SSLError) or (address.scheme == "mqtts" and isinstance(cause, ConnectionError)):
        words = "没有完成 TLS 握手：请核对它是否运行、端口是否正确，不用 TLS 的请写 mqtt://"
        return f"消息服务 {address} {words} (no TLS there: check that it runs, its port, or use mqtt://)"
    if _code(error) in _NO_LOGIN:
        words = "拒绝登录，请核对地址中的用户名和口令"
        return f"消息服务 {address} {words} (login refused: check user and password)"
    return f"消息服务 {address} 连接不上，请检查网络、地址和口令 (no broker)"


def _certificate(address: Address, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _NOT_NOW:
        return (
            "的证书现在无效：已过期，或本机时钟不对，请更换证书或校时"
            " (its certificate is not valid now: renew it, or set this box's clock)"
        )
    if error.verify_code in _NOT_THIS_NAME:
        return (
            f"的证书不是签给 {address.host} 的，请按证书上的名称写地址，或重新签发证书"
            " (its certificate names another host: use that name, or issue it for this one)"
        )
    return (
        f"的证书不被信任：{error.verify_message}。请用 --local-broker-ca"
        "（HALL_AGENT_LOCAL_BROKER_CA）指明签发它的 CA 证书"
        " (its certificate is not trusted: name the CA that issued it with --local-broker-ca)"
    )


def _code(error: Exception | None) -> int | None:
    code = getattr(error, "rc", None)
    number: int | None = code if code is None or isinstance(code, int) else getattr(code, "value", None)
    return number
