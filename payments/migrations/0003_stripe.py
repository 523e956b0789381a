"""Payments through Stripe."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('organizations', '0004_plan_webhook_endpoints'),
        ('payments', '0002_refund_purpose'),
    ]

    operations = [
        migrations.CreateModel(
            name='StripeAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('secret_key', models.TextField(blank=True, editable=False, help_text='Encrypted.')),
                ('publishable_key', models.CharField(blank=True, help_text="For the payer's browser; no secret.", max_length=255)),
                ('webhook_secret', models.TextField(blank=True, editable=False, help_text='Encrypted.')),
                ('connected_account', models.CharField(blank=True, help_text="`acct_…`: act for this Connect account with the platform's key.", max_length=255)),
                ('api_base', models.URLField(blank=True, help_text="Where Stripe's API is; empty: as the platform's.")),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.AddField(
            model_name='payment',
            name='charge',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='payment',
            name='check_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='payment',
            name='checks',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='payment',
            name='failed_charge',
            field=models.CharField(blank=True, editable=False, help_text='Tells a second failure from the first.', max_length=255),
        ),
        migrations.AddField(
            model_name='payment',
            name='failure_code',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name='payment',
            name='failure_message',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='payment',
            name='intent',
            field=models.CharField(blank=True, help_text='`pi_…`; empty until Stripe has answered once.', max_length=255),
        ),
        migrations.AddField(
            model_name='payment',
            name='payment_method',
            field=models.CharField(blank=True, help_text="`pm_…`, to be charged without the payer's browser.", max_length=255),
        ),
        migrations.AddField(
            model_name='payment',
            name='purpose',
            field=models.JSONField(blank=True, default=dict, help_text='What its success brings about, in the words of its subject.'),
        ),
        migrations.AddField(
            model_name='payment',
            name='unwanted',
            field=models.BooleanField(default=False, help_text='To be canceled; if it succeeds first, to be given back.'),
        ),
        migrations.AddField(
            model_name='payment',
            name='updated_at',
            field=models.DateTimeField(auto_now=True),
        ),
        migrations.AddField(
            model_name='payment',
            name='version',
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        migrations.AddField(
            model_name='refund',
            name='check_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='refund',
            name='checks',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='refund',
            name='failure',
            field=models.CharField(blank=True, help_text='Why Stripe could not give it back.', max_length=500),
        ),
        migrations.AddField(
            model_name='refund',
            name='stripe_id',
            field=models.CharField(blank=True, help_text='`re_…`', max_length=255),
        ),
        migrations.AddField(
            model_name='refund',
            name='updated_at',
            field=models.DateTimeField(auto_now=True),
        ),
        migrations.AlterField(
            model_name='payment',
            name='mode',
            field=models.CharField(choices=[('stripe', 'Stripe'), ('pos', 'Point of sale'), ('external', 'Elsewhere')], max_length=10),
        ),
        migrations.AlterField(
            model_name='payment',
            name='status',
            field=models.CharField(choices=[('creating', 'Being set up'), ('pending', 'Waits for the payer'), ('requires_action', "Waits for the payer's authentication"), ('processing', 'Being processed'), ('succeeded', 'Succeeded'), ('failed', 'Failed; the payer may try again'), ('canceled', 'Canceled')], default='succeeded', max_length=15),
        ),
        migrations.AlterField(
            model_name='refund',
            name='purpose',
            field=models.CharField(choices=[('cancellation', 'Cancellation'), ('change', 'The price fell'), ('late', 'What it was for could no longer be had'), ('request', 'Asked for by itself')], default='cancellation', max_length=12),
        ),
        migrations.AlterField(
            model_name='refund',
            name='status',
            field=models.CharField(choices=[('pending', 'Under way'), ('succeeded', 'Succeeded'), ('failed', 'Failed: the money is still here')], default='succeeded', max_length=10),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['organization', '-created_at', '-id'], name='payment_by_creation'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('check_at__isnull', False)), fields=['check_at'], name='payment_to_check'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('check_at__isnull', False)), fields=['check_at'], name='refund_to_check'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(condition=models.Q(('intent', ''), _negated=True), fields=('intent',), name='payment_intent_unique'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('mode', 'stripe'), ('status', 'succeeded'), _connector='OR'), name='payment_recorded_when_taken'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.UniqueConstraint(condition=models.Q(('stripe_id', ''), _negated=True), fields=('stripe_id',), name='refund_stripe_id_unique'),
        ),
        migrations.AddField(
            model_name='stripeaccount',
            name='organization',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='organizations.organization'),
        ),
    ]
