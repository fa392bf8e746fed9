"""The head that comes with Headgate: whole, small, and sane on texts it never saw."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from encoders.embedding_cache import EmbeddingCache
from encoders.text import TextEncoder
from schemas.records import Category
from streams.evaluation.out_of_fold import OutOfFoldScores
from streams.evaluation.out_of_fold import read as read_scores
from streams.scorers.text_risk import TextRisk
from streams.settings import Settings
from streams.training import metrics
from streams.training.datasets import hatecheck, openai
from streams.training.examples import COVERED, Example
from streams.wiring import build_text_encoder

SharedData = Callable[[str], Path]
WEIGHTS = Path(__file__).parents[3] / "streams" / "scorers" / "weights"

# Held out: none of these may ever be trained on.
ORDINARY = (
    # Titles.
    "Bohemian Nights",
    "Coffee & Rain (Instrumental)",
    "Love Story, Part Two",
    "Killer Tune feat. The Sundowners",
    "Highway to the Coast",
    "Shot Through the Dark",
    "Kill the Lights",
    "Hit Me With Your Best Song",
    "Sick Beats Only: Workout 2025",
    "Smooth Operators of Soul",
    "Christmas Carols by Candlelight",
    "Die Another Way - Radio Edit",
    "Deep House Sessions #48",
    "Concerto for Two Violins in D minor: Largo",
    "Gospel Hour with Pastor James",
    "White Noise - Airplane Cabin",
    "Dirty Dishes Blues",
    # Lyrics.
    "oh baby don't you leave me now, the rain is falling on my window pane",
    "we ran all night through neon streets, your hand in mine, nothing to lose",
    "i miss my hometown and the river and my mother's voice",
    "she's got a smile like morning sun and shoes as red as wine",
    "stand up, stand up, we won't be silent any longer, freedom is our song",
    "pour another whiskey, i've been crying over you since june",
    "i'm the king of this city, gold chains, fast cars, I never sleep",
    "my love, you're drop dead beautiful and i surrender",
    "knock me off my feet and turn my world around",
    # Podcast and audiobook descriptions.
    "This week Anna and Tom talk about remote work, burnout and long meetings.",
    "A weekly show about birds, the people who watch them, and one very angry goose.",
    "Chapter three, in which our heroine boards the night train and loses her hat.",
    "Two comedians watch bad films and argue about who would survive them.",
    "We speak with a former goalkeeper about penalty shoot-outs and defeat.",
    "An oncologist explains what new cancer treatments can and cannot do.",
    "Our cold case series returns: who poisoned the mayor of a small mining town?",
    "Support the show on our website, rate us, tell a friend. New episodes Fridays.",
    "The story of the women who decoded messages in the Second World War.",
    "A rabbi, a priest and an imam walk into a studio and talk about hope.",
    "How a family of immigrants opened the best bakery in town.",
    "Personal finance for beginners: pensions, credit cards and paying off debt.",
    "Dating in your forties: funny first dates and what we learned.",
    "Therapist Dr. Lee on anxiety, sleep and how to ask for help.",
    # As a recogniser writes it.
    "good morning and welcome to the show my name is carla and today we have a special"
    " guest",
    "the printer is out of paper again so i walked all the way down to the basement",
    "and so my fellow americans ask not what your country can do for you ask what you"
    " can do for your country",
    "the quick brown fox jumps over the lazy dog",
    "first preheat the oven then mix the flour with the butter and a pinch of salt",
    "we are now at the seventieth minute and the striker shoots just over the bar",
    "in the beginning the river was wide and the villagers crossed it by boat",
    "turn left at the lights and your destination is on the right",
)

SCAMS = (
    "this is your bank calling your account has been locked please read me your card"
    " number and the pin",
    "Hello, this is your bank calling. Your account has been locked. Please read me "
    "your card number and the PIN.",
    "we noticed unusual activity on your account to keep it safe tell me the six digit"
    " code we just sent you",
)
THREATS = (
    "i will find you and kill you tonight",
    "I will find you, and kill you, tonight!",
    "we know where you live and we are going to shoot you",
)

# Average precision on rows held out, a little under what the model card states.
FLOORS = (
    (openai, Category.HATE, 0.67),
    (openai, Category.VIOLENT_EXTREMISM, 0.53),
    (openai, Category.SEXUAL_CONTENT, 0.87),
    (openai, Category.SELF_HARM, 0.76),
    (hatecheck, Category.HATE, 0.88),
)


def test_a_text_alone_or_among_others_has_the_same_probability() -> None:
    """Replay in other batches gives the same decision."""
    head = shipped()
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(200, 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    together = head.probabilities(rows)

    alone = np.concatenate([head.probabilities(row[None]) for row in rows])
    assert np.array_equal(together, alone)
    assert ((together >= 0) & (together <= 1)).all()


def test_the_manifest_names_the_shipped_weights() -> None:
    """A changed file is noticed, and the weights stay small."""
    manifest = json.loads((WEIGHTS / "manifest.json").read_text(encoding="utf-8"))

    assert set(manifest) == {path.name for path in WEIGHTS.glob("*.safetensors")}
    files = {name: (WEIGHTS / name).read_bytes() for name in manifest}
    assert manifest == {n: hashlib.sha256(d).hexdigest() for n, d in files.items()}
    assert sum(map(len, files.values())) <= 8_000_000


def test_the_held_out_words_are_of_the_shipped_head() -> None:
    """Figures read from them are this head's own, or the file is another run's."""
    assert held_out().head_sha256 == shipped().models[0].sha256
    assert held_out().categories == shipped().categories


@pytest.mark.parametrize(
    ("read", "category", "least"),
    FLOORS,
)
def test_quality_on_held_out_rows_is_not_lost(
    shared_data: SharedData,
    read: Callable[[Path], Iterator[Example]],
    category: Category,
    least: float,
) -> None:
    """Average precision out of fold is no lower than MODEL_CARD.md's, less 0.02."""
    examples = [
        e for e in read(shared_data("hatecheck").parent) if category in e.labels
    ]
    column = COVERED.index(category)
    risks = held_out().of([e.text for e in examples])[:, column]
    labels = np.array([e.labels[category] for e in examples], np.float64)

    assert metrics.average_precision(labels, risks) >= least


