"""Training and measuring the text-risk head; run by people, never by the stream."""
