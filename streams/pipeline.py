"""The whole judgement of an upload: encode, score, decide, learn. START READING HERE.

The worker, `headgate assess`, replay and the tests call these same functions, so the
same input gives the same decision. Nothing here knows Kafka, files, clocks or settings.

    upload ──encode──▶ signals ──score──▶ scores ──decide──▶ decision
                          │                  ▲                  │
                          └──────────▶ learn ┴──── history ◀────┘
"""

from collections.abc import Callable, MutableMapping

from schemas.records import (
    ContentSignals,
    Missing,
    RiskDecision,
    UploaderHistory,
)
from streams.braking import Holding, nothing_held
from streams.judge import Judge, Judged
from streams.listen import Listening, completed, roles_with_speech, unheard
from streams.understand import Understanding
from streams.upload import Upload

Histories = MutableMapping[str, UploaderHistory]
EncodeDecision = Callable[[RiskDecision], bytes]


class Pipeline:
    """The encoders and the judge, in the order an upload meets them."""

    def __init__(
        self,
        understanding: Understanding,
        listening: Callable[[], Listening | Missing],
        judge: Judge,
    ) -> None:
        self._understanding = understanding
        self._listening = listening  # Loaded when the first sound comes.
        self._judge = judge

    @property
    def judge(self) -> Judge:
        """What judges the signals."""
        return self._judge

    def screen(self, upload: Upload) -> ContentSignals:
        """Return the cheap signals; speech is still to be heard."""
        examined = self._understanding.examine(upload)
        (screened,) = self._understanding.embed([examined])
        return screened

    def encode(self, upload: Upload) -> ContentSignals:
        """Return everything the models find in an upload; slow, no state."""
        screened = self.screen(upload)
        roles = roles_with_speech(screened)
        if not roles:
            return completed(screened)
        listening = self._listening()
        if isinstance(listening, Missing):
            return unheard(screened, roles, listening.reason)
        sounds = [fetched for fetched in upload.fetched if fetched.ref.role in roles]
        return listening.transcribe(screened, sounds)

    def decide(
        self,
        signals: ContentSignals,
        histories: Histories,
        encode: EncodeDecision,
        hold: Holding = nothing_held,
    ) -> RiskDecision | bytes | None:
        """Judge signals against their uploader's history and remember them there.

        Returns:
            The decision; the recorded bytes of an upload that was judged before; or
            None when it was judged so long ago that its decision is kept no more.
        """
        return decide(self._judge, signals, histories, encode, hold)


def decide(
    judge: Judge,
    signals: ContentSignals,
    histories: Histories,
    encode: EncodeDecision,
    hold: Holding = nothing_held,
) -> RiskDecision | bytes | None:
    """Score, decide, then learn: one upload, with the history it belongs to."""
    judged, _ = decide_whole(judge, signals, histories, encode, hold)
    return judged.decision or judged.recorded


def decide_whole(
    judge: Judge,
    signals: ContentSignals,
    histories: Histories,
    encode: EncodeDecision,
    hold: Holding = nothing_held,
) -> tuple[Judged, bytes | None]:
    """Do as `decide`; return all that judging gave, and the word's bytes if any."""
    uploader_id = signals.event.uploader_id
    history = histories.get(uploader_id) or UploaderHistory(uploader_id)
    judged = judge.judge(signals, history, hold)
    if judged.decision is None:
        return judged, judged.recorded
    value = encode(judged.decision)
    learned = judge.learn(history, signals, judged.decision, value)
    histories[uploader_id] = learned
    return judged, value
