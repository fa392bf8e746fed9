"""`headgate doctor`: settings, broker, registry, models: what works, and what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from streams.cli.terminal import as_text, output_console, write_json
from streams.errors import HeadgateError
from streams.settings import Settings, load_settings, redacted

if TYPE_CHECKING:
    from streams.shadows.shadow import Shadow


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, or what to do about it."""

    name: str
    ok: bool
    detail: str


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object.")
    ] = False,
) -> None:
    """Show every setting and check everything a worker needs.

    Exit code 1 when something doesn't work; its line says what to do. Example:

    HEADGATE_ASR=sphinx headgate doctor
    """
    settings = load_settings()
    values = redacted(settings)
    meanings = [field.description for field in Settings.model_fields.values()]
    rows = list(zip(values, values.values(), meanings, strict=True))
    findings = list(_findings(settings))
    if as_json:
        write_json(
            {
                "settings": values,
                "checks": [
                    {"name": f.name, "ok": f.ok, "detail": f.detail} for f in findings
                ],
            }
        )
    else:
        _print(rows, findings)
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


def _print(rows: list[tuple[str, str, str | None]], findings: list[Finding]) -> None:
    console = output_console()
    table = Table("setting", "value", "meaning")
    for name, value, meaning in rows:
        table.add_row(name, as_text(value), as_text(meaning or ""))
    console.print(table)
    for finding in findings:
        mark = "[green]ok[/]  " if finding.ok else "[red]no[/]  "
        console.print(f"{mark} {finding.name}: ", end="")
        console.print(finding.detail, markup=False)


def _findings(settings: Settings) -> Iterator[Finding]:
    checks: dict[str, Callable[[Settings], str]] = {
        "broker": _broker,
        "registry": _registry,
        "policy": _policy,
        "shadows": _shadows,
        "risk head": _risk_head,
        "text model": _text_model,
        "speech model": _speech_model,
        "media": _media,
        "sandbox": _sandbox,
    }
    for name, check in checks.items():
        try:
            yield Finding(name, True, check(settings))
        except HeadgateError as error:
            yield Finding(name, False, str(error))


def _broker(settings: Settings) -> str:
    from streams.broker_check import check_broker

    facts = check_broker(settings.kafka, settings.judge_mode, app_id=settings.app_id)
    kind = "the embedded one" if facts.embedded else "Apache Kafka"
    promise = (
        "decisions at least once, with equal ids and bytes"
        if settings.judge_mode == "ledger"
        else "decisions, histories and offsets in one transaction"
    )
    return (
        f"{settings.bootstrap_servers} ({settings.kafka_security_protocol}) is {kind}, "
        f"with all topics and rights; judge mode {settings.judge_mode}: {promise}"
    )


def _registry(settings: Settings) -> str:
    from streams.wiring import build_codec

    build_codec(settings)
    url = redacted(settings)["HEADGATE_REGISTRY_URL"]
    return url if settings.registry_url else "none set; ids are the committed ones"


def _policy(settings: Settings) -> str:
    from streams.wiring import read_policy

    policy = read_policy(settings.policy).ref
    return f"{policy.id} version {policy.version}, sha256 {policy.sha256[:12]}"


def _shadows(settings: Settings) -> str:
    from streams.shadow_wiring import build_shadows

    told = [_shadow(shadow) for shadow in build_shadows(settings)]
    return "; ".join(told) or "none (HEADGATE_SHADOW)"


def _shadow(shadow: "Shadow") -> str:
    policy, head = shadow.policy.ref, shadow.head_sha256
    own = "" if head is None else f", risk head {head[:12]}"
    return (
        f"{shadow.name} asks {policy.id} version {policy.version}, sha256 "
        f"{policy.sha256[:12]}{own}, about {shadow.share.percent:g} % of uploaders"
    )


def _risk_head(settings: Settings) -> str:
    from streams.wiring import build_text_risk

    (model,) = build_text_risk(settings).models
    return f"{model.name}, sha256 {model.sha256[:12]}"


def _text_model(settings: Settings) -> str:
    from streams.wiring import build_text_encoder

    model = build_text_encoder(settings).model
    return f"{model.name}, sha256 {model.sha256[:12]}"


def _speech_model(settings: Settings) -> str:
    from streams.speech_wiring import build_transcriber

    model = build_transcriber(settings).model
    return f"{model.name}, sha256 {model.sha256[:12]}"


def _media(settings: Settings) -> str:
    import av

    root = settings.media_root or "none (HEADGATE_MEDIA_ROOT)"
    hosts = ", ".join(settings.media_hosts) or "none (HEADGATE_MEDIA_HOSTS)"
    buckets = ", ".join(settings.media_buckets) or "none (HEADGATE_MEDIA_BUCKETS)"
    versions = av.ffmpeg_version_info
    return f"files below {root}; hosts {hosts}; buckets {buckets}; FFmpeg {versions}"


def _sandbox(settings: Settings) -> str:
    from encoders.sandbox import SandboxedReader
    from streams.wiring import build_reader

    reader = build_reader(settings)
    try:
        if isinstance(reader, SandboxedReader):
            return f"media is decoded in confined processes: {reader.confinement}"
        return "off: media is decoded in the worker, where a flaw reaches everything"
    finally:
        reader.close()
