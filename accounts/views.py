"""Sign-in, the first page of each role, and one's own profile."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import ProfileForm, TokenForm
from accounts.models import ApiToken, User
from accounts.navigation import FIRST_PAGE, QUESTION, ROLE_ICON
from accounts.roles import login_required, signed_in_user
from accounts.services import choose_theme, come_back, go_away
from accounts.tokens import issue_token, revoke_token
from common.htmx import wants_fragment

BACKEND = "accounts.backends.RoleBackend"
# One hands over, or proposes, to the other.
OFFERED_TWICE = (User.Role.BDR, User.Role.MARKETING)


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Each role begins at the page that answers its question."""
    return redirect(FIRST_PAGE[signed_in_user(request).role])


# --- Sign in and out -----------------------------------------------------------------------------


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Password sign-in. Guessing is slowed by axes, which answers in its middleware."""
    if request.user.is_authenticated and request.method == "GET":
        return redirect(_next_page(request))
    form = AuthenticationForm(request, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return redirect(_next_page(request))
    status = 422 if form.is_bound else 200
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    return render(request, "accounts/login.html", context | _demo_context(), status=status)


@require_POST
def sign_in_as_demo_user(request: HttpRequest, username: str) -> HttpResponse:
    """One click instead of a password; the address does not exist outside the demo."""
    if not settings.DEMO or "\x00" in username:  # PostgreSQL keeps no NUL, so nobody is called that
        raise Http404
    user = get_object_or_404(User, username=username, is_active=True, is_superuser=False)
    login(request, user, backend=BACKEND)
    return redirect(_next_page(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("accounts:login")


def _next_page(request: HttpRequest, *, otherwise: str = "/") -> str:
    """Where the person wanted to go, if that is an address within the portal; never another host."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours and wanted.startswith("/") else otherwise


def _demo_context() -> dict[str, object]:
    """One person of each role; two where one of them takes what the other gives."""
    if not settings.DEMO:
        return {}
    seen: dict[str, int] = {}
    offered = []
    for user in User.objects.filter(is_active=True, is_superuser=False).order_by("id"):
        seen[user.role] = seen.get(user.role, 0) + 1
        if seen[user.role] <= (2 if user.role in OFFERED_TWICE else 1):
            offered.append({"user": user, "question": QUESTION[user.role], "icon": ROLE_ICON[user.role]})
    return {"demo_users": offered}


# --- One's own profile ---------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = signed_in_user(request)
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.instance.save(update_fields=list(form.cleaned_data))
        messages.success(request, "Saved.")
        return redirect("accounts:profile")
    return _render_profile(request, user, profile_form=form, status=422 if form.is_bound else 200)


@login_required
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    choose_theme(signed_in_user(request), theme=request.POST.get("theme", ""))
    if wants_fragment(request):
        return HttpResponse(status=204)
    return redirect("accounts:profile")


@login_required
@require_POST
def set_away(request: HttpRequest) -> HttpResponse:
    """Away or back, as the button says; pressing it twice changes nothing more. Leads back to where it was
    pressed."""
    user = signed_in_user(request)
    if request.POST.get("away") == "yes":
        go_away(user, now=timezone.now())
        messages.success(request, "You are away: nothing new is routed to you until you are back.")
    else:
        come_back(user, now=timezone.now())
        messages.success(request, "You are back: new leads reach you again.")
    return redirect(_next_page(request, otherwise=reverse("accounts:profile")))


@login_required
@never_cache
@require_POST
def create_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show its secret in this answer only."""
    user = signed_in_user(request)
    form = TokenForm(request.POST, user=user)
    if not form.is_valid():
        return _render_profile(request, user, token_form=form, status=422)
    issued = issue_token(
        user, name=form.cleaned_data["name"], scopes=form.cleaned_data["scopes"], now=timezone.now()
    )
    return _render_profile(request, user, issued=issued)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in_user(request)
    token = get_object_or_404(ApiToken, pk=pk, user=user)
    revoke_token(token, by=user, now=timezone.now())
    messages.success(request, f"“{token.name}” is revoked. Calls with it are refused from now on.")
    return redirect("accounts:profile")


def _render_profile(
    request: HttpRequest,
    user: User,
    *,
    profile_form: ProfileForm | None = None,
    token_form: TokenForm | None = None,
    issued: object = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "profile_form": profile_form or ProfileForm(instance=user),
        "token_form": token_form or TokenForm(user=user),
        "tokens": user.api_tokens.order_by("-created_at"),
        "issued": issued,
    }
    return render(request, "accounts/profile.html", context, status=status)
