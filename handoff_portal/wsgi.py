import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "handoff_portal.settings")
application = get_wsgi_application()
# What is loaded by now stays: without this each full collection walks all of it, in the middle of a request.
gc.collect()
gc.freeze()
