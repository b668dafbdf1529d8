from django.urls import path

from scoring import views

app_name = "scoring"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("<int:number>/", views.version_page, name="version"),
    path("<int:number>/copy/", views.copy_version, name="copy"),
    path("<int:number>/publish/", views.publish_page, name="publish"),
    path("leads/<int:pk>/panel/", views.lead_panel, name="lead_panel"),
]
