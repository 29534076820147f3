"""The seven divisions with their duties (五(一)), the counties and zones, and the roles."""

from django.db import migrations

DIVISIONS = [
    ("general", "综合处", "总量指标（VOCs 除外）、环境信用；方案制定、初审、交办、跟踪督办"),
    ("water", "水处", "涉水和涉海污染防治、海洋项目环评"),
    ("air", "大气处", "涉气污染防治、VOCs 总量指标"),
    ("soil", "土壤处", "涉土和固废污染防治、核与辐射污染防治"),
    ("science", "科监处", "科技推广、企业自行监测；网上预约登记系统维护"),
    ("eia", "环评处", "建设项目环评审批、排污许可证、“三同时”验收"),
    ("office", "办公室", "财政性资金；局领导活动安排、宣传报道"),
]
AREAS = [
    ("dinghai", "定海区", "county"),
    ("putuo", "普陀区", "county"),
    ("daishan", "岱山县", "county"),
    ("shengsi", "嵊泗县", "county"),
    ("xincheng", "新城管委会", "zone"),
    ("gaoxin", "舟山高新技术产业园区", "zone"),
    ("putuoshan", "普陀山—朱家尖管委会", "zone"),
    ("jintang", "金塘管委会", "zone"),
    ("liuheng", "六横管委会", "zone"),
]
ROLES = ["综合处经办", "处室经办", "处室负责人", "办公室督办", "局领导", "系统管理", "分局功能区查阅"]


def found(apps, schema_editor):
    for order, (code, name, duty) in enumerate(DIVISIONS, 1):
        apps.get_model("bureau", "Division").objects.create(code=code, name=name, duty=duty, order=order)
    for order, (code, name, kind) in enumerate(AREAS, 1):
        apps.get_model("bureau", "Area").objects.create(code=code, name=name, kind=kind, order=order)
    for name in ROLES:
        apps.get_model("auth", "Group").objects.create(name=name)


def dissolve(apps, schema_editor):
    apps.get_model("bureau", "Division").objects.all().delete()
    apps.get_model("bureau", "Area").objects.all().delete()
    apps.get_model("auth", "Group").objects.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [("bureau", "0001_officers")]
    operations = [migrations.RunPython(found, dissolve)]
