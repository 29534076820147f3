"""The classifier as a second opinion: what it decides, what it leaves to a person, and whether training is due."""

from dataclasses import replace

import numpy
import pytest

from appointments.similarity import embedding
from triage.management.commands import train
from triage.routing import classifier
from triage.routing.classifier import Classifier, Prediction, StaleClassifier, shipped_classifier
from triage.routing.decision import LIKELY, UNSURE
from triage.routing.labelled_texts import LabelledText
from triage.routing.router import Router
from triage.routing.topic_files import from_mapping

TOPICS = [
    from_mapping(
        {"code": code, "name": name, "clause": clause, "layer": "medium", "lead": lead, "include": words}
    )
    for code, name, clause, lead, words in (
        ("air.smoke", "烟", "五（一）涉气", "air", "黑烟 油烟"),
        ("water.sewage", "污水", "五（一）涉水", "water", "污水"),
    )
]
EXAMPLES = [
    *(LabelledText(f"{who}的船坞滩上那摊黑水算污水吗", "water") for who in ("东边", "西边", "南边", "北边")),
    *(LabelledText(f"{who}灶头上那股油烟要装罩子吗", "air") for who in ("一楼", "二楼", "三楼", "四楼")),
]
# No word of the rules, but near the examples of water.
DOCK = "船坞滩上那摊黑水怎么弄"
# The rules say air (油烟), the classifier is for water, and neither is sure enough.
DISPUTED = "船坞滩上那摊黑水边上的油烟怎么弄"


@pytest.fixture(scope="module")
def trained() -> Classifier:
    return train.train_classifier(EXAMPLES)


@pytest.fixture(scope="module")
def router(trained) -> Router:
    return Router(TOPICS, trained)


def relabelled(old: str, new: str) -> Classifier:
    return train.train_classifier(
        [replace(each, label=new) if each.label == old else each for each in EXAMPLES]
    )


# --- Together with the rules -----------------------------------------------------------------------------------------
def test_text_without_a_word_of_the_rules_follows_the_nearest_example(router):
    decision = router.route(DOCK)
    finding = decision.findings[0]
    assert (decision.primary, decision.sure, finding.code) == ("water", LIKELY, "water.sewage")
    assert finding.precedent in {example.text for example in EXAMPLES}


def test_reason_quotes_the_nearest_example_and_the_clause(router):
    why = router.route(DOCK).why
    assert why.startswith("与标准例“") and "五（一）涉水" in why


def test_rules_alone_decide_the_disputed_text():
    assert Router(TOPICS).route(DISPUTED).primary == "air"


def test_dispute_without_a_clear_margin_is_left_to_a_person(router):
    decision = router.route(DISPUTED)
    assert (decision.primary, decision.sure, decision.scope) == ("manual", UNSURE, "in")


def test_word_added_by_officials_is_not_overruled(trained):
    decision = Router(TOPICS, trained, added_words=["油烟"]).route(DISPUTED)
    assert (decision.primary, decision.findings[0].precedent) == ("air", "")


def test_topic_moved_by_officials_is_not_overruled(trained):
    moved = [replace(topic, lead="soil") if topic.lead == "water" else topic for topic in TOPICS]
    router = Router(moved, trained, edited_topics=["water.sewage"])
    assert router.route("东边的船坞滩上那摊黑水算污水吗").primary == "soil"


def test_first_of_two_questions_leads(router):
    decision = router.route("二楼灶头上那股油烟要装罩子吗？东边的船坞滩上那摊黑水算污水吗？")
    assert (decision.primary, decision.co) == ("air", ("water",))
    assert [finding.lead for finding in decision.findings] == ["air", "water"]


@pytest.mark.parametrize("text", ["", "您好", "食堂的合同在哪里签", "船坞"])
def test_text_unlike_any_example_is_left_to_a_person(router, text):
    decision = router.route(text)
    assert (decision.primary, decision.sure) == ("manual", UNSURE)


