"""Where models run: on which device and with how many threads; read once at start."""

from typing import Literal

from encoders.signals import ModelUnavailableError

Device = Literal["auto", "cpu", "cuda"]


def choose_device(setting: Device) -> str:
    """Turn the setting into the device that torch is told: `cpu` or `cuda`.

    Raises:
        ModelUnavailableError: `cuda` was asked for and there is none.
    """
    if setting == "cpu":
        return "cpu"
    import torch  # Takes seconds; commands that load no model must not pay for it.

    if torch.cuda.is_available():
        return "cuda"
    if setting == "cuda":
        raise ModelUnavailableError(
            "the device is set to cuda, but torch finds no CUDA device here; "
            "set HEADGATE_DEVICE=cpu or auto, or install the NVIDIA driver"
        )
    return "cpu"


def limit_threads(threads: int) -> None:
    """Let one model call use at most `threads` CPU threads; 0: torch's own choice."""
    if threads:
        import torch  # See above.

        torch.set_num_threads(threads)


def is_out_of_memory(error: Exception) -> bool:
    """Say whether a model failed for want of memory, which may pass."""
    # torch's own class by name: this is asked where torch may not be loaded. Its CPU
    # allocator raises a bare RuntimeError (c10/core/impl/alloc_cpu.cpp).
    kind = type(error).__name__
    return (
        isinstance(error, MemoryError)
        or kind == "OutOfMemoryError"
        or (kind == "RuntimeError" and "DefaultCPUAllocator" in str(error))
    )
