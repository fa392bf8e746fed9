"""Event in, decision out: the core, its Kafka edges and the wiring."""
