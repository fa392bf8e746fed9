"""Make Kafka's ACLs what `deploy/kafka/acls.yaml` says; edge of `topics apply --acls`.

Missing ones are created. What is there beyond them is told, never deleted: it may be
what somebody's work hangs on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # No __all__ there.
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from streams.access_rules import Right
from streams.cluster import is_embedded, open_admin, refused
from streams.errors import StartError
from streams.kafka_access import Kafka, KafkaAccess, as_access

_TIMEOUT_S = 30.0  # As for topics; fifty ACLs take well under a second here.
_LOOK_AGAIN_S = 0.05
_ANY_HOST = "*"
_KINDS = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType.TRANSACTIONAL_ID,
}

State = Literal["created", "exists", "missing", "extra"]


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One ACL, as a person reads it."""

    principal: str
    operation: str
    kind: str
    name: str
    prefixed: bool = False
    permission: str = "allow"
    host: str = _ANY_HOST


@dataclass(frozen=True, slots=True)
class AclReport:
    """What was found or done about one ACL."""

    grant: Grant
    state: State  # missing: a dry run left it; extra: there, and not in our data.


def grants_of(
    rights: Iterable[Right], principals: Mapping[str, Sequence[str]]
) -> frozenset[Grant]:
    """Return the ACLs that give each role's users the role's rights."""
    return frozenset(
        Grant(principal, right.operation, right.kind, right.name, right.prefixed)
        for right in rights
        for principal in principals[right.role]
    )


def apply_acls(
    kafka: Kafka, wanted: frozenset[Grant], *, dry_run: bool = False
) -> tuple[AclReport, ...]:
    """Create what is missing and tell what is extra; safe to repeat. Blocks.

    Extra is an ACL that is not wanted, of a user of ours or on a resource of ours.

    Raises:
        StartError: the broker does not answer, checks no rights, or refuses.
    """
    access = as_access(kafka)
    admin, cluster = open_admin(access)
    if is_embedded(cluster):
        raise StartError(
            f"the embedded broker at {access.bootstrap_servers} has no ACLs; expected "
            "Apache Kafka with an authorizer"
        )
    _check_rights(admin, access, "describe" if dry_run else "alter")
    found = _found(admin, access)
    missing = wanted - found
    if missing and not dry_run:
        _create(admin, access, missing)
        _await(admin, access, missing)
    left: State = "missing" if dry_run else "created"
    extra = [grant for grant in found - wanted if _concerns(grant, wanted)]
    return (
        *(AclReport(g, left if g in missing else "exists") for g in sorted(wanted)),
        *(AclReport(grant, "extra") for grant in sorted(extra)),
    )


def _check_rights(admin: Any, access: KafkaAccess, operation: str) -> None:
    # librdkafka 2.16 takes a refusal to list ACLs for an empty list.
    try:
        cluster = admin.describe_cluster(
            include_authorized_operations=True, request_timeout=_TIMEOUT_S
        ).result()
    except KafkaException as error:
        raise _failed(access, error, operation) from error
    allowed = {o.name.lower() for o in cluster.authorized_operations or ()}
    if operation not in allowed:
        raise StartError(
            f"{access.who} may not {operation.capitalize()} the cluster at "
            f"{access.bootstrap_servers}; expected an administrator (the broker's "
            "super.users) for --acls"
        )


def _found(admin: Any, access: KafkaAccess) -> frozenset[Grant]:
    everything: Any = AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # Any name; its stub knows text only.
        ResourcePatternType.ANY,
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    try:
        acls = admin.describe_acls(everything, request_timeout=_TIMEOUT_S).result()
    except KafkaException as error:
        raise _failed(access, error, "Describe") from error
    return frozenset(_grant(acl) for acl in acls)


def _create(admin: Any, access: KafkaAccess, grants: Iterable[Grant]) -> None:
    bindings = [_binding(grant) for grant in sorted(grants)]
    try:
        for done in admin.create_acls(bindings, request_timeout=_TIMEOUT_S).values():
            done.result()
    except KafkaException as error:
        raise _failed(access, error, "Alter") from error


def _await(admin: Any, access: KafkaAccess, grants: frozenset[Grant]) -> None:
    # Kafka confirms an ACL before its brokers go by it; whoever goes on at once would
    # still be refused.
    deadline = monotonic() + _TIMEOUT_S
    while not grants <= _found(admin, access):
        if monotonic() > deadline:
            raise StartError(
                f"{access.bootstrap_servers} took {len(grants)} ACLs and does not show "
                f"them after {_TIMEOUT_S:g} s; are all brokers and controllers up?"
            )
        sleep(_LOOK_AGAIN_S)


def _failed(access: KafkaAccess, error: KafkaException, operation: str) -> StartError:
    if error.args[0].code() == KafkaError.SECURITY_DISABLED:
        return StartError(
            f"Kafka at {access.bootstrap_servers} checks no rights; set "
            "authorizer.class.name at the broker before ACLs can be applied"
        )
    why = refused(access, error, operation, "(ACLs)")
    return StartError(f"ACLs: {why}")


def _concerns(grant: Grant, wanted: frozenset[Grant]) -> bool:
    ours = {(g.kind, g.name) for g in wanted}
    if grant.principal in {g.principal for g in wanted}:
        return True
    if (grant.kind, grant.name) in ours or grant.name == "*":
        return True
    return grant.prefixed and any(
        kind == grant.kind and name.startswith(grant.name) for kind, name in ours
    )


def _grant(acl: Any) -> Grant:
    return Grant(
        acl.principal,
        acl.operation.name.lower(),
        acl.restype.name.lower(),
        acl.name,
        acl.resource_pattern_type == ResourcePatternType.PREFIXED,
        acl.permission_type.name.lower(),
        acl.host,
    )


def _binding(grant: Grant) -> Any:
    pattern = "PREFIXED" if grant.prefixed else "LITERAL"
    return AclBinding(
        _KINDS[grant.kind],
        grant.name,
        ResourcePatternType[pattern],
        grant.principal,
        grant.host,
        AclOperation[grant.operation.upper()],
        AclPermissionType[grant.permission.upper()],
    )
