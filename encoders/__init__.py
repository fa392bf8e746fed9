"""Media in, signals out: the only place where models are loaded."""
