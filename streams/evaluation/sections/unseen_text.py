"""Text from sources never seen in training: the shared data has none."""

from streams.evaluation.figures import NotMeasuredError, Section
from streams.evaluation.scored_rows import Inputs


def unseen_text(inputs: Inputs) -> Section:
    """Say why it is not measured.

    Raises:
        NotMeasuredError: always.
    """
    raise NotMeasuredError(
        "the target (AP 0.08 above the linear SVM's on a forum, a tweet corpus and "
        "generated implicit hate) needs sets that are not among the shared data, whose "
        "English sets are all trained on. With such a set: `headgate eval text FILE "
        "--baseline …/profanity_check_linear`"
    )
