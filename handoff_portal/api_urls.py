"""The public API in one place: read it in a minute."""

from django.urls import path

from crm import api as crm
from feedback import api as feedback
from feedback import api_disputes, api_loop, api_undo
from handoffs import api as handoffs
from handoffs.contact import api as contact
from leads import api as leads
from sla import api as sla
from sla import api_incidents, api_tickets
from sla.figures import api as figures

app_name = "api"
urlpatterns = [
    path("leads/", handoffs.LeadList.as_view(), name="leads"),
    path("leads/<int:pk>/", handoffs.LeadDetail.as_view(), name="lead"),
    path("activities/", leads.ActivityList.as_view(), name="activities"),
    path("handoffs/", handoffs.HandoffList.as_view(), name="handoffs"),
    path("handoffs/<int:pk>/", handoffs.HandoffDetail.as_view(), name="handoff"),
    path("handoffs/<int:pk>/accept/", handoffs.AcceptHandoff.as_view(), name="accept"),
    path("handoffs/<int:pk>/accept/undo/", contact.UndoAcceptance.as_view(), name="undo_accept"),
    path("rejection-reasons/", feedback.ReasonList.as_view(), name="rejection_reasons"),
    path("handoffs/<int:pk>/reject/", feedback.RejectHandoff.as_view(), name="reject"),
    path("handoffs/<int:pk>/reject/undo/", api_undo.UndoRejection.as_view(), name="undo_reject"),
    path("handoffs/<int:pk>/plan/", contact.PlanContact.as_view(), name="plan"),
    path("handoffs/<int:pk>/attempts/", handoffs.AttemptList.as_view(), name="attempts"),
    path("handoffs/<int:pk>/qualify/", handoffs.QualifyHandoff.as_view(), name="qualify"),
    path("handoffs/<int:pk>/quality-check/", api_loop.CheckQuality.as_view(), name="quality_check"),
    path(
        "handoffs/<int:pk>/acceptance-reason/", api_loop.ExplainAcceptance.as_view(), name="acceptance_reason"
    ),
    path("tasks/", api_loop.TaskList.as_view(), name="tasks"),
    path("tasks/<int:pk>/complete/", api_loop.CompleteTask.as_view(), name="complete_task"),
    path("handoffs/<int:pk>/dispute/", api_disputes.DisputeRejection.as_view(), name="dispute"),
    path("disputes/", api_disputes.DisputeList.as_view(), name="disputes"),
    path("disputes/<int:pk>/settle/", api_disputes.SettleDispute.as_view(), name="settle_dispute"),
    path("sla/clocks/", sla.ClockList.as_view(), name="clocks"),
    path("sla/clocks/<int:pk>/time-lost/", api_incidents.TimeLost.as_view(), name="time_lost"),
    path("sla/incidents/", api_incidents.IncidentList.as_view(), name="incidents"),
    path("sla/tickets/", api_tickets.TicketList.as_view(), name="tickets"),
    path("sla/tickets/<int:pk>/close/", api_tickets.CloseTicket.as_view(), name="close_ticket"),
    path("salesforce/standing/", crm.StandingView.as_view(), name="salesforce_standing"),
    path("sla/compliance/", figures.Compliance.as_view(), name="compliance"),
]
