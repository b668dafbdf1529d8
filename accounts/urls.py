from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.sign_in, name="login"),
    path("login/demo/<str:username>/", views.sign_in_as_demo_user, name="demo_login"),
    path("logout/", views.sign_out, name="logout"),
    path("profile/", views.profile, name="profile"),
    path("profile/theme/", views.set_theme, name="theme"),
    path("profile/away/", views.set_away, name="away"),
    path("profile/tokens/", views.create_token, name="create_token"),
    path("profile/tokens/<int:pk>/revoke/", views.revoke, name="revoke_token"),
]
