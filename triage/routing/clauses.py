"""Divide a text into questions, and weigh their clauses: which ones ask, and which ones only tell the background.

Works on normalised text (`appointments.text.normalize`). A clause that asks weighs most, background less. A clause
that says what is already done, or who is writing, weighs least.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

# Weight of a clause. Tuned by hand on the labelled texts together with the weights of the layers (`topic.LAYERS`).
ASKING, BACKGROUND, DONE = 1.0, 0.6, 0.2
# Only while splitting (想问一下喷漆房改造): becomes BACKGROUND before a clause that asks, else ASKING.
_LEAD_IN = 0.9

# A clause and the punctuation after it. A colon ends one too: 我公司：… and 问题：… only lead to what follows.
_CLAUSE = re.compile(r"[^,，。;；?？!！\n:：]+[,，。;；?？!！\n:：]*")
# Question words, also dialect (伐, 咋) and A不A (能不能, 要不要), because many firms type no question mark.
_INTERROGATIVE = re.compile(
    r"吗|呢|嘛|([^,])不\1|咋|啥|伐|么(?=$|[?？,，。;])|(?:行|好|可以|能|对|够|是|要|查|管|安|的|让|有)?不(?=[?？]|$)|[?？]|怎么|怎样|怎办|怎弄|如何"
    r"|何时|(?<!任)何处(?![理置])|为何|何种|什么|哪|谁|多少|多久|多长|多大|多高|多远|(?<![这那前好过近十])几(?![乎十百千万])|是否|能否|可否|有否|有无|算否|要否|还是"
    r"|要不要|能不能|可不可以|是不是|有没有|行不行|用不用|算不算|该不该|会不会|需不需要|得不得|够不够|对不对|合不合|好不好|让不让"
)
# Announces a question. By itself it asks only if no asking clause follows (“想咨询喷漆房改造”).
_ASKS_POLITELY = re.compile(
    r"请问|想问|问一?下|问问|请教|请示|求教|求解|咨询|了解|恳请|敬请|烦请|麻烦|求助|指导|答复|解答|解惑|明示|明确|推荐|建议|申请|需要办"
    r"|想(?!到|不到|法|起|象|来)|希望.{0,8}(?:支持|帮助|帮忙|指点|告知|解决|协调)"
)
# Narrower than _ASKS_POLITELY: a complaint also says 希望…解决 and 建议, but hardly 请教.
_REQUESTS_ANSWER = re.compile(
    r"请问|想问|请教|求教|咨询|想了解|想知道|求助|求指导|请指导|请?答复|解答|解惑|明示|申请|想"
)
# Questions of a complaint (怎么没人管). They ask nothing that a division could answer.
_RHETORICAL = re.compile(
    r"(?:谁|哪个部门|哪个单位|有没有(?:人|部门|单位|谁)|有人)(?:来|能|会|去)?管|管不管|(?:怎么|咋|为什么|为何|凭什么|难道)(?:还|就|一直|总|都)?(?:没|不|是|能|让|可以|敢|去)"
    r"|(?:怎么|为什么|为何|凭什么)[^?？,，。]{0,14}(?:没人|没有人|不管|不查|不处理|不抓)|是不是有人(?:罩|保)|是不是收了|(?:怎么|如何|哪里|去哪|到哪里?)举报|找谁(?:赔|说理|投诉)|怎么赔|能不能(?:来|管|查|解决|有点|处理一下|让|叫|请)|(?:什么|啥)时候(?:能|才)?(?:解决|搬|停|管|有人|是个头)"
    r"|不知道?(?:是)?哪(?:个|家|里)|是?哪家(?:企业|单位|厂|公司)?(?:排|放|干)|你们(?:收到|知道).{0,8}(?:没有|吗)|什么态度|算什么|(?<![由是归])谁(?:来)?负责|凭什么|天理何在|还有没有"
)
# Possessive (++): 想问 also matches as 想 + 问, so a long row of them would take exponential time to reject.
_COURTESY = re.compile(
    r"^(?:尊敬的|各位|领导们?|您好|你好|大家好|老师|局长|处长|同志|生态环境局|环保局|贵局|请问|想问|想?请教|想?咨询|一下|下|个?问题|们|的|是这样|我|想|问|麻烦|打扰)++[,，。:：;；?？!！\n]*$"
)
# “我公司主要从事危废收集”: the trade of the firm, not its question.
_SELF_INTRODUCTION = re.compile(
    r"^(?:您好|你好|领导)?(?:我们|我|本|敝|贵|咱们?)?(?:公司|厂|企业|单位|店|医院|项目|司|家|这边|这里|这)?"
    r"(?:是|为|系|属于|主要|专业|专门|从事|位于|坐落|成立|原来是|以前是|经营)(?!否|不是)"
)
# “环评已经批了”: names a matter that is not asked about any more.
_ALREADY_DONE = re.compile(
    r"已经?|都是齐|是齐的|都齐|都全|齐的|没有问题$|都没问题|完了|过了?$|办过|做过|批过|验过|报过|都有|都办|齐全|批下来|批了|办好了|办下来|验收了|拿到了?|取得了|完成了|通过了|做完|办完"
    r"|(?:原来|原先|以前|之前|当时|上次|去年|前年)[^,，。;；?？]{0,12}(?:办|做|批|验|报|拿)(?:了|过)"
)
# Begins another question even in the middle of a sentence: 2、 另外 还有. “1.5米” is no item.
_NEXT_ITEM = re.compile(
    r"^(?:\(?(?:[1-9]|1\d)[、.)](?!\d)|\(?[一二三四五六七八九十][、.)]|第[一二三四五六]|[一二三四五]是|问题[一二三四五1-9]"
    r"|另外|此外|还有|再就是|再一个|再有|再问|再请|另一?个?[请想问,，]|另,|另外|顺便|顺带|其次|最后|同时[想请也,，]|以及[想请]|还想|还要问|还请|也想)"
)
_FIRST_ITEM = re.compile(r"^(?:\(?[1一][、.)](?!\d)|第一|一是|首先|一方面|问题[一1])")
_NUMBER_ONE = re.compile(r"(?:^|[,，。;；?？!！\n:：])\(?1[、.)](?!\d)")
_SENTENCE_END = re.compile(r"[。;；?？!！\n]+$")


@dataclass(frozen=True)
class Clause:
    """`[start, end)` of the normalised text; `weight` is ASKING, BACKGROUND or DONE.

    `starts_question`: it begins another question (另外，还有). `is_first_item`: it begins the first of several (第一).
    `ends_sentence`: a sentence ends with it.
    """

    start: int
    end: int
    weight: float
    starts_question: bool
    is_first_item: bool
    ends_sentence: bool


@dataclass(frozen=True)
class Question:
    """Clauses that belong together: first the background, then what is asked about it."""

    clauses: tuple[Clause, ...]

    @property
    def start(self) -> int:
        return self.clauses[0].start

    @property
    def end(self) -> int:
        return self.clauses[-1].end

    def clause_at(self, position: int) -> Clause | None:
        """The clause at `position` of the normalised text; None outside this question."""
        if not self.start <= position < self.end:
            return None
        return self.clauses[bisect_right(self._starts, position) - 1]

    def weight_at(self, position: int) -> float:
        """How much a word at `position` counts; 0 outside this question."""
        clause = self.clause_at(position)
        return clause.weight if clause else 0.0

    @cached_property
    def _starts(self) -> list[int]:
        return [clause.start for clause in self.clauses]


def split_questions(text: str) -> tuple[Question, ...]:
    """The questions of a normalised text, in order.

    If no clause asks, background counts as asking: many firms only describe their problem.
    """
    groups = _grouped(_with_lead_ins_weighed(_clauses(text)))
    if not any(_contains_asking(group) for group in groups):
        groups = [[_background_as_asking(clause) for clause in group] for group in groups]
    return tuple(Question(tuple(group)) for group in groups)


def is_inquiry(text: str) -> bool:
    """Whether a normalised text asks something that can be answered (not 谁来管、怎么没人管)."""
    rest = _RHETORICAL.sub("", text).rstrip("?？!！。")
    return bool(_INTERROGATIVE.search(rest) or _REQUESTS_ANSWER.search(rest))


def whole_text(text: str) -> Question:
    """All of a normalised text as one clause that asks."""
    clause = Clause(0, len(text), ASKING, starts_question=False, is_first_item=False, ends_sentence=True)
    return Question((clause,))


def _background_as_asking(clause: Clause) -> Clause:
    return replace(clause, weight=ASKING) if clause.weight == BACKGROUND else clause


def _contains_asking(group: list[Clause]) -> bool:
    return any(clause.weight == ASKING for clause in group)


def _clauses(text: str) -> list[Clause]:
    starts = sorted({found.start() for found in _CLAUSE.finditer(text)} | set(_numbered_items(text)))
    return [_clause(text, start, end) for start, end in pairwise([*starts, len(text)])]


def _numbered_items(text: str) -> Iterator[int]:
    """Where 2、 3、… occur after a 1、. Firms write numbered questions in one line without any other separator."""
    found, number = _NUMBER_ONE.search(text), 1
    while found:
        number += 1
        found = re.compile(rf"\(?(?<!\d){number}[、.)](?!\d)").search(text, found.end())
        if found:
            yield found.start()


def _clause(text: str, start: int, end: int) -> Clause:
    words = text[start:end]
    return Clause(
        start,
        end,
        _weight(words),
        starts_question=bool(_NEXT_ITEM.match(words)),
        is_first_item=bool(_FIRST_ITEM.match(words)),
        ends_sentence=bool(_SENTENCE_END.search(words)),
    )


def _weight(words: str) -> float:
    if _COURTESY.match(words):
        return DONE
    if _INTERROGATIVE.search(words):
        return ASKING
    if _ASKS_POLITELY.search(words):
        return _LEAD_IN
    return DONE if _SELF_INTRODUCTION.match(words) or _ALREADY_DONE.search(words) else BACKGROUND


def _with_lead_ins_weighed(clauses: list[Clause]) -> list[Clause]:
    """“想问一下喷漆房改造，环评要重做吗”: the first clause only leads to the one that asks."""
    following = [*clauses[1:], None][: len(clauses)]
    return [
        replace(clause, weight=BACKGROUND if _leads_to(clause, after) else ASKING)
        if clause.weight == _LEAD_IN
        else clause
        for clause, after in zip(clauses, following, strict=True)
    ]


def _leads_to(clause: Clause, following: Clause | None) -> bool:
    if following is None or following.weight != ASKING:
        return False
    return following.is_first_item or not (clause.ends_sentence or following.starts_question)


def _grouped(clauses: list[Clause]) -> list[list[Clause]]:
    groups: list[list[Clause]] = []
    for clause in clauses:
        if not groups or _starts_new_group(groups[-1], clause):
            groups.append([])
        groups[-1].append(clause)
    # Closing remarks without a question of their own belong to the question before them.
    if len(groups) > 1 and not _contains_asking(groups[-1]) and not groups[-1][0].starts_question:
        last = groups.pop()
        groups[-1].extend(last)
    return groups


def _starts_new_group(group: list[Clause], clause: Clause) -> bool:
    # Background before 第一 belongs to all the items that follow, so the first item stays with it.
    if clause.is_first_item and not _contains_asking(group):
        return False
    asks_already = _contains_asking(group)
    return clause.starts_question or (asks_already and (group[-1].ends_sentence or clause.weight == ASKING))
