# One image for web, worker, beat and migrations; the command says which.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 VAR_DIR=/srv/var
WORKDIR /srv/app
RUN useradd --system --home-dir /srv app && mkdir -p /srv/var && chown app /srv/var
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
USER app
RUN SECRET_KEY=build SECRET_ENCRYPTION_KEYS=build DATABASE_URL=postgresql://none REDIS_URL=redis://none python manage.py collectstatic --noinput

EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "bookingflow.wsgi:application"]
