"""The database itself refuses to change or remove a line of a booking's history."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON bookings_bookinghistory
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bookings", "0001_initial"), ("organizations", "0002_audit_append_only")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, "DROP TRIGGER append_only ON bookings_bookinghistory")]
