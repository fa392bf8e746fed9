"""What `headgate transcribe` shows of a file: a JSON line, or text with a summary."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.cli.terminal import as_text, complain, output_console

if TYPE_CHECKING:
    from encoders.signals import SpeechSegment
    from streams.hearing import Heard

Line = dict[str, Any]


def as_line(file: Path, model: str, heard: "Heard", recalled: int) -> Line:
    """Return a file's transcript as JSON; `recalled` windows were heard before."""
    result = heard.result
    gated = [
        {
            "start_s": round(span.start_s, 3),
            "end_s": round(span.end_s, 3),
            "reason": span.reason,
        }
        for span in result.gated
    ]
    return {
        "file": str(file),
        "model": model,
        "language": result.language,
        "duration_s": round(heard.duration_s, 3),
        "truncated": heard.truncated,
        "recalled_windows": recalled,
        "segments": [_segment(segment) for segment in result.segments],
        "gated": gated,
    }


def _segment(segment: "SpeechSegment") -> Line:
    line: Line = {
        "start_s": round(segment.start_s, 3),
        "end_s": round(segment.end_s, 3),
        "text": segment.text,
        "avg_logprob": segment.avg_logprob,
        "no_speech_prob": segment.no_speech_prob,
        "compression_ratio": segment.compression_ratio,
    }
    if segment.words:
        line["words"] = [
            {
                "start_s": round(word.start_s, 3),
                "end_s": round(word.end_s, 3),
                "text": word.text,
                "probability": round(word.probability, 3),
            }
            for word in segment.words
        ]
    return line


def show(line: Line) -> None:
    """Print a file's transcript for a person, with what was not believed, and why."""
    if "error" in line:
        complain(f"{line['file']}: {line['error']}")
        return
    console = output_console()
    console.print(as_text(f"{line['file']} ({line['model']}, {line['duration_s']} s)"))
    for segment in line["segments"]:
        _print_span(segment, "  ")
        for word in segment.get("words", ()):
            _print_span(word, "      ")
    console.print(as_text(f"  {summary(line)}"))


def summary(line: Line) -> str:
    """Say in one line how much was heard, and what was left out and why."""
    segments, gated = line["segments"], line["gated"]
    said = f"{len(segments)} segments" if segments else "nothing was said"
    parts = [said if len(segments) != 1 else "1 segment"]
    if gated:
        seconds = sum(span["end_s"] - span["start_s"] for span in gated)
        reasons = Counter(span["reason"] for span in gated).most_common()
        why = ", ".join(f"{count} {reason}" for reason, count in reasons)
        parts.append(f"{len(gated)} stretches not believed, {seconds:.1f} s ({why})")
    if line["truncated"]:
        parts.append(f"not whole: {line['truncated']}")
    if line["recalled_windows"]:
        parts.append(f"{line['recalled_windows']} windows kept from before")
    return "; ".join(parts)


def _print_span(span: Line, indent: str) -> None:
    output_console().print(
        f"{indent}{span['start_s']:8.2f} – {span['end_s']:8.2f}  "
        f"{as_text(span['text'])}"
    )
