import pytest

from encoders.devices import choose_device, limit_threads
from encoders.signals import ModelUnavailableError


def test_cpu_is_taken_as_said():
    """The CPU is always there; nothing is asked of torch."""
    assert choose_device("cpu") == "cpu"


@pytest.mark.models
def test_auto_takes_what_is_there(monkeypatch):
    """With `auto`, CUDA is used where there is one, else the CPU."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert choose_device("auto") == "cuda"

    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert choose_device("auto") == "cpu"


@pytest.mark.models
def test_cuda_that_is_not_there_is_refused(monkeypatch):
    """Who asks for CUDA does not get the CPU unasked; the message says what to set."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)

    with pytest.raises(ModelUnavailableError, match="HEADGATE_DEVICE=cpu or auto"):
        choose_device("cuda")


@pytest.mark.models
def test_threads_are_limited():
    """A limit reaches torch; zero leaves torch's own choice."""
    import torch

    before = torch.get_num_threads()
    try:
        limit_threads(1)
        limit_threads(0)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
