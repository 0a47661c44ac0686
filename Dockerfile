# The image of web, worker and prepare; docker-compose.yml says what each of them runs.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STEMMOS_HOME=/data
WORKDIR /app

COPY requirements.txt requirements-separators.txt ./
RUN pip install --no-cache-dir -r requirements.txt \
 && pip install --no-cache-dir --no-deps -r requirements-separators.txt

COPY . .
RUN pybabel --quiet compile --directory locale --domain django \
 && useradd --create-home --uid 1000 stemmos \
 && install --directory --owner stemmos /data

USER stemmos
VOLUME /data
EXPOSE 8000
