"""What every page must be (DESIGN §12, §13): the form pack, the pages of errors, the weight of a first visit."""

import re
from pathlib import Path

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import RequestFactory

TEMPLATES = Path(settings.BASE_DIR, "templates")
BYTES_OF_A_FIRST_VISIT = 30_000
REQUESTS_OF_A_FIRST_VISIT = 4


class Question(forms.Form):
    name = forms.CharField(label="企业名称", help_text="与营业执照一致")
    code = forms.CharField(label="邮政编码", required=False)
    way = forms.ChoiceField(
        label="咨询方式", choices=[("1", "现场"), ("0", "书面")], widget=forms.RadioSelect
    )
    agree = forms.BooleanField(label="我同意", error_messages={"required": "请勾选同意"})
    token = forms.CharField(widget=forms.HiddenInput)


@pytest.fixture
def refused():
    return render_crispy_form(Question({"token": "t", "code": "316021"}))


def ids(html):
    return set(re.findall(r'id="([^"]+)"', html))


def test_error_summary_counts_the_errors_and_links_to_each_field(refused):
    assert "有 3 处需要修改" in refused
    targets = set(re.findall(r'href="#([^"]+)"', refused))
    assert targets == {"id_name", "id_way_0", "id_agree"}
    assert targets <= ids(refused)


def test_refused_form_opens_at_its_error_summary(refused):
    assert 'action="#error-summary"' in refused
    assert re.search(r'<div[^>]* id="error-summary" role="alert" tabindex="-1" autofocus>', refused)


def test_field_is_described_by_its_hint_and_its_error(refused):
    described = re.findall(r'aria-describedby="([^"]+)"', refused)
    assert "id_name_helptext id_name_error" in described
    assert "id_way_error" in described
    assert {one for many in described for one in many.split()} <= ids(refused)
    assert re.search(r'<input[^>]* name="name"[^>]* aria-invalid="true"', refused)


def test_label_says_whether_a_field_is_required():
    html = render_crispy_form(Question())
    assert re.search(r"企业名称<span[^>]*>必填</span>", html)
    assert re.search(r"邮政编码<span[^>]*>选填</span>", html)
    assert re.search(r"<legend>咨询方式<span[^>]*>必填</span>", html)
    assert "error-summary" not in ids(html)


@pytest.mark.parametrize("name", ["400", "413", "500", "503"])
def test_severe_error_pages_render_without_context(name):
    html = render_to_string(f"errors/{name}.html")
    assert "12345" in html and 'href="/"' in html


@pytest.mark.parametrize("name", ["403", "404", "429", "csrf"])
def test_other_error_pages_show_the_telephone_number(name):
    html = render_to_string(f"errors/{name}.html", {"site": {"phone": "0580-2000000"}})
    assert "0580-2000000" in html


def test_base_page_marks_site_particulars_that_are_not_filled_in():
    html = render_to_string(
        "base.html", {"site": dict.fromkeys(["host_unit", "phone", "address", "icp"], "")}
    )
    assert html.count("待填〕") == 6


def test_elder_mode_sets_the_class_of_the_page():
    assert '<html lang="zh-Hans" class="elder">' in render_to_string("base.html", {"elder": True})
    assert '<html lang="zh-Hans">' in render_to_string("base.html", {"elder": False})


def test_address_shown_on_a_page_is_escaped():
    request = RequestFactory().get('/"><script>')
    page = render_to_string("base.html", {"request": request})
    assert 'value="/&quot;&gt;&lt;script&gt;"' in page and "<script>" not in page


def test_templates_have_no_inline_style_or_script():
    inline = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    pages = list(TEMPLATES.rglob("*.html"))
    assert len(pages) > 50 and inline.search('<p style="color: red">')
    assert not {path.name for path in pages if inline.search(path.read_text())}


@pytest.mark.django_db
def test_first_visit_stays_within_its_budget_of_bytes_and_requests(client):
    html = client.get("/").content
    linked = set(re.findall(rb'(?:href|src)="/static/([^"]+)"', html))
    css = Path(finders.find("site.css")).read_bytes()
    pictures = set(re.findall(rb"url\(([^)]+)\)", css))
    files = {Path(finders.find(name.decode())) for name in linked | pictures}
    assert 1 + len(files) <= REQUESTS_OF_A_FIRST_VISIT
    assert len(html) + sum(file.stat().st_size for file in files) <= BYTES_OF_A_FIRST_VISIT
