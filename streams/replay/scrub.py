"""Takes people out of signals and decisions, so that they still decide the same.

Ids become keyed hashes; texts go, unless they are asked for; addresses of media and
exact hashes of files go. Embeddings and perceptual hashes stay, for decisions rest on
them: something of what a text says can be read back from its embedding.
"""

import hashlib
from dataclasses import replace

from schemas.records import (
    ContentIngested,
    ContentSignals,
    MediaFact,
    MediaHash,
    MediaRef,
    RiskDecision,
    Stage,
    TextSignal,
)
from streams.decision_ids import decision_id

ID_BYTES = 16  # By chance two of 10^15 ids are equal once in 10^8 captures.
NOWHERE = "urn:headgate:scrubbed"


class Scrub:
    """Scrubs records; the same salt gives the same hashes."""

    def __init__(self, salt: bytes, *, with_text: bool) -> None:
        """Prepare.

        Args:
            salt: secret, at most 64 bytes; who has it can test who an id was.
            with_text: keep what the texts say.
        """
        self._salt = salt
        self._with_text = with_text

    def id(self, text: str) -> str:
        """Return what stands for an id: 32 hex digits; of none, none."""
        if not text:
            return ""
        digest = hashlib.blake2b(text.encode(), key=self._salt, digest_size=ID_BYTES)
        return digest.hexdigest()

    def signals(self, signals: ContentSignals) -> ContentSignals:
        """Return signals without people, addresses and, unless asked for, texts."""
        return replace(
            signals,
            event=self._event(signals.event),
            texts=tuple(map(self._text, signals.texts)),
            media=tuple(map(self._fact, signals.media)),
            hashes=tuple(map(self._hash, signals.hashes)),
        )

    def decision(self, decision: RiskDecision, before: ContentSignals) -> RiskDecision:
        """Return the decision as it would have been made on the scrubbed signals.

        Args:
            decision: as it was recorded.
            before: the signals it is on, unscrubbed.
        """
        scrubbed = replace(before, event=self._event(before.event))
        policy = decision.policy.sha256
        earlier = {
            decision_id(before, stage, policy): decision_id(scrubbed, stage, policy)
            for stage in Stage
        }
        return replace(
            decision,
            decision_id=decision_id(scrubbed, before.stage, policy),
            content_id=scrubbed.event.content_id,
            uploader_id=scrubbed.event.uploader_id,
            supersedes=decision.supersedes and earlier.get(decision.supersedes),
        )

    def _event(self, event: ContentIngested) -> ContentIngested:
        return replace(
            event,
            content_id=self.id(event.content_id),
            uploader_id=self.id(event.uploader_id),
            event_id=self.id(event.event_id),
            texts=tuple((name, self._said(text)) for name, text in event.texts),
            media=tuple(map(self._ref, event.media)),
        )

    def _ref(self, ref: MediaRef) -> MediaRef:
        return replace(ref, uri=NOWHERE, sha256=None)

    def _text(self, text: TextSignal) -> TextSignal:
        if self._with_text:
            return text
        return replace(text, text="", normalised=None)

    def _fact(self, fact: MediaFact) -> MediaFact:
        return replace(fact, sha256=self.id(fact.sha256))

    def _hash(self, found: MediaHash) -> MediaHash:
        if found.algorithm != "sha256":
            return found
        return replace(found, value=self.id(found.value))

    def _said(self, text: str) -> str:
        return text if self._with_text else ""