def test_the_shipped_head_says_nothing_of_child_safety() -> None:
    """Suspicions about minors are no matter for this head."""
    assert Category.CHILD_SAFETY not in shipped().categories


@pytest.mark.models
def test_the_shipped_model_gives_a_text_alone_the_same_bits() -> None:
    """Merged, the adapter keeps what was promised of the base model."""
    texts = ORDINARY[:12]

    together = shipped_encoder().embed(texts)
    shipped_encoder()._cache = EmbeddingCache()  # type: ignore[attr-defined]
    alone = [shipped_encoder().embed([text])[0] for text in texts]

    assert np.array_equal(together, np.stack(alone))


@pytest.mark.models
def test_ordinary_uploads_stay_below_one_half() -> None:
    """Of ordinary titles, lyrics and talk at least 93 % are under 0.5 everywhere."""
    worst = risks(ORDINARY).max(axis=1)

    assert np.mean(worst < 0.5) >= 0.93, np.array(ORDINARY)[worst >= 0.5]


@pytest.mark.models
@pytest.mark.parametrize(
    ("texts", "category"),
    [(SCAMS, Category.FRAUD_SPAM), (THREATS, Category.VIOLENT_EXTREMISM)],
)
def test_plain_harm_is_found(texts: Sequence[str], category: Category) -> None:
    """A spoken scam and a threat are likelier than not, punctuated or not."""
    column = shipped().categories.index(category)

    assert (risks(texts)[:, column] >= 0.5).all()


@cache
def held_out() -> OutOfFoldScores:
    """Load what heads said of rows that they had not seen."""
    return read_scores(WEIGHTS / "out_of_fold.npz")


@cache
def shipped() -> TextRisk:
    """Load the head that comes with Headgate."""
    return TextRisk((WEIGHTS / "text_risk.safetensors").read_bytes())


def risks(texts: Sequence[str]) -> np.ndarray:
    """Return the shipped head's probabilities, shape (n_texts, n_categories)."""
    return shipped().probabilities(shipped_encoder().embed(texts))


@cache
def shipped_encoder() -> TextEncoder:
    """Load the text encoder with the shipped adapter."""
    encoder = build_text_encoder(Settings())
    shipped().check_encoder(encoder.model.name, encoder.model.sha256)
    return encoder
