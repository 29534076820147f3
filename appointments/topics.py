"""事项类别: the words in which a firm says what its question is about. Optional, and only a hint to 综合处."""

from django.db.models import TextChoices


class TopicChoice(TextChoices):
    WATER = "water", "废水、海洋环境"
    AIR = "air", "废气、扬尘、异味"
    SOIL = "soil", "土壤、固体废物、危险废物"
    RADIATION = "radiation", "核与辐射"
    EIA = "eia", "环评审批、“三同时”验收"
    PERMIT = "permit", "排污许可证"
    TOTAL = "total", "总量指标、排污权"
    CREDIT = "credit", "环境信用"
    MONITORING = "monitoring", "自行监测、在线监控"
    TECHNOLOGY = "technology", "科技推广"
    FUNDS = "funds", "资金补助"
    OTHER = "other", "其他或不清楚"
