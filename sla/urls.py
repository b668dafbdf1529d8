from django.urls import path

from sla import views

app_name = "sla"
urlpatterns = [
    path("", views.live_board, name="board"),
    path("breaches/", views.breach_list, name="breaches"),
    path("breaches.csv", views.breach_csv, name="breaches_csv"),
    path("breaches/<int:pk>/", views.breach_review, name="breach"),
    path("clocks/<int:pk>/why/", views.clock_why, name="why"),
    path("clocks/<int:pk>/pause/", views.clock_pause, name="pause"),
    path("clocks/<int:pk>/resume/", views.clock_resume, name="resume"),
    path("leads/<int:pk>/panel/", views.lead_panel, name="lead_panel"),
]
