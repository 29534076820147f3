"""The one login of officers, for the admin and for the desk."""

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.shortcuts import redirect
from django.urls import reverse


class LoginForm(AuthenticationForm):
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


class OfficerLoginView(LoginView):
    template_name = "admin/login.html"
    form_class = LoginForm

    def get(self, request, *args, **kwargs):
        # With ?next= to a page that this account may not open, the form is shown: another account may be allowed.
        if request.user.is_authenticated and (request.user.is_staff or "next" not in request.GET):
            return redirect(self.get_default_redirect_url())
        return super().get(request, *args, **kwargs)

    def get_success_url(self) -> str:
        """The page that the officer asked for, if they may open it; otherwise their own first page."""
        requested = self.get_redirect_url()
        forbidden = requested.startswith(reverse("admin:index")) and not self.request.user.is_staff
        return self.get_default_redirect_url() if forbidden or not requested else requested

    def get_default_redirect_url(self) -> str:
        return super().get_default_redirect_url() if self.request.user.is_staff else settings.DESK_URL
