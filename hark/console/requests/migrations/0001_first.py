"""Calls by their Idempotency-Key."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = []

    operations: ClassVar = [
        migrations.CreateModel(
            name="Kept",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=64, unique=True)),
                ("print", models.CharField(max_length=64)),
                ("done", models.BooleanField(default=False)),
                ("made_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
