from django.db import migrations

# Kept choices name the kinds one by one. Whoever wants to hear that a deadline has passed wants to hear what
# follows from it, which is a kind of its own now; and summaries go to who asks for them, by e-mail as others.
FORWARDS = """
UPDATE notifications_preference SET
  email_kinds = email_kinds
    || CASE WHEN 'breach' = ANY (email_kinds) AND NOT 'escalation' = ANY (email_kinds)
      THEN '{escalation}'::varchar[] ELSE '{}' END
    || CASE WHEN email_kinds <> '{}' AND NOT 'digest' = ANY (email_kinds)
      THEN '{digest}'::varchar[] ELSE '{}' END,
  channel_kinds = channel_kinds
    || CASE WHEN 'breach' = ANY (channel_kinds) AND NOT 'escalation' = ANY (channel_kinds)
      THEN '{escalation}'::varchar[] ELSE '{}' END
"""
BACKWARDS = """
UPDATE notifications_preference SET
  email_kinds = array_remove(array_remove(email_kinds, 'escalation'), 'digest'),
  channel_kinds = array_remove(channel_kinds, 'escalation')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_digests_and_summaries"),
    ]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
