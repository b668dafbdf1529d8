from django.urls import path

from notifications.views import choices, log, messages

app_name = "notifications"
urlpatterns = [
    path("", messages.notification_list, name="list"),
    path("unread/", messages.unread, name="unread"),
    path("read/", messages.read_all, name="read_all"),
    path("<int:pk>/open/", messages.open_notification, name="open"),
    path("preferences/", choices.preferences, name="preferences"),
    path("preferences/usual/", choices.back_to_usual, name="usual"),
    path("channels/", choices.create_channel, name="create_channel"),
    path("channels/<int:pk>/test/", choices.test_channel, name="test_channel"),
    path("channels/<int:pk>/remove/", choices.drop_channel, name="remove_channel"),
    path("deliveries/", log.delivery_list, name="deliveries"),
    path("deliveries/<int:pk>/retry/", log.retry, name="retry_delivery"),
]
