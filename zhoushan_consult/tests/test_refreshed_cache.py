"""refreshed_cache: a value kept in memory, checked every few seconds and loaded again after a change."""

from threading import Event, Thread

import pytest

from zhoushan_consult.refreshed_cache import RefreshedCache

EVERY = 20.0


class Source:
    """Counts how often it is loaded and asked for its edition."""

    def __init__(self):
        self.value, self.loads, self.checks, self.now = "first", 0, 0, 1000.0

    def load(self) -> str:
        self.loads += 1
        return self.value

    def edition(self) -> str:
        self.checks += 1
        return self.value

    def clock(self) -> float:
        return self.now


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def cache(source):
    return RefreshedCache(source.load, source.edition, EVERY, clock=source.clock)


def test_first_get_loads_the_value(cache, source):
    assert cache.get() == "first"
    assert (source.loads, source.checks) == (1, 1)


def test_get_within_the_period_asks_nothing(cache, source):
    cache.get()
    source.value, source.now = "second", source.now + EVERY - 0.1
    assert cache.get() == "first"
    assert (source.loads, source.checks) == (1, 1)


def test_get_after_the_period_loads_a_changed_edition(cache, source):
    cache.get()
    source.value, source.now = "second", source.now + EVERY
    assert cache.get() == "second"
    assert source.loads == 2


def test_unchanged_edition_keeps_the_same_object(cache, source):
    before = cache.get()
    source.now += EVERY
    assert cache.get() is before
    assert (source.loads, source.checks) == (1, 2)


def test_unchanged_edition_starts_a_new_period(cache, source):
    cache.get()
    source.now += EVERY
    cache.get()
    source.now += EVERY - 0.1
    cache.get()
    assert source.checks == 2


def test_clock_that_went_back_does_not_keep_a_value_fresh(cache, source):
    cache.get()
    source.value, source.now = "second", source.now - 3600
    assert cache.get() == "second"


def test_invalidate_loads_at_the_next_get(cache, source):
    cache.get()
    source.value = "second"
    cache.invalidate()
    assert cache.get() == "second"


def test_invalidate_during_a_load_does_not_keep_the_loaded_value(source):
    def load() -> str:
        value = source.load()
        if source.loads == 1:
            source.value = "second"
            cache.invalidate()
        return value

    cache = RefreshedCache(load, source.edition, EVERY, clock=source.clock)
    assert cache.get() == "first"
    assert cache.get() == "second"


def test_change_between_edition_and_load_is_found_at_the_next_check(source):
    def load() -> str:
        if source.loads == 0:
            source.value = "second"  # committed after the edition was read
        return source.load()

    cache = RefreshedCache(load, source.edition, EVERY, clock=source.clock)
    assert cache.get() == "second"
    source.now += EVERY
    cache.get()
    assert source.loads == 2


def test_without_an_edition_every_period_loads(source):
    cache = RefreshedCache(source.load, None, EVERY, clock=source.clock)
    cache.get()
    source.now += EVERY
    cache.get()
    assert source.loads == 2


def test_arguments_go_to_edition_and_load(source):
    cache = RefreshedCache(lambda day: f"rules of {day}", lambda day: day, EVERY, clock=source.clock)
    assert cache.get("Monday") == "rules of Monday"
    source.now += EVERY
    assert cache.get("Tuesday") == "rules of Tuesday"


def test_failed_check_raises_and_is_repeated_at_the_next_get(source):
    answers = iter(["first", OSError("the database is away"), "second"])

    def edition() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    cache = RefreshedCache(source.load, edition, EVERY, clock=source.clock)
    cache.get()
    source.value, source.now = "second", source.now + EVERY
    with pytest.raises(OSError):
        cache.get()
    assert cache.get() == "second"


def test_falsy_values_are_kept(source):
    loads = []
    cache = RefreshedCache(lambda: loads.append(1) or {}, None, EVERY, clock=source.clock)
    assert cache.get() == {} == cache.get()
    assert len(loads) == 1


def test_get_during_a_refresh_returns_the_previous_value(source):
    started, continue_registration = Event(), Event()

    def load() -> str:
        if source.loads == 1:
            started.set()
            continue_registration.wait(10)
        return source.load()

    cache = RefreshedCache(load, source.edition, EVERY, clock=source.clock)
    cache.get()
    source.value, source.now = "second", source.now + EVERY
    refreshing = Thread(target=cache.get)
    refreshing.start()
    started.wait(10)
    assert cache.get() == "first"
    continue_registration.set()
    refreshing.join()
    assert cache.get() == "second"


def test_threads_that_meet_at_the_first_get_load_once(source):
    continue_registration = Event()

    def load() -> str:
        continue_registration.wait(10)
        return source.load()

    cache = RefreshedCache(load, source.edition, EVERY, clock=source.clock)
    threads = [Thread(target=cache.get) for _ in range(8)]
    for thread in threads:
        thread.start()
    continue_registration.set()
    for thread in threads:
        thread.join()
    assert source.loads == 1
