"""Questions under way in the process that answers them: begun, looked after, cancelled.

Who asks gets an id at once and looks again as often as they like; the same question asked twice is computed
once, and whoever cancels it cancels it for all who wait for it.
"""

from __future__ import annotations

import threading
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import msgspec
from msgspec import Struct

from hark.clock import secret
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import Progress
from hark.questions.budget import ABANDONED_S, Work, too_much
from hark.questions.desk import Desk

THREADS = 2
WAITING = 16
"""Questions in hand at once, those being answered included; more are refused."""
KEPT_S = 60.0
"""How long an answer waits for whoever asked."""


class Job(Struct, frozen=True):
    """One question in hand."""

    id: str
    asked: bytes
    """The question as JSON, its keys sorted."""
    work: Work
    answer: Future[JSON]

    def waited_for(self) -> bool:
        """Whether it is being answered, or its answer may still be fetched."""
        return not self.answer.done() or self.work.unlooked_s < KEPT_S


class Jobs:
    """The questions in hand. Safe to use from several threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pool = ThreadPoolExecutor(THREADS, "question")
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def begin(self, question: JSON) -> str:
        """The id under which the question is answered. Raises HarkError `question.wrong`, `question.busy`."""
        self._desk.read(question)
        asked = msgspec.json.encode(question, order="sorted")
        with self._lock:
            self._jobs = {job.id: job for job in self._jobs.values() if job.waited_for()}
            running = [job for job in self._jobs.values() if not job.answer.done()]
            same = next((job for job in running if job.asked == asked), None)
            if same:
                same.work.looked()
                return same.id
            if len(running) >= WAITING:
                raise HarkError("too many questions at once", "ask again in a moment", "question.busy")
            return self._begun(question, asked).id

    def _begun(self, question: JSON, asked: bytes) -> Job:
        work = Work(self._desk.budget, ABANDONED_S)
        job = Job(secret("q"), asked, work, self._pool.submit(self._answered, question, work))
        self._jobs[job.id] = job
        return job

    def _answered(self, question: JSON, work: Work) -> JSON:
        try:
            work.begin()
            return self._desk.answer(question, work)
        except HarkError as error:
            if error.id == "question.memory":
                self._desk.forget()
            raise
        except MemoryError:
            self._desk.forget()
            raise too_much(work.budget) from None
        except Exception as error:
            traceback.print_exc()
            message = f"the question failed: {type(error).__name__}: {error}"
            raise HarkError(message, "see what `hark serve` printed", "question.failed") from None

    def look(self, id: str, patience_s: float) -> JSON | Progress:
        """The answer, or after `patience_s` how far it is.

        Raises HarkError: why there is no answer; `question.gone` if nothing is known of the id.
        """
        job = self._job(id)
        try:
            return job.answer.result(patience_s)
        except NotYet:
            work = job.work
            return Progress(id, work.done, work.of, work.seconds)
        finally:
            job.work.looked()

    def cancel(self, id: str) -> None:
        """End the question, for all who wait for it. Raises HarkError `question.gone`."""
        why = HarkError("the question was cancelled", "ask it again", "question.cancelled")
        self._job(id).work.end(why)

    def _job(self, id: str) -> Job:
        with self._lock:
            job = self._jobs.get(id)
        if job is None:
            raise HarkError("that question is not in hand", "ask it again", "question.gone")
        job.work.looked()
        return job

    def close(self) -> None:
        """End everything."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.work.end(HarkError("the questions process ends", "ask again", "question.gone"))
        self._pool.shutdown(cancel_futures=True)
