import numpy as np

from encoders.embedding_cache import EmbeddingCache, text_key

ROW = np.ones(3, np.float32)
MODEL = "0" * 64


def test_what_was_put_is_found():
    """A text met lately is known; another is not."""
    cache = EmbeddingCache()
    cache.put(text_key(MODEL, "win a prize"), ROW)

    assert cache.get(text_key(MODEL, "win a prize")) is ROW
    assert cache.get(text_key(MODEL, "win a prize!")) is None


def test_another_model_has_other_rows():
    """A text is known to the model that embedded it and to no other."""
    assert text_key(MODEL, "hello") != text_key("1" * 64, "hello")


def test_the_least_used_gives_way():
    """The cache is bounded, and reading counts as use."""
    cache = EmbeddingCache(capacity=2)
    cache.put(b"a", ROW)
    cache.put(b"b", ROW)
    cache.get(b"a")
    cache.put(b"c", ROW)

    assert [cache.get(key) is not None for key in (b"a", b"b", b"c")] == [1, 0, 1]


def test_texts_are_not_kept():
    """The key is a digest: what uploaders wrote can't be read from it."""
    assert len(text_key(MODEL, "a secret")) == 32
    assert b"secret" not in text_key(MODEL, "a secret")
