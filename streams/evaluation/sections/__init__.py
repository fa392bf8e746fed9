"""The scorecard's sections, in the order they are shown.

A section is a function from `Inputs` to `Section`, in a module of its own. To add one:
write the module, list its function here. One that can't run raises `NotMeasuredError`
with the reason and what it would take; the scorecard then says so in its place.
"""

from collections.abc import Callable

from streams.evaluation.figures import Section
from streams.evaluation.scored_rows import Inputs
from streams.evaluation.sections.campaigns import campaigns
from streams.evaluation.sections.categories import openai_categories, public_categories
from streams.evaluation.sections.evasion import evasion
from streams.evaluation.sections.hatecheck import hatecheck
from streams.evaluation.sections.languages import languages
from streams.evaluation.sections.long_form import long_form
from streams.evaluation.sections.nab import nab
from streams.evaluation.sections.openai_any import openai_any
from streams.evaluation.sections.unseen_text import unseen_text

SECTIONS: tuple[tuple[str, str, Callable[[Inputs], Section]], ...] = (
    ("openai_any", "OpenAI prompts, any category", openai_any),
    ("openai", "OpenAI prompts, by category", openai_categories),
    ("public", "All public rows, by category", public_categories),
    ("hatecheck", "HateCheck", hatecheck),
    ("unseen_text", "Text from sources never seen in training", unseen_text),
    ("evasion", "Evasion", evasion),
    ("long_form", "Long form", long_form),
    ("languages", "Other languages", languages),
    ("nab", "Anomalies in series (NAB)", nab),
    ("campaigns", "Campaigns", campaigns),
)
