"""Pages about leads; the list is the handoffs app's, for it shows what lies above leads."""

from django.urls import path

from leads import views, views_quarantine, views_unsubscribing

app_name = "leads"
urlpatterns = [
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/answers/<int:answer_pk>/use/", views.use_answer, name="use_answer"),
    path("<int:pk>/unsubscribe/", views_unsubscribing.take_down, name="take_down_unsubscribed"),
    path("<int:pk>/subscribe/", views_unsubscribing.take_back, name="take_back_unsubscribed"),
    path("quarantine/", views_quarantine.quarantine_list, name="quarantine"),
    path("quarantine/<int:pk>/", views_quarantine.item_detail, name="quarantined_item"),
    path("quarantine/<int:pk>/replay/", views_quarantine.replay, name="replay"),
    path("quarantine/<int:pk>/dismiss/", views_quarantine.dismiss, name="dismiss"),
]
