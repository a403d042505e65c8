"""A run on a worker thread, so that it can be paused, stopped and inspected while it trains.

Training never happens on the caller's thread, where an interrupt in the middle of an optimizer step
would leave the parameters half updated. Here the interrupt reaches the caller, who asks the worker
to stop, and the worker stops between two steps.
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
from rnn_magics.language import say
from rnn_magics.models.forked import check_fork, training_here
from rnn_magics.models.rnn_model import RNNModel, copy_model
from rnn_magics.options import check_choice
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, StepEnd, TrainEnd
from rnn_magics.training.loop import Trains, iter_train, tell_failure
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

T = TypeVar("T")
# A reader sees no more, and whatever shows a step takes milliseconds from the cores that train.
SECONDS_BETWEEN_STEPS_TOLD = 0.25
_SECONDS_BETWEEN_LOOKS = 0.1
_EXIT_PATIENCE_SECONDS = 10


class Job:
    """A run that trains on its own thread.

    Parameters
    ----------
    run, state
        The run and state that `rnn_magics.training.loop.begin` returned.
    listener
        Called on the worker thread with the events, but with at most four steps a second. Without a
        listener, the events are queued for `follow`.
    watch
        Called on the worker thread with every event, between two steps.
    trains
        What trains; by default `iter_train`.
    """

    def __init__(
        self,
        run: Run,
        state: TrainState,
        listener: Callable[[Event], None] | None = None,
        watch: Callable[[Event], None] | None = None,
        trains: Trains | None = None,
    ) -> None:
        self.run = run
        self.error: BaseException | None = None
        self._state = state
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._tell = listener or self._events.put
        self._watch = watch
        self._trains = trains
        self._stop_reason: Ending | None = None
        self._stops: queue.SimpleQueue[Ending] = queue.SimpleQueue()
        self._paused = False
        self._untold: Event | None = None
        self._requests: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # no request may be posted after the worker has ended
        self._begun = self._over = False
        self._thread = threading.Thread(target=self._work, name=f"rnn {run.name}", daemon=True)

    def also(self, listener: Callable[[Event], None]) -> None:
        """Add another listener, for events from now on."""
        first = self._tell

        def tell(event: Event) -> None:
            first(event)
            listener(event)

        self._tell = tell

    def start(self) -> None:
        """Start training."""
        self._begun = True
        atexit.register(self._leave)
        self._thread.start()

    @property
    def has_begun(self) -> bool:
        """Whether `start` has been called."""
        return self._begun

    @property
    def is_alive(self) -> bool:
        """Whether the run is training or paused."""
        is_starting = self._begun and self._thread.ident is None
        return is_starting or self._thread.is_alive()

    @property
    def is_paused(self) -> bool:
        """Whether the run waits for `resume`."""
        return self._paused and self.is_alive

    def stop(self, reason: str = Ending.STOPPED) -> None:
        """End the run after the current step, with its held-out text scored; again, end it at once.

        Raises
        ------
        ConfigError
            If `reason` is not an `Ending`.
        """
        ending = Ending.named(reason)
        self._stop_reason = self._stop_reason or ending
        self._stops.put(ending)
        self._requests.put(None)

    def _next_stop(self) -> Ending | None:
        # Each call of `stop` is one answer, so that the loop can tell the first from the second.
        try:
            return self._stops.get_nowait()
        except queue.Empty:
            return None

    def pause(self) -> None:
        """Pause the run after the current step."""
        self._paused = True

    def resume(self) -> None:
        """Continue a paused run."""
        self._paused = False
        self._requests.put(None)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has ended, but at most `timeout` seconds."""
        self._thread.join(timeout)

    def follow(self, meanwhile: Callable[[], None] = lambda: None) -> Iterator[Event]:
        """Start the run if necessary, and yield its events on the caller's thread until it ends.

        Parameters
        ----------
        meanwhile
            Called on the caller's thread before each event, and several times a second.

        Raises
        ------
        BaseException
            The error that the worker raised, if any.
        """
        if not self._begun:  # an interrupt may have come before the thread knew its own number
            self.start()
        while (event := self._next_event(meanwhile)) is not None:
            yield event
        self.wait()
        if self.error is not None:
            raise self.error

    def _next_event(self, meanwhile: Callable[[], None]) -> Event | None:
        while True:
            alive = self.is_alive  # checked first: its last events may still be in the queue
            meanwhile()
            try:
                # A bounded wait, because Windows cannot interrupt an unbounded one.
                return self._events.get(timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                if not alive:
                    return None

    def between_steps(self, call: Callable[[], T]) -> T:
        """Run `call` on the worker between two steps, or here if the run has ended.

        Raises
        ------
        BaseException
            The error that `call` raised.
        """
        answer: Future[T] = Future()

        def serve() -> None:
            try:
                answer.set_result(call())
            except BaseException as error:  # noqa: BLE001  (raised in the caller)
                answer.set_exception(error)

        check_fork()  # in a forked process there is no worker to answer
        with self._lock:
            if self._over:
                return call()
            self._requests.put(serve)
        return answer.result()

    def steer(self, **changes: float | None) -> None:
        """Change the learning rate (``lr``) or gradient bound (``clip``) from the next step on.

        Raises
        ------
        ConfigError
            If a value is out of range, or another setting is named. The run then continues
            unchanged.
        TrainingError
            If the run has ended.
        """
        for name in changes:
            check_choice("steer", name, ("lr", "clip"))
        TrainConfig(**changes)  # type: ignore[arg-type]  # checks the ranges

        def change() -> None:
            if not self._over:
                steered = replace(self.run.config.train, **changes)  # type: ignore[arg-type]
                self.run.steer(steered, self._state.total_steps)

        if not self.is_alive:
            raise TrainingError(
                say(
                    "run {name!r} has ended; its learning rate and clip cannot change",
                    name=self.run.name,
                )
            )
        self.between_steps(change)

    def snapshot(self) -> RNNModel:
        """Return a copy of the model, taken between two steps."""
        return self.between_steps(lambda: copy_model(self.run.model))

    @training_here()
    def _work(self) -> None:
        told = 0.0
        try:
            trains = self._trains or iter_train
            for event in trains(self.run, self._state, self._next_stop):
                if self._watch is not None:
                    self._watch(event)
                self._untold = event
                now = time.monotonic()
                if not isinstance(event, StepEnd):
                    self._tell_last()
                elif now - told >= SECONDS_BETWEEN_STEPS_TOLD:
                    told = now
                    self._tell_last()
                if not isinstance(event, TrainEnd):
                    self._serve_requests()
        except BaseException as error:  # noqa: BLE001  (shown by the follower)
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

    def _tell_last(self) -> None:
        last, self._untold = self._untold, None
        if last is not None:
            self._tell(last)

    def _serve_requests(self) -> None:
        while True:
            waits = self._paused and self._stop_reason is None and not self._over
            if waits:
                self._tell_last()  # what is seen is the step at which it waits
            try:
                request = self._requests.get(block=waits)
            except queue.Empty:
                return
            if request is not None:
                request()

    def _leave(self) -> None:
        # At exit, the interpreter must not unload torch while the thread uses it.
        for _ in range(2):  # there is no time to score the held-out text
            self.stop(Ending.INTERRUPTED)
        self.wait(_EXIT_PATIENCE_SECONDS)
