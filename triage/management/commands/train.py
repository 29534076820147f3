"""`manage.py train`: train the embedding and the classifier again, after examples were added or changed."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy
from django.core.management.base import BaseCommand, CommandError

from appointments.similarity import embedding
from appointments.text.normalize import normalize
from appointments.training import train_embedding
from appointments.training.corpus_files import examples as corpus_examples
from triage.routing import classifier
from triage.routing.classifier import Classifier, joined
from triage.routing.labelled_texts import LabelledText, label_of, labelled_cases
from triage.routing.ridge_model import MIN_NORM, RidgeModel, ngrams


class Command(BaseCommand):
    help = "从自拟例和标准例重新训练：相近问题怎样比对、标准例怎样提示处室（约两分钟；不需要数据库）"
    requires_system_checks = ()

    def handle(self, **options):
        _require_scikit_learn()
        self.stdout.write("相近问题：一事多说")
        known = train_embedding.train_from_corpus(self.stdout.write)
        known.save(embedding.EMBEDDING_FILE)
        self.stdout.write("分办：标准例")
        train_classifier(training_examples(), known).save(classifier.SHIPPED)
        self.stdout.write("已写入。请运行测试，再把改动的例子和这两个文件一起提交。")


def training_examples() -> list[LabelledText]:
    """The texts written along with the rules and those of the corpus, in an order that does not depend on files."""
    corpus = [
        LabelledText(text, label_of(example["lead"], example["scope"]))
        for example in corpus_examples()
        for text in example["texts"]
    ]
    return sorted([*labelled_cases(), *corpus], key=lambda example: (example.label, example.text))


def train_classifier(
    examples: Sequence[LabelledText], known: embedding.Embedding | None = None
) -> Classifier:
    """A classifier trained on `examples`. Raises KeyError if a question of `known` is not among them."""
    # Imported here because the service runs without scikit-learn, and Django imports this module to list commands.
    from appointments.training import train_classifier as training

    labels = [example.label for example in examples]
    texts = [normalize(example.text).text for example in examples]
    ridge = RidgeModel(*training.train(texts, labels, analyzer=ngrams, min_norm=MIN_NORM))
    index = {example.text: ridge.labels.index(example.label) for example in examples}
    return Classifier(
        digest(examples, known),
        known.digest if known else "",
        joined([example.text for example in examples]),
        numpy.array([index[example.text] for example in examples], numpy.int8),
        numpy.array([index[question] for question in known.questions] if known else [], numpy.int8),
        ridge,
    )


def digest(examples: Iterable[LabelledText], known: embedding.Embedding | None) -> str:
    """Names what a classifier is trained on. If it differs from the shipped one's, training is due.

    It covers the normalised texts too, so a change of `appointments.text` counts. The order does not count, so lines
    may move between files.
    """
    lines = sorted({f"{one.label}\t{one.text}\t{normalize(one.text).text}" for one in examples})
    data = "\n".join([known.digest if known else "", *lines])
    return hashlib.sha256(data.encode("utf-8", "replace")).hexdigest()[:12]


def _require_scikit_learn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise CommandError(
            "训练需要 scikit-learn：请先安装 requirements-train.txt（开发环境里已经有）。"
        ) from None
