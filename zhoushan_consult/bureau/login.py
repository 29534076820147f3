"""The one door for officers: 管理后台 for those who work there, 工作台 for the divisions."""

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.shortcuts import redirect
from django.urls import reverse

from .site import DESK


class SignInForm(AuthenticationForm):
    use_required_attribute = False
    error_messages = {
        "invalid_login": "用户名或密码不对，请检查大小写后再试。连续输错"
        f" {settings.AXES_FAILURE_LIMIT} 次会暂时锁定；忘记密码请联系科监处重置。",
        "inactive": "这个账号已停用。如需使用，请联系科监处。",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].error_messages["required"] = "请填写用户名。"
        self.fields["password"].error_messages["required"] = "请填写密码。"


class SignIn(LoginView):
    template_name = "admin/login.html"
    form_class = SignInForm

    def get(self, request, *args, **kwargs):
        if request.user.is_authenticated and (request.user.is_staff or "next" not in request.GET):
            return redirect(self.get_default_redirect_url())
        return super().get(request, *args, **kwargs)

    def get_success_url(self) -> str:
        """Where they were going, if they may go there; otherwise their own first page."""
        asked = self.get_redirect_url()
        closed = asked.startswith(reverse("admin:index")) and not self.request.user.is_staff
        return self.get_default_redirect_url() if closed or not asked else asked

    def get_default_redirect_url(self) -> str:
        return super().get_default_redirect_url() if self.request.user.is_staff else DESK
