"""The public API in one place: read it in a minute."""

from django.urls import path

from feedback import api as feedback
from feedback import api_loop
from handoffs import api as handoffs
from leads import api as leads
from sla import api as sla

app_name = "api"
urlpatterns = [
    path("leads/", handoffs.LeadList.as_view(), name="leads"),
    path("leads/<int:pk>/", handoffs.LeadDetail.as_view(), name="lead"),
    path("activities/", leads.ActivityList.as_view(), name="activities"),
    path("handoffs/", handoffs.HandoffList.as_view(), name="handoffs"),
    path("handoffs/<int:pk>/", handoffs.HandoffDetail.as_view(), name="handoff"),
    path("handoffs/<int:pk>/accept/", handoffs.AcceptHandoff.as_view(), name="accept"),
    path("handoffs/<int:pk>/reject/", feedback.RejectHandoff.as_view(), name="reject"),
    path("handoffs/<int:pk>/attempts/", handoffs.AttemptList.as_view(), name="attempts"),
    path("handoffs/<int:pk>/qualify/", handoffs.QualifyHandoff.as_view(), name="qualify"),
    path("handoffs/<int:pk>/quality-check/", api_loop.CheckQuality.as_view(), name="quality_check"),
    path(
        "handoffs/<int:pk>/acceptance-reason/", api_loop.ExplainAcceptance.as_view(), name="acceptance_reason"
    ),
    path("tasks/", api_loop.TaskList.as_view(), name="tasks"),
    path("tasks/<int:pk>/complete/", api_loop.CompleteTask.as_view(), name="complete_task"),
    path("sla/clocks/", sla.ClockList.as_view(), name="clocks"),
]
