from django.urls import path

from crm.views import comparisons, connection, leads, overview

app_name = "crm"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("parked.csv", overview.parked_csv, name="parked_csv"),
    path("retry/", overview.retry_cause, name="retry_cause"),
    path("unread/read/", overview.read_unread, name="read_unread"),
    path("<int:lead_id>/retry/", overview.retry, name="retry"),
    path("connection/", connection.address, name="connection"),
    path("connection/login/", connection.login, name="connection_login"),
    path("connection/credentials/", connection.credentials, name="connection_credentials"),
    path("connection/check/", connection.check, name="connection_check"),
    path("connection/share/", connection.share, name="connection_share"),
    path("connection/done/", connection.done, name="connection_done"),
    path("lead/<int:lead_id>/panel/", leads.lead_panel, name="lead_panel"),
    path("lead/<int:lead_id>/account/", leads.account_line, name="account_line"),
    path("leads/<int:lead_id>/", leads.history, name="lead"),
    path("leads/<int:lead_id>/send/", leads.send, name="send"),
    path("leads/<int:lead_id>/compare/", leads.compare, name="compare"),
    path("leads/<int:lead_id>/matches/", leads.choose, name="matches"),
    path("leads/<int:lead_id>/adopt/", leads.adopt, name="adopt"),
    path("leads/<int:lead_id>/anew/", leads.anew, name="make_anew"),
    path("leads/<int:lead_id>/leave/", leads.leave, name="leave"),
    path("comparisons/", comparisons.begin, name="begin_comparison"),
    path("comparisons/<int:pk>/", comparisons.comparison, name="comparison"),
]
