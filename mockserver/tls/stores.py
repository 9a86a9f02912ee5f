"""What programs trust, as files: this machine's roots and our authority, in the forms that runtimes read.

Beside the mock, a program may call hosts that are the real ones: what it trusted before, it trusts still.
"""

import os
import re
import ssl
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from mockserver.tls.authority import Authority, put

BUNDLE, EXTRA, JAVA, INI = "bundle.pem", "extra.pem", "trust.p12", "mockserver.ini"
JAVA_PASSWORD = "mockserver"  # noqa: S105 - of public certificates; Java wants one
SYSTEM_FILES = (  # of Debian, Red Hat, SUSE, Alpine and macOS
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----")
EVERY_FORM = PrivateFormat.PKCS12.encryption_builder()


class Stores(NamedTuple):
    """Files that hold what is to be trusted."""

    certificate: Path  # ours alone
    bundle: Path  # with this machine's roots
    extra: Path  # what Node trusts besides its own roots
    java: Path  # a trust store in PKCS#12
    php: Path  # a folder with an ini file

    def variables(self, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Give the environment variables by which programs find them; what others say there stays."""
        java = {"trustStore": f"{self.java}", "trustStoreType": "PKCS12", "trustStorePassword": JAVA_PASSWORD}
        return {
            "CURL_CA_BUNDLE": f"{self.bundle}",
            "REQUESTS_CA_BUNDLE": f"{self.bundle}",
            "SSL_CERT_FILE": f"{self.bundle}",  # OpenSSL, so httpx, urllib, aiohttp, Ruby; Go but on macOS
            "NODE_EXTRA_CA_CERTS": f"{self.extra}",
            "DENO_CERT": f"{self.certificate}",
            "JAVA_TOOL_OPTIONS": with_java_properties(
                environment, {f"javax.net.ssl.{name}": value for name, value in java.items()}
            ),
            # Behind the folder that PHP looks into anyway, which an empty name stands for.
            "PHP_INI_SCAN_DIR": f"{environment.get('PHP_INI_SCAN_DIR', '')}{os.pathsep}{self.php}",
        }


def with_java_properties(environment: Mapping[str, str], properties: Mapping[str, str]) -> str:
    """Give JAVA_TOOL_OPTIONS with some properties behind what it holds; the last one of a name counts.

    >>> with_java_properties({"JAVA_TOOL_OPTIONS": "-Xmx1g"}, {"a.b": "/home/a user/x", "c": "d"})
    '-Xmx1g -Da.b="/home/a user/x" -Dc=d'
    """
    written = [
        f'-D{name}="{value}"' if re.search(r"\s", value) else f"-D{name}={value}"
        for name, value in properties.items()
    ]
    return " ".join(filter(None, [environment.get("JAVA_TOOL_OPTIONS"), *written]))


def make_stores(authority: Authority, folder: Path, environment: Mapping[str, str] = os.environ) -> Stores:
    """Write these files into a folder, unless they are there and the same. Raises OSError.

    Roots are those that the environment names, or this machine's.
    """
    roots, own = system_roots(environment), authority.certificate_pem
    extra = _content(environment.get("NODE_EXTRA_CA_CERTS"))
    php = folder / "php"
    folder.mkdir(parents=True, exist_ok=True)
    php.mkdir(exist_ok=True)
    stores = Stores(authority.certificate, folder / BUNDLE, folder / EXTRA, folder / JAVA, php)
    if put(stores.bundle, _joined(roots, own)) or not stores.java.exists():
        put(stores.java, java_store(_joined(roots, own)))
    put(stores.extra, _joined(extra, own))
    named = (f'{name} = "{stores.bundle}"\n' for name in ("curl.cainfo", "openssl.cafile"))
    put(php / INI, "".join(named).encode())
    return stores


def system_roots(environment: Mapping[str, str] = os.environ) -> bytes:
    """Give what this machine trusts, in PEM."""
    usual = ssl.get_default_verify_paths()
    named = [environment.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")]
    for file in (*named, usual.cafile, *SYSTEM_FILES):
        if content := _content(file):
            return content
    import certifi  # noqa: PLC0415 - where the system has no such file

    return Path(certifi.where()).read_bytes()


def java_store(roots: bytes) -> bytes:
    """Write certificates in PEM as a store that Java trusts; what no parser takes is left out."""
    known = [
        pkcs12.PKCS12Certificate(each, f"{number}".encode()) for number, each in enumerate(_parsed(roots))
    ]
    form = EVERY_FORM.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA256())
    form = form.kdf_rounds(1)  # nothing in it is secret
    return pkcs12.serialize_java_truststore(known, form.build(JAVA_PASSWORD.encode()))


def _parsed(roots: bytes) -> Iterator[x509.Certificate]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of roots that are older than the rules
        for each in CERTIFICATE.finditer(roots):
            try:
                yield x509.load_pem_x509_certificate(each[0])
            except ValueError:
                continue


def _content(file: str | None) -> bytes:
    """Read a file of certificates; nothing where it is none."""
    try:
        content = Path(file).read_bytes() if file else b""
    except OSError:
        return b""
    return content if CERTIFICATE.search(content) else b""


def _joined(roots: bytes, own: bytes) -> bytes:
    if own.strip() in roots:  # a run within a run
        return roots
    return (roots if roots.endswith(b"\n") or not roots else roots + b"\n") + own
