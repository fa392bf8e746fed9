"""Every metric of a worker: name, kind, unit and labels, in one place.

Names follow Prometheus' own conventions: base units, `_seconds`, `_bytes`, `_total`.
Labels are few-valued by design: stages, lanes, topics, partitions, actions, reason
codes; never an id of content or an uploader.
"""

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

# Seconds. From a repeated text (1 ms) to three hours of speech.
_WORK_S = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 10_800)
# From the upload to its decision; a day is a backlog.
_AGE_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of one process, on a registry of their own."""

    def __init__(self, app_version: str) -> None:
        self.registry = CollectorRegistry()
        self.build_info = self._gauge("build_info", "What runs here; 1.", "version")
        self.build_info.labels(app_version).set(1)

        self.events = self._counter(
            "events", "Events settled, by how they ended.", "stage", "outcome"
        )
        self.event_seconds = self._histogram(
            "event_seconds", "From taking an event on to its end.", _WORK_S, "stage"
        )
        self.dead_letters = self._counter(
            "dead_letters", "Dead letters written, by reason code.", "stage", "reason"
        )
        self.retries = self._counter(
            "retries", "Tries of an event after its first.", "stage"
        )
        self.moved_to_bulk = self._counter(
            "moved_to_bulk", "Uploads over their uploader's rate, moved aside."
        )
        self.suspects = self._gauge(
            "crash_suspects", "Events that a process of this worker died at."
        )

        self.decisions = self._counter(
            "decisions", "Decisions committed.", "action", "provisional"
        )
        self.duplicates = self._counter(
            "duplicates", "Uploads that were judged before; not learned from again."
        )
        self.shadow_decisions = self._counter(
            "shadow_decisions",
            "What candidates would have said, committed.",
            *("shadow", "live_action", "action"),
        )
        self.shadow_errors = self._counter(
            "shadow_errors", "Uploads that a candidate failed at.", "shadow"
        )
        self.decision_age = self._histogram(
            "decision_age_seconds", "From the event's own time to its decision.", _AGE_S
        )
        self.braked_rules = self._counter(
            "braked_rules", "Hours in which a rule was held.", "rule", "reason"
        )
        self.histories = self._gauge(
            "histories", "Uploader histories held in memory.", "partition"
        )
        self.restore_seconds = self._histogram(
            "histories_restore_seconds", "Reading a partition's histories.", _WORK_S
        )

        self.platform_steps = self._counter(
            "platform_steps", "Steps in a share over all uploaders.", "series"
        )
        self.platform_share = self._gauge(
            "platform_share_ratio", "Usual share of uploads that meet it.", "series"
        )
        self.drift = self._counter("drift", "Inputs whose mean changed.", "input")
        self.input_mean = self._gauge(
            "input_mean_ratio", "What is usual for an input, in [0, 1].", "input"
        )
        self.campaigns = self._counter("campaigns", "Campaigns found.")

        self.in_flight = self._gauge(
            "in_flight_events", "Events taken on and not settled.", "stage", "lane"
        )
        self.head_age = self._gauge(
            "head_age_seconds",
            "How long the oldest one has been, or has not moved on.",
            *("stage", "lane"),
        )
        self.in_flight_bytes = self._gauge(
            "in_flight_media_bytes", "Bytes of media held.", "lane"
        )
        self.batch_items = self._histogram(
            "batch_items", "Items in a micro-batch of a model.", _ITEMS, "model"
        )
        self.batch_seconds = self._histogram(
            "batch_seconds", "A model's time for a micro-batch.", _WORK_S, "model"
        )

        self.lag = self._gauge(
            "lag_events",
            "Events behind the topic's end, by the position the broker holds.",
            *("group", "topic", "partition"),
        )
        self.commits = self._counter("commits", "Commits.", "lane", "outcome")
        self.rebalances = self._counter("rebalances", "Revocations.", "lane")
        self.outputs = self._counter(
            "outputs", "Records sent in ledger mode.", "topic", "outcome"
        )
        self.loop_lag = self._gauge(
            "loop_lag_seconds", "How late the event loop's last tick was."
        )
        self.ready = self._gauge("ready", "1 when /readyz says so.")
        ProcessCollector(namespace="headgate", registry=self.registry)
        PlatformCollector(registry=self.registry)

    def count_event(
        self, stage: str, outcome: str, took_s: float, facts: Mapping[str, Any]
    ) -> None:
        """Count an event that ended, by the facts of its log line."""
        self.events.labels(stage, outcome).inc()
        self.event_seconds.labels(stage).observe(took_s)
        self.retries.labels(stage).inc(facts.get("attempts", 1) - 1)
        if facts.get("lane") == "bulk":
            self.moved_to_bulk.inc()
        if "duplicate" in facts:
            self.duplicates.inc()
        if "action" in facts:
            provisional = str(facts["provisional"]).lower()
            self.decisions.labels(facts["action"], provisional).inc()
            self.decision_age.observe(facts["age_s"])

    def count_shadow(self, name: str, live_action: str, action: str) -> None:
        """Count what a candidate would have said, beside what is done."""
        self.shadow_decisions.labels(name, live_action.lower(), action.lower()).inc()

    def count_note(self, event: str, facts: Mapping[str, Any]) -> None:
        """Count what is noted beside events."""
        if event == "histories_restored":
            self.histories.labels(facts["partition"]).set(facts["uploaders"])
            self.restore_seconds.observe(facts["seconds"])
        if event == "rule_braked":
            self.braked_rules.labels(facts["rule"], facts["reason"]).inc()
        if event == "platform_step":
            self.platform_steps.labels(facts["series"]).inc()
        if event == "drift":
            self.drift.labels(facts["input"]).inc()
        if event == "campaign_found":
            self.campaigns.inc()

    def tell_platform(
        self, shares: Mapping[str, float], means: Mapping[str, float]
    ) -> None:
        """Set what is usual over all uploads: shares by series, means by input."""
        for name, share in shares.items():
            self.platform_share.labels(name).set(share)
        for name, mean in means.items():
            self.input_mean.labels(name).set(mean)

    def observe_batch(self, model: str) -> Callable[[int, float], None]:
        """Return what takes a micro-batch's items and seconds."""
        items = self.batch_items.labels(model)
        seconds = self.batch_seconds.labels(model)

        def observe(count: int, took_s: float) -> None:
            items.observe(count)
            seconds.observe(took_s)

        return observe

    def _counter(self, name: str, doc: str, *labels: str) -> Counter:
        return Counter(f"headgate_{name}", doc, labels, registry=self.registry)

    def _gauge(self, name: str, doc: str, *labels: str) -> Gauge:
        return Gauge(f"headgate_{name}", doc, labels, registry=self.registry)

    def _histogram(
        self, name: str, doc: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"headgate_{name}", doc, labels, registry=self.registry, buckets=buckets
        )
