"""The table of the cache in the settings, as `createcachetable` would make it: here it is there wherever the product runs."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("organizations", "0004_plan_webhook_endpoints")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE bookingflow_cache (
                cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamp with time zone NOT NULL
            );
            CREATE INDEX bookingflow_cache_expires ON bookingflow_cache (expires);
            """,
            "DROP TABLE bookingflow_cache",
        )
    ]
