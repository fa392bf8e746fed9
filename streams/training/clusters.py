"""Near-duplicate clusters and folds: what is alike is never trained and tested across.

Two examples are alike when they share a family or a run of five words; HateCheck's
templates also when their letters mostly agree, since its contrast sets (a template, its
negation, its misspelling) differ by a word or a letter.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.training.examples import Example

# The data's own split rule (../shared/data/openai_moderation/README.md): 5-grams.
SHINGLE_WORDS: Final = 5
# Share of the shorter template's letter trigrams also in the longer one. 0.6 puts
# "I h4te X", "I hate X" and "Let me be clear: I don't hate X" together. It errs
# towards too much: a chain that joins unrelated templates costs a little training
# text, a missed pair would flatter the figures.
TEMPLATE_OVERLAP: Final = 0.6
LONGEST_TEMPLATE: Final = 150  # Characters; HateCheck's are under 100.
SHORTEST_TEMPLATE: Final = 3  # Letter trigrams; "I hate" has three.

_WORD = re.compile(r"\w+")
_SLOT = re.compile(r"\[\w+\]")
_LEET = str.maketrans("013457@$", "oieastas")


def clusters(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Return a cluster number per example, int64, shape (n,)."""
    parent = list(range(len(examples)))
    for members in _alike(examples):
        for other in members[1:]:
            parent[_root(parent, other)] = _root(parent, members[0])
    return np.array([_root(parent, i) for i in range(len(examples))], dtype=np.int64)


def folds(groups: NDArray[np.int64], n_folds: int, seed: int) -> NDArray[np.int64]:
    """Deal clusters to folds, big ones first, each to the fold that is smallest."""
    names, sizes = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(n_folds, dtype=np.int64)
    fold_of: dict[int, int] = {}
    for position in order:
        smallest = int(filled.argmin())
        fold_of[int(names[position])] = smallest
        filled[smallest] += sizes[position]
    return np.array([fold_of[int(g)] for g in groups], dtype=np.int64)


def near_any(examples: Sequence[Example], held: Sequence[Example]) -> NDArray[np.bool_]:
    """Say which examples share five words, or a template's letters, with a held one.

    Unlike `clusters` this goes one step only: two texts that are like a third need not
    be like each other.
    """
    shingles = set().union(*(_shingles(e.text) for e in held))
    families = {e.family for e in held if e.source == "hatecheck"}
    templates = [t for t in map(_trigrams, families) if len(t) >= SHORTEST_TEMPLATE]
    return np.array(
        [
            not shingles.isdisjoint(_shingles(e.text))
            or _is_like_template(e.text, templates)
            for e in examples
        ],
        dtype=bool,
    )


def _is_like_template(text: str, templates: Sequence[set[str]]) -> bool:
    if len(text) > LONGEST_TEMPLATE:
        return False
    letters = _trigrams(text)
    return len(letters) >= SHORTEST_TEMPLATE and any(
        len(letters & other) / min(len(letters), len(other)) >= TEMPLATE_OVERLAP
        for other in templates
    )


def _alike(examples: Sequence[Example]) -> list[list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    templates: dict[str, int] = {}
    for index, example in enumerate(examples):
        members[example.family].append(index)
        for shingle in _shingles(example.text):
            members[shingle].append(index)
        if example.source == "hatecheck":
            templates.setdefault(example.family, index)
    return [*members.values(), *_template_pairs(templates)]


def _template_pairs(templates: dict[str, int]) -> list[list[int]]:
    letters = [(_trigrams(family), index) for family, index in templates.items()]
    letters.sort(key=lambda item: len(item[0]))
    return [
        [index, other_index]
        for position, (short, index) in enumerate(letters)
        if len(short) >= SHORTEST_TEMPLATE
        for long, other_index in letters[position + 1 :]
        if len(short & long) / len(short) >= TEMPLATE_OVERLAP
    ]


def _shingles(text: str) -> set[str]:
    words = _WORD.findall(text.lower())
    runs = max(1, len(words) - SHINGLE_WORDS + 1)
    return {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(runs)}


def _trigrams(template: str) -> set[str]:
    plain = _SLOT.sub("", template.removeprefix("hatecheck:")).lower().translate(_LEET)
    letters = "".join(_WORD.findall(plain))
    return {letters[i : i + 3] for i in range(len(letters) - 2)}


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index
