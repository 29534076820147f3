"""`make mutants`: plants small faults (`faults.py`) in the modules that keep a promise, and counts those the tests see.

The tests of a fault are those that run its line, known by coverage (`.mutants.json.gz`; only what changed is measured
again): the closest first, as many as the seconds of pyproject.toml allow. Django, the tests and a test database are set up once; each fault then has a forked process and a copy of that
database to itself, in which the functions of the module get the code of the faulty text. A fault outside of
functions, or in what runs while modules are imported, has a fresh process. No file of the project is written to.

mutmut 3 leaves out every decorated function, here all verbs (`@transaction.atomic`). cosmic-ray has no operator for a
condition or a statement that is missing, edits the files in place, and starts the whole suite for each fault.
"""

import argparse
import gc
import gzip
import hashlib
import importlib.machinery
import json
import logging
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate, chain, groupby
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from faults import Fault, faults

ROOT = Path(__file__).resolve().parent.parent
MAP = ROOT / ".mutants.json.gz"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutants"]
# Tests in other processes see the files, not the fault. A fixed seed makes hypothesis try the same cases each time.
PYTEST = ["-qq", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--hypothesis-seed=0", "-m", "not embedded"]  # fmt: skip
LONGER, MORE = 3, 20  # what takes this many times as long as usual, and seconds more, hangs
PATIENCE = 60  # as many times that, where it only waits: the machine may be busy
PACKAGES = {path.partition("/")[0] for path in SETTINGS["modules"]}
NO_FAULT = Fault(1, 0, 0, "", "", range(0), inside=False)
SEEN, HANGS, SURVIVED, NOT_RUN = "seen", "seen (hangs)", "survived", "survived: no test runs it"


# --- Which tests run which line --------------------------------------------------------------------------------------
class Map:
    """For each test file: its tests, how long each takes, and the lines of the modules that each runs."""

    def __init__(self):
        stored = json.loads(gzip.decompress(MAP.read_bytes())) if MAP.exists() else {}
        self.files = stored.get("files", {})
        self.traced = stored.get("traced", [])
        self.digests = {path: _digest(path) for path in SETTINGS["modules"]}
        # By the text's digest, since the lines are those of that text.
        self.imported = {digest: set(lines) for digest, lines in stored.get("imported", {}).items()}

    def stale(self) -> list[str]:
        """The test files that are new or changed, or ran a module that has changed since."""
        present = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("[a-z]*/**/tests/test_*.py"))
        self.files = {path: known for path, known in self.files.items() if path in present}
        return [path for path in present if not self._is_fresh(path)]

    def _is_fresh(self, path: str) -> bool:
        known = self.files.get(path)
        if not known or known["digest"] != _digest(path) or not set(self.digests) <= set(self.traced):
            return False
        return all(self.digests.get(module, digest) == digest for module, digest in known["modules"].items())

    def measure(self, stale: list[str]) -> None:
        """Run these test files with coverage, in this process: nothing of the project may be imported yet."""
        import coverage

        tracer = coverage.Coverage(data_file=None, include=[str(ROOT / path) for path in SETTINGS["modules"]])
        recorder = _Recorder(tracer)
        tracer.start()
        pytest.main([*PYTEST, "--continue-on-collection-errors", *stale], plugins=[recorder])
        tracer.stop()
        for path in stale:
            failing = sorted(test for test in recorder.failed if test.startswith(f"{path}::"))
            self.files[path] = {"digest": _digest(path), "modules": {}, "tests": {}, "failing": failing}
        for test in recorder.failed:
            recorder.seconds.pop(test, None)
        for test, seconds in recorder.seconds.items():
            self.files[test.partition("::")[0]]["tests"][test] = [seconds, {}]
        for path in SETTINGS["modules"]:
            for line, tests in tracer.get_data().contexts_by_lineno(str(ROOT / path)).items():
                for test in tests:
                    if test in recorder.seconds:
                        file = self.files[test.partition("::")[0]]
                        file["tests"][test][1].setdefault(path, []).append(line)
                        file["modules"][path] = self.digests[path]
                    elif not test:
                        self.imported.setdefault(self.digests[path], set()).add(line)
        imported = {digest: sorted(self.imported.get(digest, [])) for digest in self.digests.values()}
        stored = {"files": self.files, "imported": imported, "traced": SETTINGS["modules"]}
        MAP.write_bytes(gzip.compress(json.dumps(stored).encode()))

    def at_import(self, path: str, fault: Fault) -> bool:
        """Whether it is in what runs outside of all tests: while modules are imported, or cases listed."""
        return not fault.inside or not self.imported.get(self.digests[path], set()).isdisjoint(fault.lines)

    def tests_of(self, path: str) -> dict[str, tuple[float, set[int]]]:
        """The tests that run the module, quick ones that do little else first: seconds, and its lines."""
        found = {}
        for known in self.files.values():
            for test, (seconds, lines) in known["tests"].items():
                if path in lines:
                    found[test] = (seconds, set(lines[path]), sum(map(len, lines.values())))
        order = sorted(found, key=lambda test: (found[test][0] + 0.02) * found[test][2] / len(found[test][1]))
        return {test: found[test][:2] for test in order}


