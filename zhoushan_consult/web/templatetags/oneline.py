"""`{% oneline %}`: Chinese prose on several lines of a template, read as one.

Chinese has no blanks between words, so a line break within a sentence would be seen on the page as a gap.
What should be seen as a gap stays within a line; so do two attributes of a tag.
"""

import re

from django import template
from django.template.base import TextNode

register = template.Library()

BREAK = re.compile(r"[ \t]*\n[ \t]*")


class OneLine(template.Node):
    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        return self.nodelist.render(context)


@register.tag
def oneline(parser, token):
    nodelist = parser.parse(("endoneline",))
    parser.delete_first_token()
    # Once, when the template is compiled: a page costs nothing more.
    for text in nodelist.get_nodes_by_type(TextNode):
        text.s = BREAK.sub("", text.s)
    return OneLine(nodelist)
