"""The one place that puts work on the queue.

The queue is a table of the same database, so enqueuing belongs to the caller's transaction: the task appears
when it commits and vanishes when it rolls back. A task may be lost with a killed worker for a minute or run
twice, so it only says "look now"; what there is to do is marked on rows (ARCHITECTURE.md, Marks).
"""

from __future__ import annotations

from collections.abc import Callable

from django_q.tasks import async_task


def enqueue(function: Callable[..., object] | str, *args: object) -> None:
    """Have a worker call the function soon, at least once. Arguments are small plain values, e.g. ids."""
    async_task(name_of(function), *args)


def name_of(function: Callable[..., object] | str) -> str:
    """Return the dotted path that finds the function again; raises ValueError for a lambda or a method."""
    if isinstance(function, str):
        return function
    if "<" in function.__qualname__ or "." in function.__qualname__:
        raise ValueError(f"A worker can only find functions of a module, not {function.__qualname__}.")
    return f"{function.__module__}.{function.__qualname__}"
