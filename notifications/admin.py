"""Shared channels, the words of messages, and what holds for people who have not chosen."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from accounts.roles import signed_in_user
from common.errors import DomainError
from notifications.addresses import MAX_LENGTH, read_address
from notifications.channels import add_channel, change_address, remove_channel, send_sample, send_test
from notifications.forms import TemplateForm
from notifications.models import Channel, MessageTemplate, Notification, Preference
from notifications.outcomes import NotDelivered
from notifications.wording import SHIPPED, Words, placeholders_of, sample_letter, word_message


class NeverDeleted:
    """Rows that others refer to, or that there is one of."""

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class SharedChannelForm(forms.ModelForm[Channel]):
    address = forms.CharField(
        max_length=MAX_LENGTH,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "size": 80}),
        help_text="Kept encrypted and never shown again. The page “How I am told” has examples.",
    )

    class Meta:
        model = Channel
        fields = ("name", "is_active")

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if address:
            try:
                read_address(address)
            except DomainError as error:
                raise forms.ValidationError(str(error)) from error
        elif self.instance.pk is None:
            raise forms.ValidationError("Give the address to post to.")
        return address


@admin.register(Channel)
class ChannelAdmin(NeverDeleted, admin.ModelAdmin[Channel]):
    """Channels that pools post to. People keep their own under “How I am told”."""

    form = SharedChannelForm
    list_display = ("name", "service", "recognised", "is_active", "failing_since", "last_error")
    fields = ("name", "address", "is_active", "recognised", "failing_since", "last_error")
    readonly_fields = ("recognised", "failing_since", "last_error")
    actions = ("test", "remove")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        return super().get_queryset(request).filter(person=None, removed_at=None)

    @admin.display(description="address")
    def recognised(self, channel: Channel) -> str:
        return channel.recognised_by if channel.pk else "–"

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        guarded = sensitive_post_parameters("address")(super().changeform_view)
        response: HttpResponse = guarded(request, *args, **kwargs)
        return response

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        by, address = signed_in_user(request), form.cleaned_data["address"]
        if not change:
            made = add_channel(None, name=obj.name, address=address, by=by, now=timezone.now())
            obj.pk = made.pk
            return
        obj.save(update_fields=["name", "is_active"])
        if address:
            change_address(obj, address=address, by=by)

    @admin.action(description="Send a test message", permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            try:
                send_test(channel, by=signed_in_user(request), now=timezone.now())
            except NotDelivered as failure:
                self.message_user(request, f"“{channel.name}” did not take it. {failure}", messages.ERROR)
            else:
                self.message_user(request, f"“{channel.name}” took the test message.", messages.SUCCESS)

    @admin.action(description="Remove and forget the address", permissions=["change"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            remove_channel(channel, by=signed_in_user(request), now=timezone.now())
        self.message_user(request, "Removed. The log keeps the name.", messages.SUCCESS)


class UsualForm(forms.ModelForm[Preference]):
    email_kinds = forms.MultipleChoiceField(
        choices=Notification.Kind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    channel_kinds = forms.MultipleChoiceField(
        choices=Notification.Kind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Preference
        fields = (
            "email_kinds", "channel_kinds", "quiet_from", "quiet_until", "daily_digest_at", "weekly_digest",
            "wants_invitations",
        )  # fmt: skip


@admin.register(Preference)
class PreferenceAdmin(NeverDeleted, admin.ModelAdmin[Preference]):
    """What holds for everybody who has not chosen; one's own choice is on “How I am told”."""

    form = UsualForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Preference]:
        return Preference.objects.house()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Preference.objects.house().exists()


@admin.register(MessageTemplate)
class MessageTemplateAdmin(admin.ModelAdmin[MessageTemplate]):
    """The words of each kind of message outside the portal. Deleting one brings the shipped words back."""

    form = TemplateForm
    list_display = ("kind", "subject", "changed_at", "changed_by")
    list_select_related = ("changed_by",)
    change_form_template = "admin/notifications/template_form.html"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        return {"subject": SHIPPED.subject, "body": SHIPPED.text}

    def save_model(self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool) -> None:
        obj.changed_at, obj.changed_by = timezone.now(), signed_in_user(request)
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("preview/", self.admin_site.admin_view(self.preview), name="notifications_preview"),
            path("sample/", self.admin_site.admin_view(self.sample), name="notifications_sample"),
        ]
        return own + super().get_urls()

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The template as typed, filled in with an invented message."""
        return self._answer(request, send=False)

    def sample(self, request: HttpRequest) -> HttpResponse:
        """The same, and sent to whoever asks."""
        return self._answer(request, send=True)

    def _answer(self, request: HttpRequest, *, send: bool) -> HttpResponse:
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied("Only whoever may edit templates may try them.")
        kind = request.POST.get("kind", "")
        typed = TemplateForm(
            request.POST, instance=MessageTemplate.objects.filter(kind__in=_known(kind)).first()
        )
        context: dict[str, object] = {"form": typed, "placeholders": placeholders_of(kind)}
        if typed.is_valid():
            words = _fill_in_sample(typed.cleaned_data, recipient=signed_in_user(request).first_name)
            context |= {"words": words}
            if send:
                context |= _send(kind, words, request)
        return render(request, "admin/notifications/_preview.html", context)


def _known(kind: str) -> list[str]:
    return [kind] if kind in Notification.Kind.values else []


def _fill_in_sample(typed: dict[str, Any], *, recipient: str) -> Words:
    letter = sample_letter(typed["kind"], recipient, settings.PORTAL_URL + reverse("notifications:list"))
    return word_message(Words(typed["subject"], typed["body"]), letter)


def _send(kind: str, words: Words, request: HttpRequest) -> dict[str, object]:
    user = signed_in_user(request)
    try:
        send_sample(kind, words, by=user, now=timezone.now())
    except NotDelivered as failure:
        return {"failure": str(failure)}
    return {"sent_to": user.email}
