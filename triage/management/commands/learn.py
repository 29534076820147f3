"""``manage.py learn``: learn anew from the examples and the precedents, after some were added or changed."""

from django.core.management.base import BaseCommand

from appointments.similarity import embedding
from appointments.training import train_embedding
from triage.routing import topic_files


class Command(BaseCommand):
    help = "从自拟例和标准例重新学习：相近问题怎样比对、标准例怎样提示处室（约两分钟；不需要数据库）"
    requires_system_checks = ()

    def handle(self, **options):
        self.stdout.write("相近问题：一事多说")
        train_embedding.train_from_corpus(self.stdout.write).save(embedding.EMBEDDING_FILE)
        self.stdout.write("分办：标准例")
        topic_files.precedents().weights.save(topic_files.WEIGHTS)
        self.stdout.write("已写入。请运行测试，再把改动的例子和这两个文件一起提交。")