class _Recorder:
    def __init__(self, tracer):
        self.tracer, self.seconds, self.failed = tracer, {}, set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        began = time.process_time()
        self.tracer.switch_context(item.nodeid)
        result = yield
        self.tracer.switch_context("")
        self.seconds[item.nodeid] = time.process_time() - began
        return result

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.add(report.nodeid)


def silence(asked: argparse.Namespace) -> None:
    if not asked.verbose:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)


def _digest(path: str) -> str:
    return hashlib.sha1((ROOT / path).read_bytes(), usedforsecurity=False).hexdigest()


# --- One fault after another -----------------------------------------------------------------------------------------
class Planter:
    """A pytest plugin that, instead of running the tests it collected, plants the faults and runs theirs."""

    def __init__(self, known: Map, asked: argparse.Namespace, folder: Path):
        self.known, self.asked, self.folder, self.results = known, asked, folder, {}
        self.failing = folder / "failing"
        self.on_failure = lambda test: None

    def pytest_runtestloop(self, session):
        if session.testsfailed:
            pytest.exit("The tests cannot be collected.", returncode=1)
        self._set_up(session)
        for path in self.asked.modules:
            self.path, self.source = path, (ROOT / path).read_bytes()
            self.results[path] = self._plant()
            report(path, self.results[path], self.asked)
        return True

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.on_failure(report.nodeid)

    def _set_up(self, session) -> None:
        """Make the test database, and find what a fault may have to change."""
        from django.conf import settings
        from django.db import connections

        self.items = {item.nodeid: item for item in session.items}
        first = next(item for item in session.items if item.get_closest_marker("django_db"))
        # The session goes on, says the second argument; so the database stays.
        logging.disable()
        first.ihook.pytest_runtest_protocol(item=first, nextitem=session)
        logging.disable(logging.NOTSET)
        print(flush=True)  # after pytest's dot
        connections.close_all()
        self.database = settings.DATABASES["default"]
        self.functions, self.caches = defaultdict(list), []
        for thing in gc.get_objects():
            if type(thing) is FunctionType:
                self.functions[thing.__code__.co_filename].append(thing)
            elif type(thing).__name__ == "_lru_cache_wrapper" and thing.__module__.split(".")[0] in PACKAGES:
                self.caches.append(thing)

    def _plant(self) -> list[tuple[Fault, str]]:
        tests = self.known.tests_of(self.path)
        # Last, as pytest-django has them: they leave the tables empty.
        self.tests = {test: tests[test] for test in sorted(tests, key=self._commits) if test in self.items}
        every = faults(self.source)
        count = min(self.asked.sample or len(every), len(every))
        sample = sorted(random.Random(self.asked.seed).sample(every, count), key=lambda fault: fault.start)
        chosen = [self._choose(fault) for fault in sample]
        used = set(chain.from_iterable(chosen))
        failing = self._fail_anyway([test for test in self.tests if test in used])
        chosen = [[test for test in tests if test not in failing] for tests in chosen]
        return list(zip(sample, self._run(list(zip(sample, chosen, strict=True))), strict=True))

    def _commits(self, test: str) -> bool:
        mark = self.items[test].get_closest_marker("django_db") if test in self.items else None
        return bool(mark and mark.kwargs.get("transaction"))

    def _fail_anyway(self, tests: list[str]) -> set[str]:
        """Run the tests as the faults' are, without a fault: all in a fork, the first of them in a fresh process."""
        self.failing.write_text("")
        if not tests:
            return set()
        if self._run([(None, tests)]) != [SURVIVED] or self._run([(NO_FAULT, tests[:10])]) != [SURVIVED]:
            pytest.exit(f"The tests of {self.path} fail without a fault.", returncode=1)
        failing = self.failing.read_text().split("\n")[:-1]
        for test in failing:
            print("Left out, since it fails without a fault in this order:", test)
        return set(failing)

    def _choose(self, fault: Fault) -> list[str]:
        """The tests that run its lines; for what works at import, all of the module, those that name it first."""
        found = [test for test, (_, ran) in self.tests.items() if not ran.isdisjoint(fault.lines)]
        if not found and self.known.at_import(self.path, fault):
            name = re.match(rb"\w+", self.source.splitlines()[fault.lines.start - 1])
            uses = self.source.splitlines() if name else []
            lines = {number for number, text in enumerate(uses, 1) if re.search(rb"\b%s\b" % name[0], text)}
            found = sorted(self.tests, key=lambda test: lines.isdisjoint(self.tests[test][1]))
        spent = accumulate(self.tests[test][0] for test in found)
        found = [
            test for test, seconds in zip(found, spent, strict=True) if seconds <= SETTINGS["seconds"]
        ] or found[:1]
        return sorted(found, key=self._commits)

    def _run(self, jobs: list[tuple[Fault | None, list[str]]]) -> list[str]:
        """What became of each: at most `processes` at a time, each killed when it takes far too long."""
        outcomes, running, waiting = [SURVIVED] * len(jobs), {}, list(enumerate(jobs))
        try:
            while waiting or running:
                while waiting and len(running) < self.asked.processes:
                    number, (fault, tests) = waiting.pop(0)
                    if not tests:
                        outcomes[number] = NOT_RUN
                    else:
                        allowed = int(sum(self.tests[test][0] for test in tests) * LONGER + MORE)
                        until = time.monotonic() + allowed * PATIENCE
                        running[self._start(fault, tests, allowed)] = number, until
                time.sleep(0.02)
                for pid, (number, until) in list(running.items()):
                    ended, status = os.waitpid(pid, os.WNOHANG)
                    if ended:
                        hangs = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
                        outcomes[number] = HANGS if hangs else SEEN if status else SURVIVED
                    elif time.monotonic() > until:
                        outcomes[number] = HANGS
                        self._kill(pid)
                    else:
                        continue
                    del running[pid]
                    shutil.rmtree(self.folder / str(pid), ignore_errors=True)
        finally:
            for pid in running:
                self._kill(pid)
        return outcomes

    def _kill(self, pid: int) -> None:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def _start(self, fault: Fault | None, tests: list[str], allowed: int) -> int:
        """A process of its own, which ends with 0 where no test fails."""
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (allowed, allowed + 1))
            silence(self.asked)
            folder = self.folder / str(os.getpid())
            folder.mkdir()
            shutil.copy(self.database["NAME"], folder / "test.sqlite3")
            if fault and (self.known.at_import(self.path, fault) or not self._put_in(fault)):
                self._run_fresh(fault, tests, folder)
            self.database["NAME"] = str(folder / "test.sqlite3")
            self.on_failure = (lambda test: os._exit(1)) if fault else self._note
            items = [self.items[test] for test in tests]
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            os._exit(0)
        finally:
            os._exit(3)

    def _note(self, test: str) -> None:
        with self.failing.open("a") as file:
            file.write(f"{test}\n")

    def _put_in(self, fault: Fault) -> bool:
        """Give the module's functions the code of the faulty text. False where that cannot be done, or does nothing."""
        file, codes, changed = str(ROOT / self.path), defaultdict(list), False
        for code in _codes(compile(fault.planted(self.source), file, "exec", dont_inherit=True)):
            codes[code.co_qualname, code.co_firstlineno].append(code)
        for function in self.functions[file]:
            old = function.__code__
            found = codes[old.co_qualname, old.co_firstlineno]
            if len(found) != 1 or found[0].co_freevars != old.co_freevars:
                return False
            changed |= found[0] != old
            function.__code__ = found[0]
        for cache in self.caches:
            cache.cache_clear()
        return changed

    def _run_fresh(self, fault: Fault, tests: list[str], folder: Path) -> None:
        job = {"path": self.path, "text": fault.planted(self.source).decode(), "tests": tests}
        (folder / "job.json").write_text(json.dumps(job))
        os.environ["VAR_DIR"] = str(folder)
        os.execv(sys.executable, [sys.executable, __file__, "--fresh", str(folder / "job.json")])  # noqa: S606


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


