from django.urls import path

from feedback import views, views_disputes, views_handoff, views_promise, views_pulse, views_tasks
from feedback.figures import views as views_inbox

app_name = "feedback"
urlpatterns = [
    path("marketing/", views_inbox.inbox, name="inbox"),
    path("marketing/follow-up/", views_inbox.follow_up, name="follow_up"),
    path("marketing/rejections.csv", views_inbox.rejections_csv, name="rejections_csv"),
    path("marketing/draft/", views_inbox.draft, name="draft"),
    path("marketing/read/", views_inbox.mark_read, name="mark_read"),
    path("marketing/promise/", views_promise.promise, name="promise"),
    path("marketing/tasks/", views_tasks.tasks, name="tasks"),
    path("marketing/tasks/<int:pk>/", views_tasks.task, name="task"),
    path("marketing/disputes/", views_disputes.disputes, name="disputes"),
    path("marketing/disputes/<int:pk>/settle/", views_disputes.settle, name="settle"),
    path("pulse/", views_pulse.pulse, name="pulse"),
    path("handoffs/<int:pk>/reject/", views.reject, name="reject"),
    path("handoffs/<int:pk>/reject/undo/", views.undo_reject, name="undo_reject"),
    path("handoffs/<int:pk>/quality-check/", views_handoff.check_quality, name="check_quality"),
    path("handoffs/<int:pk>/why-accepted/", views_handoff.explain, name="explain"),
    path("handoffs/<int:pk>/dispute/", views_handoff.dispute, name="dispute"),
    path("feedback/handoff/<int:pk>/panel/", views_handoff.handoff_panel, name="handoff_panel"),
    path("feedback/lead/<int:pk>/panel/", views.lead_panel, name="lead_panel"),
]
