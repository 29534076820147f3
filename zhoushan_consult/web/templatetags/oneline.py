"""`{% oneline %}`: Chinese text on several lines of a template, rendered as one line.

Chinese has no blanks between words, so browsers show a line break within a sentence as a gap. Blanks within a line stay.
So write two attributes of a tag on one line: they would be joined.
"""

import re

from django import template
from django.template.base import TextNode

register = template.Library()

# A line break with the indentation around it.
BREAK = re.compile(r"[ \t]*\n[ \t]*")


class OneLine(template.Node):
    """Renders its content, from which `oneline` has removed the line breaks."""

    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        return self.nodelist.render(context)


@register.tag
def oneline(parser, token):
    """Compile `{% oneline %}…{% endoneline %}`. Values of variables keep their line breaks: people typed them."""
    nodelist = parser.parse(("endoneline",))
    parser.delete_first_token()
    # When the template is compiled, so that no page pays for it.
    for text in nodelist.get_nodes_by_type(TextNode):
        text.s = BREAK.sub("", text.s)
    return OneLine(nodelist)