def report(path: str, results: list[tuple[Fault, str]], asked: argparse.Namespace) -> None:
    """Print the module's figures and its survivors, and write them down."""
    lines, source = [row(path, results)], (ROOT / path).read_bytes()
    for fault, outcome in results:
        if outcome in {SURVIVED, NOT_RUN} or asked.verbose:
            lines.append(f"{path}:{fault.line}  [{fault.kind}] {outcome}\n    {fault.shown(source)}")
    print(*lines, sep="\n", flush=True)
    if asked.into:
        name = path.removesuffix(".py").replace("/", ".") + ".txt"
        Path(asked.into).mkdir(parents=True, exist_ok=True)
        Path(asked.into, name).write_text("\n".join(lines) + "\n")


def row(path: str, results: list[tuple[Fault, str]]) -> str:
    return f"{path:42} planted {len(results):4}  seen {seen(results):4}  {percent(results):5.1f} %"


def percent(results: list[tuple[Fault, str]]) -> float:
    return 100 * seen(results) / max(len(results), 1)


def seen(results: list[tuple[Fault, str]]) -> int:
    return sum(outcome in {SEEN, HANGS} for _, outcome in results)


# --- In a fresh process ----------------------------------------------------------------------------------------------
def run_fresh(job: dict) -> int:
    """Run the tests against the faulty text, which takes the file's place when the module is imported."""
    file, usual = str(ROOT / job["path"]), importlib.machinery.SourceFileLoader.get_code

    def get_code(loader, name):
        if loader.path == file:
            return compile(job["text"], file, "exec", dont_inherit=True)
        return usual(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code

    class Chosen:
        def pytest_collection_modifyitems(self, items):
            found = {item.nodeid: item for item in items}
            items[:] = [found[test] for test in job["tests"] if test in found]

    files = dict.fromkeys(test.partition("::")[0] for test in job["tests"])
    status = pytest.main([*PYTEST, "-x", "--reuse-db", *files], plugins=[Chosen()])
    return 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else status


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "modules", nargs="*", help="paths, or parts of them; without any, all of pyproject.toml"
    )
    parser.add_argument(
        "--sample", type=int, default=SETTINGS["sample"], help="faults in each module; 0 is all"
    )
    parser.add_argument("--seed", type=int, default=1, help="another number draws another sample")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--into", help="a folder that gets one text for each module")
    parser.add_argument("--verbose", action="store_true", help="list every fault, and what its tests print")
    parser.add_argument("--fresh", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.fresh:
        return run_fresh(json.loads(Path(asked.fresh).read_text()))
    wanted = [
        path
        for path in SETTINGS["modules"]
        if not asked.modules or any(part in path for part in asked.modules)
    ]
    lost = [path for path in SETTINGS["modules"] if not (ROOT / path).exists()]
    if lost or not wanted:
        sys.exit(f"pyproject.toml, [tool.mutants]: no such module: {', '.join(lost or asked.modules)}")
    asked.modules = wanted

    known = Map()
    for folder, stale in groupby(known.stale(), lambda path: path.partition("/")[0]):
        files = list(stale)
        print(f"Measuring which lines {len(files)} test files of {folder} run …", flush=True)
        pid = os.fork()  # what measures imports the project under a tracer, and goes; a folder done is kept
        if not pid:
            silence(asked)
            Map().measure(files)
            os._exit(0)
        os.waitpid(pid, 0)
    known = Map()
    if known.stale():
        sys.exit(f"Could not be measured: {' '.join(known.stale())}")
    for test in chain.from_iterable(file.get("failing", []) for file in known.files.values()):
        print("Left out, since it fails without a fault:", test)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        planter = Planter(known, asked, Path(folder))
        used = dict.fromkeys(
            test.partition("::")[0] for path in asked.modules for test in known.tests_of(path)
        )
        status = pytest.main([*PYTEST, *used], plugins=[planter])
    print(*["", *(row(path, results) for path, results in planter.results.items())], sep="\n")
    weak = [path for path, results in planter.results.items() if percent(results) < SETTINGS["least"]]
    planted = sum(map(len, planter.results.values())) or 1
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = (spent.ru_utime + spent.ru_stime) / planted
    print(
        f"{len(weak)} of {len(asked.modules)} modules below {SETTINGS['least']} %; {cost:.1f} s of processor a fault"
    )
    return bool(status or weak or len(planter.results) < len(asked.modules))


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the names of some tests are in the order of sets
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # its processes end with it
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.pop("DATABASE_URL", None), os.environ.pop("REDIS_URL", None)
    sys.exit(main())
