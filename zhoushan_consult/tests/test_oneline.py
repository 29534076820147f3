"""`{% oneline %}`: line breaks of the template are not seen on the page."""

from django.template import Context, Template


def draw(source: str, **context) -> str:
    return Template("{% load oneline %}" + source).render(Context(context))


def test_oneline_joins_lines_without_a_gap():
    assert draw(
        "<p>\n  {% oneline %}\n  每月10日，\n  <b>节假日</b>\n  照常。\n  {% endoneline %}\n</p>"
    ) == ("<p>\n  每月10日，<b>节假日</b>照常。\n</p>")


def test_oneline_joins_the_lines_of_tags_within():
    source = (
        "{% oneline %}\n{% for day in days %}\n  {% if day %}\n    {{ day }}日\n  {% endif %}\n"
        "{% endfor %}\n{% endoneline %}"
    )
    assert draw(source, days=[10, 11]) == "10日11日"


def test_oneline_keeps_gaps_within_a_line():
    assert (
        draw("{% oneline %}\n张三 <b>13800138000</b>　电话\n{% endoneline %}")
        == "张三 <b>13800138000</b>　电话"
    )


def test_oneline_leaves_the_lines_that_people_typed():
    assert draw("{% oneline %}\n{{ text }}\n{% endoneline %}", text="第一行\n第二行") == "第一行\n第二行"
