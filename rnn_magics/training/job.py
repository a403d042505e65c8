"""A run on a worker thread, so that it can be paused, stopped and looked at while it trains.

Training never happens on the caller's thread: an interrupt that arrives in the middle of an
optimizer step would leave the parameters half updated. Here the interrupt reaches the caller,
who asks the worker to stop, and the worker does so between two steps.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from rnn_magics.errors import TrainingError
from rnn_magics.models.forked import check_fork, training_here
from rnn_magics.models.rnn_model import RNNModel, copy_model
from rnn_magics.options import check_choice
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, StepEnd, TrainEnd
from rnn_magics.training.loop import iter_train, tell_failure
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

T = TypeVar("T")
_SECONDS_BETWEEN_STEPS_TOLD = 0.1
_SECONDS_BETWEEN_LOOKS = 0.1
_EXIT_PATIENCE_SECONDS = 10


class Job:
    """One training on a thread of its own.

    Parameters
    ----------
    run, state
        What `rnn_magics.training.loop.begin` returned.
    listener
        Called on the worker thread with the events, of the steps at most ten a second.
        Without one the events are kept for `follow`.
    watch
        Called on the worker thread with every event, between two steps.
    """

    def __init__(
        self,
        run: Run,
        state: TrainState,
        listener: Callable[[Event], None] | None = None,
        watch: Callable[[Event], None] | None = None,
    ) -> None:
        self.run = run
        self.error: BaseException | None = None
        self._state = state
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._tell = listener or self._events.put
        self._watch = watch
        self._stop_reason: Ending | None = None
        self._paused = False
        self._requests: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # between posting a request and the end of the worker
        self._begun = self._over = False
        self._thread = threading.Thread(target=self._work, name=f"rnn {run.name}", daemon=True)

    def also(self, listener: Callable[[Event], None]) -> None:
        """Tell another listener, too, from now on."""
        first = self._tell

        def tell(event: Event) -> None:
            first(event)
            listener(event)

        self._tell = tell

    def start(self) -> None:
        """Begin to train."""
        self._begun = True
        atexit.register(self._leave)
        self._thread.start()

    @property
    def has_begun(self) -> bool:
        """Whether `start` was ever called."""
        return self._begun

    @property
    def is_alive(self) -> bool:
        """Whether the run is still training or paused."""
        return self._thread.is_alive()

    @property
    def is_paused(self) -> bool:
        """Whether the run waits for `resume`."""
        return self._paused and self.is_alive

    def stop(self, reason: str = Ending.STOPPED) -> None:
        """End the run after the present step.

        Raises
        ------
        ConfigError
            When `reason` is none of `Ending`.
        """
        self._stop_reason = self._stop_reason or Ending.named(reason)
        self._requests.put(None)

    def pause(self) -> None:
        """Hold the run after the present step."""
        self._paused = True

    def resume(self) -> None:
        """Let a paused run go on."""
        self._paused = False
        self._requests.put(None)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has ended, or for `timeout` seconds."""
        self._thread.join(timeout)

    def follow(self, meanwhile: Callable[[], None] = lambda: None) -> Iterator[Event]:
        """Start the run if need be, and yield its events on the caller's thread until it has ended.

        Parameters
        ----------
        meanwhile
            Called on the caller's thread before each event, and some times a second.

        Raises
        ------
        BaseException
            What the worker raised, if it did.
        """
        if self._thread.ident is None:
            self.start()
        while (event := self._next_event(meanwhile)) is not None:
            yield event
        self.wait()
        if self.error is not None:
            raise self.error

    def _next_event(self, meanwhile: Callable[[], None]) -> Event | None:
        while True:
            alive = self.is_alive  # asked first: what it put before it ended is still to be read
            meanwhile()
            try:
                # A bounded wait, because Windows cannot interrupt an unbounded one.
                return self._events.get(timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                if not alive:
                    return None

    def between_steps(self, call: Callable[[], T]) -> T:
        """Run `call` on the worker between two steps, or here when the run has ended.

        Raises
        ------
        BaseException
            What `call` raised.
        """
        answer: Future[T] = Future()

        def serve() -> None:
            try:
                answer.set_result(call())
            except BaseException as error:  # noqa: BLE001  (handed to the caller)
                answer.set_exception(error)

        check_fork()  # whose worker is in another process
        with self._lock:
            if self._over:
                return call()
            self._requests.put(serve)
        return answer.result()

    def steer(self, **changes: float | None) -> None:
        """Change learning rate (``lr``) or bound on the gradient (``clip``) from the next step on.

        Raises
        ------
        ConfigError
            When a value is out of range, or something else is to be changed; the run then goes
            on as before.
        TrainingError
            When the run has ended.
        """
        for name in changes:
            check_choice("steer", name, ("lr", "clip"))
        TrainConfig(**changes)  # type: ignore[arg-type]  # refuses here what is out of range

        def change() -> None:
            if not self._over:
                steered = replace(self.run.config.train, **changes)  # type: ignore[arg-type]
                self.run.steer(steered, self._state.total_steps)

        if not self.is_alive:
            msg = f"run {self.run.name!r} has ended, and can be steered no more"
            raise TrainingError(msg)
        self.between_steps(change)

    def snapshot(self) -> RNNModel:
        """Return a copy of the model as it is between two steps."""
        return self.between_steps(lambda: copy_model(self.run.model))

    @training_here()
    def _work(self) -> None:
        told = 0.0
        try:
            for event in iter_train(self.run, self._state, lambda: self._stop_reason):
                if self._watch is not None:
                    self._watch(event)
                if isinstance(event, StepEnd):
                    now = time.monotonic()
                    if now - told >= _SECONDS_BETWEEN_STEPS_TOLD:
                        told = now
                        self._tell(event)
                else:
                    self._tell(event)
                if not isinstance(event, TrainEnd):
                    self._serve_requests()
        except BaseException as error:  # noqa: BLE001  (shown by whoever follows the run)
            self.error = error
            self.run.reason = Ending.FAILED
            self.run.message = f"{type(error).__name__}: {error}"
            watching = [] if self._watch is None else [self._watch]
            tell_failure(error, [*watching, self._tell])
        finally:
            self.run.model.eval()
            with self._lock:
                self._over = True
            self._serve_requests()
            self._events.put(None)
            atexit.unregister(self._leave)

    def _serve_requests(self) -> None:
        while True:
            waits = self._paused and self._stop_reason is None and not self._over
            try:
                request = self._requests.get(block=waits)
            except queue.Empty:
                return
            if request is not None:
                request()

    def _leave(self) -> None:
        # The interpreter must not take torch away from under a thread that is using it.
        self.stop(Ending.INTERRUPTED)
        self.wait(_EXIT_PATIENCE_SECONDS)