def test_example_that_the_rules_contradict_is_not_quoted():
    """Its topic and clause would not fit the answer, so the most general topic of the division is named."""
    contradicted = [replace(example, text=example.text.replace("污水", "油烟")) for example in EXAMPLES]
    decision = Router(TOPICS, train.train_classifier(contradicted)).route(DOCK)
    finding = decision.findings[0]
    assert (decision.primary, finding.code, finding.precedent) == ("water", "water.sewage", "")


def test_text_like_outside_matters_reaches_no_division():
    assert Router(TOPICS, relabelled("water", "outside")).route(DOCK).primary == "manual"


class ClassifierWithKnownMatters:
    """Always says `air` by a margin that needs the known matters to confirm it; `share` of them are air's."""

    digest = ""

    def __init__(self, share: float):
        self.share = share

    def predict(self, *variants):
        return Prediction("air", 0.1)

    def known_share(self, text, label):
        return self.share


@pytest.mark.parametrize("share, primary", [(0.04, "manual"), (0.05, "air")])
def test_division_needs_known_matters_near_the_text(share, primary):
    router = Router(TOPICS, ClassifierWithKnownMatters(share))
    assert router.route("黑烟要装罩子吗").primary == primary


def test_version_covers_the_classifier(trained):
    assert Router(TOPICS, trained).version != Router(TOPICS).version


# --- By itself -------------------------------------------------------------------------------------------------------
def test_nearest_examples_have_the_label(trained):
    assert {example.label for example in trained.nearest("油烟和黑水", "water")} == {"water"}


def test_most_similar_example_comes_first():
    other = LabelledText("污水站的水怎么弄", "water")
    nearest = train.train_classifier([other, *EXAMPLES]).nearest(DOCK, "water")
    assert "船坞滩" in nearest[0].text and other in nearest


def test_nothing_is_predicted_for_unknown_characters(trained):
    assert trained.predict("xyz") is None


def test_nothing_is_predicted_with_a_single_label():
    assert relabelled("water", "air").predict("油烟") is None


def test_short_text_gets_a_small_margin(trained):
    assert trained.predict("油烟").margin < trained.predict("一楼灶头上那股油烟要装罩子吗").margin


def test_saved_classifier_gives_the_same_decisions(trained, router, tmp_path):
    trained.save(tmp_path / "saved.npz")
    assert Router(TOPICS, Classifier.load(tmp_path / "saved.npz")).route(DOCK) == router.route(DOCK)


def test_training_does_not_depend_on_the_run(trained):
    again = train.train_classifier(EXAMPLES)
    assert (again.model.coef == trained.model.coef).all() and again.digest == trained.digest


def test_classifier_without_known_matters_knows_no_share(trained):
    assert trained.known_share("污水", "water") is None


def test_known_matters_of_another_embedding_are_refused():
    stale = replace(shipped_classifier(), embedding_digest="another")
    with pytest.raises(StaleClassifier, match="manage.py train"):
        classifier.checked(stale)


# --- The shipped files -----------------------------------------------------------------------------------------------
def test_shipped_classifier_was_trained_on_the_present_texts():
    """If this fails, training is due: `manage.py train`."""
    assert shipped_classifier().digest == train.digest(train.training_examples(), embedding.load())


def test_shipped_classifier_knows_each_matter_of_the_embedding():
    assert len(shipped_classifier().known_labels) == len(embedding.load().questions)


def test_training_digest_does_not_depend_on_the_order_of_lines():
    assert train.digest(EXAMPLES, None) == train.digest(EXAMPLES[::-1], None)


def test_training_digest_changes_with_a_label():
    changed = [replace(EXAMPLES[0], label="soil"), *EXAMPLES[1:]]
    assert train.digest(EXAMPLES, None) != train.digest(changed, None)


def test_half_precision_changes_no_score_by_a_thousandth(trained, tmp_path):
    trained.save(tmp_path / "saved.npz")
    saved = Classifier.load(tmp_path / "saved.npz").model
    vector = trained.model.vector(DOCK)
    assert numpy.abs(saved.scores(*vector) - trained.model.scores(*vector)).max() < 0.001


def test_shipped_file_is_read_once():
    assert shipped_classifier() is shipped_classifier()
    assert classifier.SHIPPED.exists()
