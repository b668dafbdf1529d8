from django.urls import path

from handoffs import views, views_capacity, views_criteria
from handoffs.contact import views as views_contact
from handoffs.package import views as views_package
from handoffs.queue import views as views_queue
from handoffs.queue import views_leads, views_saved
from handoffs.routing import views as views_routing

app_name = "handoffs"
urlpatterns = [
    path("queue/", views_queue.queue, name="queue"),
    path("queue/accept/", views_queue.accept_selected, name="accept_selected"),
    path("queue/accept/undo/", views_queue.undo_selected, name="undo_selected"),
    path("queue/next/", views_queue.next_in_queue, name="next"),
    path("leads/", views_leads.lead_list, name="leads"),
    path("views/save/", views_saved.save, name="save_view"),
    path("views/<int:pk>/delete/", views_saved.delete, name="delete_view"),
    path("routing/", views_routing.overview, name="routing"),
    path("routing/try/", views_routing.try_route, name="try_route"),
    path("routing/fairness/", views_routing.fairness, name="fairness"),
    path("routing/reassign/", views_routing.reassign_all, name="reassign_in_bulk"),
    path("handoffs/capacity/", views_capacity.capacity_panel, name="capacity_panel"),
    path("handoffs/sql-criteria/", views_criteria.sql_criteria_panel, name="sql_criteria_panel"),
    path("handoffs/<int:pk>/", views.detail, name="detail"),
    path("handoffs/<int:pk>/print/", views_package.print_package, name="print_package"),
    path("handoffs/<int:pk>/package.txt", views_package.package_text, name="package_text"),
    path("handoffs/<int:pk>/accept/", views.accept, name="accept"),
    path("handoffs/<int:pk>/accept/undo/", views.undo_accept, name="undo_accept"),
    path("handoffs/<int:pk>/attempts/", views_contact.add_attempt, name="add_attempt"),
    path("handoffs/<int:pk>/plan/", views_contact.plan, name="plan"),
    path("handoffs/<int:pk>/plan.ics", views_contact.plan_ics, name="plan_ics"),
    path("handoffs/<int:pk>/bant/", views_contact.save_bant, name="save_bant"),
    path("handoffs/<int:pk>/opportunity/", views_contact.add_opportunity, name="add_opportunity"),
    path("handoffs/<int:pk>/won/", views_contact.win, name="win"),
    path("handoffs/<int:pk>/lost/", views_contact.lose, name="lose"),
    path("handoffs/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("handoffs/<int:pk>/reassign/", views.reassign, name="reassign"),
    path("handoffs/lead/<int:pk>/hand-off/", views.hand_off_lead, name="hand_off_lead"),
    path("handoffs/lead/<int:pk>/panel/", views.lead_panel, name="lead_panel"),
]
