"""Who may do what: one table, read through `Officer.may()`.

A role is a Django group, created by a migration. Every function that changes something checks its act first, so a page
that forgets the check still cannot do what the officer may not.
"""

from collections.abc import Set
from enum import StrEnum


class Role(StrEnum):
    """A group of officers. The value is the name that the bureau reads."""

    COORDINATOR = "综合处经办"
    HANDLER = "处室经办"
    HEAD = "处室负责人"
    WATCH = "办公室督办"
    LEADER = "局领导"
    SYSTEM = "系统管理"
    COUNTY = "分局功能区查阅"


class Act(StrEnum):
    """Something that an officer does. The value is the word shown in a refusal."""

    PLAN = "拟订方案"
    APPROVE_PLAN = "审批方案"
    READ_ALL = "查阅全部登记"
    REVIEW = "初审"
    ASSIGN = "交办"
    SETTLE = "确定名单"
    EXTRA_SEAT = "增加名额"
    RUN_DAY = "组织现场"
    DRAFT = "拟写答复"
    SIGN = "审签答复"
    FOLLOW_UP = "跟踪督办"
    WATCH = "督办查阅"
    RECEIVE = "协调接待"
    REVEAL_ID = "查看证件号码"
    CALL = "电话联系"
    EXPORT = "导出台账"
    ACCOUNTS = "管理账号"
    HEALTH = "查看运行情况"
    WORKDAYS = "调整工作日"
    RULES = "维护分办规则"
    PUBLISH = "公开答复"
    READ_AREA = "查阅本辖区"


GRANTS: dict[Role, frozenset[Act]] = {
    Role.COORDINATOR: frozenset(
        {
            Act.PLAN, Act.READ_ALL, Act.REVIEW, Act.ASSIGN, Act.SETTLE, Act.RUN_DAY, Act.FOLLOW_UP, Act.WATCH,
            Act.RECEIVE,
            Act.REVEAL_ID, Act.CALL, Act.EXPORT, Act.RULES, Act.PUBLISH,
        }
    ),
    Role.HANDLER: frozenset({Act.DRAFT, Act.FOLLOW_UP}),
    Role.HEAD: frozenset({Act.DRAFT, Act.SIGN, Act.FOLLOW_UP}),
    Role.WATCH: frozenset({Act.WATCH, Act.RECEIVE}),
    Role.LEADER: frozenset({Act.APPROVE_PLAN, Act.READ_ALL, Act.WATCH, Act.EXTRA_SEAT, Act.PUBLISH}),
    Role.SYSTEM: frozenset({Act.ACCOUNTS, Act.HEALTH, Act.WORKDAYS}),
    Role.COUNTY: frozenset({Act.READ_AREA}),
}  # fmt: skip


def roles_that_may(act: Act) -> frozenset[Role]:
    """The roles that allow `act`."""
    return frozenset(role for role, acts in GRANTS.items() if act in acts)


def acts_of(roles: Set[str]) -> frozenset[Act]:
    """Every act that at least one of the named roles allows. Groups that are no role allow nothing."""
    return frozenset().union(*(GRANTS[Role(role)] for role in roles if role in set(Role)))
