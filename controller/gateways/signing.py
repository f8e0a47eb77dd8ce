"""Request signatures of the clouds, pure. Each reproduces its vendor's published example (see the tests)."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

__all__ = ["acs3", "query_of", "standard_webhook", "tc3"]


def query_of(parameters: Mapping[str, str]) -> str:
    """Sorted and encoded as RFC 3986 wants it; it is signed and sent in this form."""
    return "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(parameters.items()))


def acs3(key_id: str, secret: str, *, query: str, headers: Mapping[str, str], body: bytes) -> str:
    """The Authorization header of Aliyun's V3 signature, ACS3-HMAC-SHA256, for a POST to `/`.

    `headers` are host and everything `x-acs-`, with names in small letters.
    """
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    canonical = f"POST\n/\n{query}\n{lines}\n{signed}\n{sha256(body).hexdigest()}"
    to_sign = f"ACS3-HMAC-SHA256\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), sha256).hexdigest()
    return f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={signed},Signature={signature}"


def tc3(key_id: str, secret: str, *, service: str, at: int, headers: Mapping[str, str], body: bytes) -> str:
    """The Authorization header of Tencent Cloud's TC3-HMAC-SHA256 for a POST to `/`.

    `headers` are content-type and host, and x-tc-action if that is to be signed; `at` is UNIX time.
    """
    day = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    canonical = f"POST\n/\n\n{lines}\n{signed}\n{sha256(body).hexdigest()}"
    scope = f"{day}/{service}/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{secret}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    signature = hmac.new(key, to_sign.encode(), sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"


def standard_webhook(secret: str, message_id: str, at: int, body: bytes) -> str:
    """The `webhook-signature` header of standardwebhooks.com; the secret is base64, with or without `whsec_`.

    Raises ValueError for a secret that is not base64.
    """
    key = b64decode(secret.removeprefix("whsec_"), validate=True)
    signed = hmac.new(key, f"{message_id}.{at}.".encode() + body, sha256).digest()
    return f"v1,{b64encode(signed).decode()}"
