"""The policy in force, as it lies on its topic: all its files and their hash; pure.

`headgate policy activate` writes it, `policy_follower` has every worker judge by it.
"""

from datetime import datetime

from schemas.codec import Codec
from schemas.records import PolicyActivation, PolicyFile
from schemas.topics import POLICY_ACTIVE
from streams.errors import EventError, PolicyError
from streams.messages import Output, Record
from streams.policy import Policy
from streams.policy_folder import PolicyFiles
from streams.wire import wire_errors


def activation(
    files: PolicyFiles, at: datetime, note: str | None = None
) -> PolicyActivation:
    """Return the record that puts a policy in force.

    Raises:
        PolicyError: it can't be used.
    """
    policy = files.checked().policy
    return PolicyActivation(
        policy_id=policy.id,
        version=policy.version,
        sha256=policy.sha256,
        is_folder=files.is_folder,
        files=tuple(
            PolicyFile(path, text) for path, text in sorted(files.texts.items())
        ),
        activated_at=at,
        note=note,
    )


def activation_output(codec: Codec, record: PolicyActivation) -> Output:
    """Return the record as it goes onto the topic."""
    # By hash: compaction keeps every policy that ever was in force, for replay. Which
    # one is in force, the time says.
    return Output(POLICY_ACTIVE.name, record.sha256.encode(), codec.encode(record))


def read_activation(codec: Codec, record: Record) -> PolicyActivation:
    """Read a record of the topic.

    Raises:
        EventError: it is none.
        TransientError: the schema registry does not answer.
    """
    with wire_errors():
        return codec.decode(record.value or b"", PolicyActivation)


def activated_policy(record: PolicyActivation) -> Policy:
    """Return the policy that a record puts in force.

    Raises:
        EventError: `invalid_policy`; its files are no policy here, or another one than
            the record says: of a newer version of Headgate, or tampered with.
    """
    texts = {file.path: file.text for file in record.files}
    name = f"{POLICY_ACTIVE.name}:{record.policy_id}"
    try:
        policy = PolicyFiles(name, record.is_folder, texts).checked().policy
    except (PolicyError, ValueError) as error:
        raise EventError("invalid_policy", str(error)) from error
    if policy.sha256 != record.sha256:
        raise EventError(
            "invalid_policy",
            f"{name} has the hash {policy.sha256[:12]}, but says {record.sha256[:12]}; "
            "activate it again",
        )
    return policy
