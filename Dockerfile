# One image for web, workers, beat and migrations; the command says which.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 VAR_DIR=/srv/var LOG_FORMAT=json GRANIAN_HOST=0.0.0.0 GRANIAN_PORT=8000
WORKDIR /srv/app
RUN useradd --system --uid 10001 --home-dir /srv app && mkdir -p /srv/var && chown app /srv/var
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
USER 10001
RUN SECRET_KEY=build SECRET_ENCRYPTION_KEYS=build DATABASE_URL=postgresql://none REDIS_URL=redis://none python manage.py collectstatic --noinput

EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers", "--workers-kill-timeout", "35", "--log-config", "bookingflow/granian.json", "bookingflow.wsgi:application"]
