"""What can happen, as subscribers hear of it. Past tense, permanent."""

from django.db import models


class EventType(models.TextChoices):
    BOOKING_CREATED = "booking.created", "A booking was confirmed"
    BOOKING_UPDATED = "booking.updated", "A booking was moved or changed"
    BOOKING_CANCELED = "booking.canceled", "A booking was canceled"
    BOOKING_COMPLETED = "booking.completed", "A checked-in game has ended"
    BOOKING_NO_SHOW = "booking.no_show", "Nobody came"
    PAYMENT_SUCCEEDED = "payment.succeeded", "A payment through Stripe succeeded"
    PAYMENT_FAILED = "payment.failed", "A payment failed"
    PAYMENT_REFUNDED = "payment.refunded", "Money went back"
    ROOM_CREATED = "room.created", "A room was created"
    ROOM_UPDATED = "room.updated", "A room was changed"
    ROOM_ARCHIVED = "room.archived", "A room was archived"
    SCHEDULE_BLOCKED = "schedule.blocked", "Time was blocked, or a block changed"
    SCHEDULE_UNBLOCKED = "schedule.unblocked", "A block was removed"
    SCHEDULE_UPDATED = "schedule.updated", "A room's timetable was changed"
    CUSTOMER_CREATED = "customer.created", "A customer was created"
    CUSTOMER_UPDATED = "customer.updated", "A customer was changed"
    CUSTOMER_DELETED = "customer.deleted", "A customer was erased"
    WEBHOOK_PING = "webhook.ping", "An endpoint was tested"
