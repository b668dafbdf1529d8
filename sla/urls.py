from django.urls import path

from sla import views, views_incidents, views_policies, views_tickets, views_what_if
from sla.figures import views as figures

app_name = "sla"
urlpatterns = [
    path("", views.live_board, name="board"),
    path("breaches/", views.breach_list, name="breaches"),
    path("breaches.csv", views.breach_csv, name="breaches_csv"),
    path("breaches/<int:pk>/", views.breach_review, name="breach"),
    path("compliance/", figures.compliance, name="compliance"),
    path("compliance.csv", figures.compliance_csv, name="compliance_csv"),
    path("what-if/", views_what_if.what_if, name="what_if"),
    path("what-if.csv", views_what_if.what_if_csv, name="what_if_csv"),
    path("policies/", views_policies.policies, name="policies"),
    path("policies/<int:pk>/reapply/", views_policies.reapply, name="reapply"),
    path("incidents/", views_incidents.incidents, name="incidents"),
    path("incidents/declare/", views_incidents.declare, name="declare_incident"),
    path("incidents/<int:pk>/", views_incidents.incident, name="incident"),
    path("incidents/<int:pk>/withdraw/", views_incidents.withdraw, name="withdraw_incident"),
    path("clocks/<int:pk>/why/", views.clock_why, name="why"),
    path("clocks/<int:pk>/pause/", views.clock_pause, name="pause"),
    path("clocks/<int:pk>/resume/", views.clock_resume, name="resume"),
    path("leads/<int:pk>/panel/", views.lead_panel, name="lead_panel"),
    path("tickets/", views_tickets.tickets, name="tickets"),
    path("tickets.csv", views_tickets.tickets_csv, name="tickets_csv"),
    path("tickets/<int:pk>/", views_tickets.ticket, name="ticket"),
    path("tickets/<int:pk>/pass-on/", views_tickets.pass_on, name="pass_on_ticket"),
]
