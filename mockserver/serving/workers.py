"""Threads for what takes long; none of them keeps the process from ending, whatever it is at."""

import queue
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Order(NamedTuple):
    """What a thread is to do, and for whom."""

    future: Future[Any]
    work: Callable[[], Any]


Orders = queue.SimpleQueue[_Order | None]  # None: one thread may end


class Workers:
    """A few daemon threads that begin with the first work: those of `concurrent.futures` are waited for."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._threads = 0
        self._idle = threading.Semaphore(0)
        self._orders: Orders = queue.SimpleQueue()
        weakref.finalize(self, _dismiss, self._orders, count)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have something done; work that was cancelled before it began is not."""
        future: Future[T] = Future()
        self._orders.put(_Order(future, work))
        if not self._idle.acquire(blocking=False) and self._threads < self._count:
            self._threads += 1
            arguments = (self._orders, self._idle)
            threading.Thread(target=_work_on, args=arguments, name="mockserver-worker", daemon=True).start()
        return future


def _dismiss(orders: Orders, count: int) -> None:
    for _ in range(count):
        orders.put(None)


def _work_on(orders: Orders, idle: threading.Semaphore) -> None:
    while True:
        try:
            order = orders.get_nowait()
        except queue.Empty:
            idle.release()
            order = orders.get()
        if order is None:
            return
        _fulfil(order)
        del order  # which may hold a large body


def _fulfil(order: _Order) -> None:
    if order.future.set_running_or_notify_cancel():
        try:
            order.future.set_result(order.work())
        except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
            order.future.set_exception(error)
        finally:
            del order  # to which the error leads, and which leads to it
