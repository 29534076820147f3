"""`make mutants`: mutation testing of the modules in pyproject.toml. It prints the mutation score and the survivors.

The tests of a mutation are those that run its line, according to coverage (`.mutants.json.gz`; only what has changed is
measured again). The closest tests run first, within the seconds of pyproject.toml. Django, the tests and a test database are
set up once. Each mutant then is a forked process with a copy of that database, in which the functions of the module get the
code of the mutated text. A mutation in code that runs at import needs a fresh process. No file of the project is changed.

mutmut 3 skips every decorated function, and all verbs are decorated here (`@transaction.atomic`). cosmic-ray has no
operator for a missing condition or statement, edits the files in place, and starts the whole suite for each mutant.
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
from mutations import Mutation, find_mutations

ROOT = Path(__file__).resolve().parent.parent
COVERAGE_FILE = ROOT / ".mutants.json.gz"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutants"]
# Without "embedded": those tests start processes, which read the files and not the mutant. A fixed seed makes hypothesis
# try the same cases each time.
PYTEST = ["-qq", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--hypothesis-seed=0", "-m", "not embedded"]  # fmt: skip
# A mutant times out after so many times the usual processor time of its tests, and so many seconds more.
CPU_FACTOR, CPU_EXTRA = 3, 20
# And after so many times that by the clock, for one that only waits. Large, because the machine may be busy.
CLOCK_FACTOR = 60
PACKAGES = {path.partition("/")[0] for path in SETTINGS["modules"]}
NO_MUTATION = Mutation(1, 0, 0, "", "", range(0), in_function=False)
KILLED, TIMEOUT, SURVIVED, NO_COVERAGE = "killed", "killed (timeout)", "survived", "survived: no test runs it"

Results = list[tuple[Mutation, str]]


# --- Which tests run which line --------------------------------------------------------------------------------------
class CoverageMap:
    """For each test file: its tests, the seconds of each, and the lines of the modules that each runs."""

    def __init__(self):
        stored = json.loads(gzip.decompress(COVERAGE_FILE.read_bytes())) if COVERAGE_FILE.exists() else {}
        self.files = stored.get("files", {})
        self.traced = stored.get("traced", [])
        self.digests = {path: _digest(path) for path in SETTINGS["modules"]}
        # The lines that run at import. The key is the digest of the text, because line numbers belong to one text.
        self.imported = {digest: set(lines) for digest, lines in stored.get("imported", {}).items()}

    def stale(self) -> list[str]:
        """The test files that are new or changed, or that ran a module which has changed since."""
        present = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("[a-z]*/**/tests/test_*.py"))
        self.files = {path: file for path, file in self.files.items() if path in present}
        return [path for path in present if not self._is_fresh(path)]

    def _is_fresh(self, path: str) -> bool:
        file = self.files.get(path)
        if not file or file["digest"] != _digest(path) or not set(self.digests) <= set(self.traced):
            return False
        return all(self.digests.get(module, digest) == digest for module, digest in file["modules"].items())

    def measure(self, stale: list[str]) -> None:
        """Run these test files with coverage in this process, which must not have imported the project yet."""
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
            self._add_lines(path, tracer.get_data().contexts_by_lineno(str(ROOT / path)), recorder)
        self._save()

    def _add_lines(self, path: str, contexts: dict[int, list[str]], recorder: "_Recorder") -> None:
        """Add the lines of a module that the tests ran. The context of a line is a test, or empty at import."""
        for line, tests in contexts.items():
            for test in tests:
                if test in recorder.seconds:
                    file = self.files[test.partition("::")[0]]
                    file["tests"][test][1].setdefault(path, []).append(line)
                    file["modules"][path] = self.digests[path]
                elif not test:
                    self.imported.setdefault(self.digests[path], set()).add(line)

    def _save(self) -> None:
        imported = {digest: sorted(self.imported.get(digest, [])) for digest in self.digests.values()}
        stored = {"files": self.files, "imported": imported, "traced": SETTINGS["modules"]}
        COVERAGE_FILE.write_bytes(gzip.compress(json.dumps(stored).encode()))

    def runs_at_import(self, path: str, mutation: Mutation) -> bool:
        """Whether its code runs outside of all tests: while modules are imported, or test cases collected."""
        imported = self.imported.get(self.digests[path], set())
        return not mutation.in_function or not imported.isdisjoint(mutation.lines)

    def tests_for(self, path: str) -> dict[str, tuple[float, set[int]]]:
        """The tests that run the module, with their seconds and lines. Quick tests that do little else come first."""
        found = {}
        for file in self.files.values():
            for test, (seconds, lines) in file["tests"].items():
                if path in lines:
                    found[test] = (seconds, set(lines[path]), sum(map(len, lines.values())))
        order = sorted(found, key=lambda test: (found[test][0] + 0.02) * found[test][2] / len(found[test][1]))
        return {test: found[test][:2] for test in order}


class _Recorder:
    """A pytest plugin: tells the tracer which test runs, and keeps its processor time and whether it failed."""

    def __init__(self, tracer):
        self.tracer, self.seconds, self.failed = tracer, {}, set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        started = time.process_time()
        self.tracer.switch_context(item.nodeid)
        result = yield
        self.tracer.switch_context("")
        self.seconds[item.nodeid] = time.process_time() - started
        return result

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.add(report.nodeid)


def silence(options: argparse.Namespace) -> None:
    """Send the output of this process to /dev/null, unless --verbose is given."""
    if not options.verbose:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)


def _digest(path: str) -> str:
    return hashlib.sha1((ROOT / path).read_bytes(), usedforsecurity=False).hexdigest()


# --- One mutant after another ----------------------------------------------------------------------------------------
class MutantRunner:
    """A pytest plugin that runs the mutants with their tests, instead of the collected tests as they are."""

    def __init__(self, coverage_map: CoverageMap, options: argparse.Namespace, folder: Path):
        self.coverage_map, self.options, self.folder = coverage_map, options, folder
        self.results: dict[str, Results] = {}
        self.failing = folder / "failing"
        self.on_failure = lambda test: None

    def pytest_runtestloop(self, session):
        if session.testsfailed:
            pytest.exit("The tests cannot be collected.", returncode=1)
        self._set_up(session)
        for path in self.options.modules:
            self.path, self.source = path, (ROOT / path).read_bytes()
            self.results[path] = self._test_module()
            report(path, self.results[path], self.options)
        return True

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.on_failure(report.nodeid)

    def _set_up(self, session) -> None:
        """Create the test database, and find the functions and caches that a mutant changes."""
        from django.conf import settings
        from django.db import connections

        self.items = {item.nodeid: item for item in session.items}
        first = next(item for item in session.items if item.get_closest_marker("django_db"))
        logging.disable()
        # Its session fixtures create the database. With a next item, pytest does not tear them down again.
        first.ihook.pytest_runtest_protocol(item=first, nextitem=session)
        logging.disable(logging.NOTSET)
        # pytest has printed a dot.
        print(flush=True)
        # A forked process must not share a connection.
        connections.close_all()
        self.database = settings.DATABASES["default"]
        self.functions, self.caches = defaultdict(list), []
        for thing in gc.get_objects():
            if type(thing) is FunctionType:
                self.functions[thing.__code__.co_filename].append(thing)
            elif type(thing).__name__ == "_lru_cache_wrapper" and thing.__module__.split(".")[0] in PACKAGES:
                self.caches.append(thing)

    def _test_module(self) -> Results:
        """Draw the sample of the module, and run the tests of each mutation."""
        tests = self.coverage_map.tests_for(self.path)
        # Tests that commit come last, in the order of pytest-django: they leave the tables empty.
        self.tests = {test: tests[test] for test in sorted(tests, key=self._commits) if test in self.items}
        mutations = find_mutations(self.source)
        count = min(self.options.sample or len(mutations), len(mutations))
        sample = sorted(random.Random(self.options.seed).sample(mutations, count), key=lambda m: m.start)
        chosen = [self._choose_tests(mutation) for mutation in sample]
        used = set(chain.from_iterable(chosen))
        failing = self._failing_without_mutation([test for test in self.tests if test in used])
        chosen = [[test for test in tests if test not in failing] for tests in chosen]
        return list(zip(sample, self._run(list(zip(sample, chosen, strict=True))), strict=True))

    def _commits(self, test: str) -> bool:
        mark = self.items[test].get_closest_marker("django_db") if test in self.items else None
        return bool(mark and mark.kwargs.get("transaction"))

    def _failing_without_mutation(self, tests: list[str]) -> set[str]:
        """Run the tests like those of a mutant: all in a fork, the first ten in a fresh process too. Returns failures.

        A test that fails anyway would kill every mutant.
        """
        self.failing.write_text("")
        if not tests:
            return set()
        if self._run([(None, tests)]) != [SURVIVED] or self._run([(NO_MUTATION, tests[:10])]) != [SURVIVED]:
            pytest.exit(f"The tests of {self.path} fail without a mutation.", returncode=1)
        failing = self.failing.read_text().split("\n")[:-1]
        for test in failing:
            print("Left out, because it fails without a mutation in this order:", test)
        return set(failing)

    def _choose_tests(self, mutation: Mutation) -> list[str]:
        """The tests that run its lines, as many as the seconds allow.

        For code that runs at import: all tests of the module, first those that run a line with the name that it defines.
        """
        found = [test for test, (_, lines) in self.tests.items() if not lines.isdisjoint(mutation.lines)]
        if not found and self.coverage_map.runs_at_import(self.path, mutation):
            text = self.source.splitlines()
            name = re.match(rb"\w+", text[mutation.lines.start - 1])
            pattern = rb"\b%s\b" % name[0] if name else rb"(?!)"
            uses = {number for number, line in enumerate(text, 1) if re.search(pattern, line)}
            found = sorted(self.tests, key=lambda test: uses.isdisjoint(self.tests[test][1]))
        spent = accumulate(self.tests[test][0] for test in found)
        affordable = [
            t for t, seconds in zip(found, spent, strict=True) if seconds <= SETTINGS["max_seconds"]
        ]
        return sorted(affordable or found[:1], key=self._commits)

    def _run(self, jobs: list[tuple[Mutation | None, list[str]]]) -> list[str]:
        """The outcome of each mutation with its tests. At most `processes` run at a time."""
        outcomes, waiting = [SURVIVED] * len(jobs), list(enumerate(jobs))
        running: dict[int, tuple[int, float]] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.options.processes:
                    number, (mutation, tests) = waiting.pop(0)
                    if not tests:
                        outcomes[number] = NO_COVERAGE
                        continue
                    limit = int(sum(self.tests[test][0] for test in tests) * CPU_FACTOR + CPU_EXTRA)
                    deadline = time.monotonic() + limit * CLOCK_FACTOR
                    running[self._start(mutation, tests, limit)] = number, deadline
                time.sleep(0.02)
                for pid, (number, deadline) in list(running.items()):
                    if outcome := self._outcome(pid, deadline):
                        outcomes[number] = outcome
                        del running[pid]
                        shutil.rmtree(self.folder / str(pid), ignore_errors=True)
        finally:
            for pid in running:
                self._kill(pid)
        return outcomes

    def _outcome(self, pid: int, deadline: float) -> str | None:
        """None while the process runs. After `deadline` it is killed."""
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            # RLIMIT_CPU sends SIGXCPU.
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
                return TIMEOUT
            return KILLED if status else SURVIVED
        if time.monotonic() > deadline:
            self._kill(pid)
            return TIMEOUT
        return None

    def _kill(self, pid: int) -> None:
        # The group: a test may have started processes.
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def _start(self, mutation: Mutation | None, tests: list[str], limit: int) -> int:
        """Fork a process that runs the tests, and return its id. It exits with 0 if no test fails."""
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            silence(self.options)
            folder = self.folder / str(os.getpid())
            folder.mkdir()
            shutil.copy(self.database["NAME"], folder / "test.sqlite3")
            if mutation:
                at_import = self.coverage_map.runs_at_import(self.path, mutation)
                if at_import or not self._replace_code(mutation):
                    self._run_fresh(mutation, tests, folder)
            self.database["NAME"] = str(folder / "test.sqlite3")
            # A mutant ends at its first failure; without a mutation, all failures are noted.
            self.on_failure = (lambda test: os._exit(1)) if mutation else self._note_failure
            items = [self.items[test] for test in tests]
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            os._exit(0)
        finally:
            # An exception here must not return into the loop of the parent.
            os._exit(3)

    def _note_failure(self, test: str) -> None:
        with self.failing.open("a") as file:
            file.write(f"{test}\n")

    def _replace_code(self, mutation: Mutation) -> bool:
        """Give the functions of the module the code of the mutant. False if that is impossible, or changes nothing."""
        file, codes, changed = str(ROOT / self.path), defaultdict(list), False
        for code in _codes(compile(mutation.apply(self.source), file, "exec", dont_inherit=True)):
            codes[code.co_qualname, code.co_firstlineno].append(code)
        for function in self.functions[file]:
            old = function.__code__
            found = codes[old.co_qualname, old.co_firstlineno]
            # Two functions on one line, or another closure: the code object does not fit.
            if len(found) != 1 or found[0].co_freevars != old.co_freevars:
                return False
            changed |= found[0] != old
            function.__code__ = found[0]
        # They hold results of the code without the mutation.
        for cache in self.caches:
            cache.cache_clear()
        return changed

    def _run_fresh(self, mutation: Mutation, tests: list[str], folder: Path) -> None:
        """Replace this process by a new Python, which imports the mutant."""
        job = {"path": self.path, "text": mutation.apply(self.source).decode(), "tests": tests}
        (folder / "job.json").write_text(json.dumps(job))
        os.environ["VAR_DIR"] = str(folder)
        os.execv(sys.executable, [sys.executable, __file__, "--fresh", str(folder / "job.json")])  # noqa: S606


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of every function within `code`."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


# --- The report ------------------------------------------------------------------------------------------------------
def report(path: str, results: Results, options: argparse.Namespace) -> None:
    """Print the score of a module and its survivors, and write both into the folder `--into`."""
    lines, source = [summary(path, results)], (ROOT / path).read_bytes()
    for mutation, outcome in results:
        if outcome in {SURVIVED, NO_COVERAGE} or options.verbose:
            lines.append(f"{path}:{mutation.line}  [{mutation.kind}] {outcome}\n    {mutation.diff(source)}")
    print(*lines, sep="\n", flush=True)
    if options.into:
        name = path.removesuffix(".py").replace("/", ".") + ".txt"
        Path(options.into).mkdir(parents=True, exist_ok=True)
        Path(options.into, name).write_text("\n".join(lines) + "\n")


def summary(path: str, results: Results) -> str:
    return f"{path:42} mutants {len(results):4}  killed {killed(results):4}  {score(results):5.1f} %"


def score(results: Results) -> float:
    """The mutation score: the percentage of killed mutants."""
    return 100 * killed(results) / max(len(results), 1)


def killed(results: Results) -> int:
    return sum(outcome in {KILLED, TIMEOUT} for _, outcome in results)


# --- In a fresh process ----------------------------------------------------------------------------------------------
def run_fresh(job: dict) -> int:
    """Run the tests with the mutated text, which replaces the file when the module is imported."""
    file, original = str(ROOT / job["path"]), importlib.machinery.SourceFileLoader.get_code

    def get_code(loader, name):
        if loader.path == file:
            return compile(job["text"], file, "exec", dont_inherit=True)
        return original(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code

    class ChosenTests:
        def pytest_collection_modifyitems(self, items):
            found = {item.nodeid: item for item in items}
            items[:] = [found[test] for test in job["tests"] if test in found]

    files = dict.fromkeys(test.partition("::")[0] for test in job["tests"])
    status = pytest.main([*PYTEST, "-x", "--reuse-db", *files], plugins=[ChosenTests()])
    # A mutation may rename a parametrised case: then no test has failed.
    return 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else status


# --- The command -----------------------------------------------------------------------------------------------------
def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", help="paths, or parts of them; default: all of pyproject.toml")
    parser.add_argument(
        "--sample", type=int, default=SETTINGS["sample"], help="mutants of each module; 0: all of them"
    )
    parser.add_argument("--seed", type=int, default=1, help="another number draws another sample")
    parser.add_argument("--processes", type=int, default=1, help="mutants that run at a time")
    parser.add_argument("--into", help="a folder, into which one report for each module is written")
    parser.add_argument(
        "--verbose", action="store_true", help="list every mutant, and the output of its tests"
    )
    parser.add_argument("--fresh", help=argparse.SUPPRESS)
    return parser.parse_args()


def matching_modules(parts: list[str]) -> list[str]:
    """The modules of pyproject.toml whose path contains one of `parts`. Exits if there is none, or if one is missing."""
    missing = [path for path in SETTINGS["modules"] if not (ROOT / path).exists()]
    found = [path for path in SETTINGS["modules"] if not parts or any(part in path for part in parts)]
    if missing or not found:
        sys.exit(f"pyproject.toml, [tool.mutants]: no such module: {', '.join(missing or parts)}")
    return found


def measured_coverage(options: argparse.Namespace) -> CoverageMap:
    """The coverage map, after stale test files were measured."""
    for folder, stale in groupby(CoverageMap().stale(), lambda path: path.partition("/")[0]):
        files = list(stale)
        print(f"Measuring which lines {len(files)} test files of {folder} run …", flush=True)
        # In a fork: it imports the project under a tracer. One for each folder, so that an interrupted run keeps some.
        pid = os.fork()
        if not pid:
            silence(options)
            CoverageMap().measure(files)
            os._exit(0)
        os.waitpid(pid, 0)
    coverage_map = CoverageMap()
    if stale := coverage_map.stale():
        sys.exit(f"Could not be measured: {' '.join(stale)}")
    for test in chain.from_iterable(file.get("failing", []) for file in coverage_map.files.values()):
        print("Left out, because it fails without a mutation:", test)
    return coverage_map


def main() -> int:
    """Returns 1 if the score of a module is too low, or if a module could not be tested."""
    options = parse_options()
    if options.fresh:
        return run_fresh(json.loads(Path(options.fresh).read_text()))
    options.modules = matching_modules(options.modules)
    coverage_map = measured_coverage(options)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        runner = MutantRunner(coverage_map, options, Path(folder))
        tests = chain.from_iterable(coverage_map.tests_for(path) for path in options.modules)
        test_files = dict.fromkeys(test.partition("::")[0] for test in tests)
        status = pytest.main([*PYTEST, *test_files], plugins=[runner])
    print(*["", *(summary(path, results) for path, results in runner.results.items())], sep="\n")
    weak = [path for path, results in runner.results.items() if score(results) < SETTINGS["min_score"]]
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = (usage.ru_utime + usage.ru_stime) / (sum(map(len, runner.results.values())) or 1)
    print(f"{len(weak)} of {len(options.modules)} modules below {SETTINGS['min_score']} %;", end=" ")
    print(f"{cost:.1f} s of processor time for each mutant")
    return bool(status or weak or len(runner.results) < len(options.modules))


if __name__ == "__main__":
    # The names of some tests depend on the order of sets.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
    # As Ctrl-C: the `finally` of MutantRunner then ends its processes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    # On SQLite, whose database is a file that each mutant can copy.
    os.environ.pop("DATABASE_URL", None), os.environ.pop("REDIS_URL", None)
    sys.exit(main())
