"""Facts about the Kafka settings: every client gets them, and nobody else sees them."""

import ssl

import pytest
from pydantic import SecretStr

from streams.errors import StartError
from streams.kafka_access import KafkaAccess
from streams.settings import load_settings, redacted
from tests.security.certificates import Authority

PASSWORD = "canary-pass-91"
LOGIN = {
    "kafka_security_protocol": "sasl_ssl",
    "kafka_username": "worker",
    "kafka_password": PASSWORD,
}


@pytest.fixture
def authority(tmp_path):
    """A certificate authority of one test."""
    return Authority(tmp_path)


def test_an_address_alone_is_plaintext():
    """The default is what the embedded broker and `headgate broker` speak."""
    access = load_settings(bootstrap_servers="a:1,b:2").kafka

    assert access.librdkafka() == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "plaintext",
    }
    assert access.aiokafka()["security_protocol"] == "PLAINTEXT"
    assert access.faust() == {
        "broker": ["kafka://a:1", "kafka://b:2"],
        "broker_credentials": None,
    }


def test_a_login_over_tls_reaches_all_three_clients(authority):
    """The same user, mechanism and authority, in each one's words."""
    access = load_settings(**LOGIN, kafka_ca=authority.ca).kafka
    rd, aio, faust = access.librdkafka(), access.aiokafka(), access.faust()

    assert (rd["sasl.username"], rd["sasl.password"]) == ("worker", PASSWORD)
    assert rd["ssl.ca.location"] == str(authority.ca)
    assert aio["sasl_plain_password"] == PASSWORD
    assert aio["sasl_mechanism"] == "SCRAM-SHA-512" == rd["sasl.mechanism"]
    credentials = faust["broker_credentials"]
    assert (credentials.username, credentials.password) == ("worker", PASSWORD)
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.mechanism.value == "SCRAM-SHA-512"


def test_certificate_and_host_name_are_always_checked(authority):
    """There is no setting that turns it off."""
    access = KafkaAccess("a:1", "ssl", ca=authority.ca)

    for context in (
        access.aiokafka()["ssl_context"],
        access.faust()["broker_credentials"].context,
    ):
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
    rd = access.librdkafka()
    assert rd["ssl.endpoint.identification.algorithm"] == "https"


def test_a_client_certificate_reaches_librdkafka_and_the_context(authority):
    """A pair that does not fit is refused before any client meets it."""
    cert, key = authority.issue("worker")
    _, other_key = authority.issue("other")
    tls = {"kafka_security_protocol": "ssl", "kafka_ca": authority.ca}

    rd = load_settings(**tls, kafka_cert=cert, kafka_key=key).kafka.librdkafka()
    assert (rd["ssl.certificate.location"], rd["ssl.key.location"]) == (
        str(cert),
        str(key),
    )
    with pytest.raises(StartError, match="HEADGATE_KAFKA_CERT"):
        _ = load_settings(**tls, kafka_cert=cert, kafka_key=other_key).kafka


def test_the_password_may_come_from_a_file(tmp_path):
    """The line's end is not part of it."""
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    login = LOGIN | {"kafka_password": None, "kafka_password_file": file}

    access = load_settings(**login).kafka

    assert access.librdkafka()["sasl.password"] == PASSWORD


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({**LOGIN, "kafka_password": None}, "KAFKA_PASSWORD"),
        ({**LOGIN, "kafka_username": None}, "KAFKA_USERNAME"),
        ({**LOGIN, "kafka_security_protocol": "ssl"}, "without login"),
        ({"kafka_ca": "/ca.pem"}, "without TLS"),
        ({**LOGIN, "kafka_ca": "/nowhere.pem"}, "KAFKA_CA is /nowhere.pem"),
        ({**LOGIN, "kafka_cert": "/c.pem"}, "only one of"),
        ({**LOGIN, "kafka_password_file": "/nowhere"}, "KAFKA_PASSWORD_FILE"),
        ({"kafka_security_protocol": "tls"}, "KAFKA_SECURITY_PROTOCOL is 'tls'"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, told):
    """By the names of the variables, and without the password."""
    with pytest.raises(StartError, match=told) as refusal:
        _ = load_settings(**settings).kafka

    assert PASSWORD not in str(refusal.value)


def test_the_password_shows_nowhere():
    """Neither in `doctor`, nor in a repr, nor in what Faust prints."""
    settings = load_settings(**LOGIN)
    access = settings.kafka

    shown = [redacted(settings), settings, access, access.faust(), str(access)]
    assert PASSWORD not in repr(shown)
    assert redacted(settings)["HEADGATE_KAFKA_PASSWORD"] == "**********"


def test_a_bad_password_value_is_not_repeated():
    """Pydantic's message would show what it was given."""
    with pytest.raises(StartError, match=r"HEADGATE_KAFKA_PASSWORD is \*\*\*") as told:
        load_settings(kafka_password=[PASSWORD])

    assert PASSWORD not in str(told.value)
    assert told.value.__cause__ is None


def test_who_comes_in_is_named():
    """For sentences about refusals."""
    assert KafkaAccess("a:1").who == "this user"
    secret = SecretStr(PASSWORD)
    named = KafkaAccess("a:1", "sasl_ssl", username="w", password=secret)
    assert named.who == "user 'w'"
