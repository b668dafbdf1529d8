from django.urls import path

from scoring.views import approval as views_approval
from scoring.views import axes as views_axes
from scoring.views import backtest as views_backtest
from scoring.views import calibration as views_calibration
from scoring.views import lead as views_lead
from scoring.views import pilot as views_pilot
from scoring.views import prediction as views_prediction
from scoring.views import release as views_release
from scoring.views import trying as views_try
from scoring.views import versions as views

app_name = "scoring"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("<int:number>/", views.version_page, name="version"),
    path("<int:number>/copy/", views.copy_version, name="copy"),
    path("<int:number>/propose/", views_approval.propose_page, name="propose"),
    path("<int:number>/approve/", views_approval.approve, name="approve"),
    path("<int:number>/return/", views_approval.return_to_draft, name="return"),
    path("<int:number>/roll-back/", views_approval.roll_back_to, name="roll_back"),
    path("<int:number>/pilot/", views_pilot.pilot_page, name="pilot"),
    path("release/", views_release.release_page, name="release"),
    path("rescoring/", views.rescoring_progress, name="rescoring"),
    path("<int:number>/backtest/", views_backtest.backtest_page, name="backtest"),
    path("<int:number>/backtest/progress/", views_backtest.backtest_progress, name="backtest_progress"),
    path("<int:number>/try/", views_try.try_version, name="try"),
    path("calibration/", views_calibration.calibration_page, name="calibration"),
    path("calibration/progress/", views_calibration.calibration_progress, name="calibration_progress"),
    path("calibration/count/", views_calibration.count_again, name="calibration_count"),
    path("calibration/draft/", views_calibration.draft_points, name="calibration_draft"),
    path("prediction/", views_prediction.prediction, name="prediction"),
    path("prediction/train/", views_prediction.train, name="prediction_train"),
    path("prediction/<int:pk>/promote/", views_prediction.promote, name="prediction_promote"),
    path("prediction/<int:pk>/retire/", views_prediction.retire, name="prediction_retire"),
    path("grid/", views_axes.grid, name="grid"),
    path("criteria/", views_axes.criteria, name="criteria"),
    path("leads/<int:pk>/panel/", views_lead.lead_panel, name="lead_panel"),
    path("leads/<int:pk>/history/", views_lead.lead_history, name="lead_history"),
]
