"""What crosses the wire: schemas, records, codec, registry and topics."""
