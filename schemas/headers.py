"""Kafka headers, in the shapes that the clients hand out."""

from collections.abc import Iterable, Mapping

Header = tuple[str, bytes]
# confluent-kafka gives a list or None, aiokafka a tuple of pairs, Faust also a map.
Headers = Iterable[tuple[str, bytes | None]] | Mapping[str, bytes] | None


def header_pairs(headers: Headers) -> list[Header]:
    """List headers in their order; those without a value are left out."""
    if headers is None:
        return []
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return [(name, bytes(value)) for name, value in pairs if value is not None]


def header_map(headers: Headers) -> dict[str, bytes]:
    """Map lower-case names to values; of a name given twice the last counts."""
    return {name.lower(): value for name, value in header_pairs(headers)}
