# One image for a server, a laptop and a Hugging Face Space (which starts it as user 1000).
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app

# The dependencies first: they change less often than the code, and the layer is kept.
COPY requirements.txt ./
RUN python -m pip install --require-hashes --requirement requirements.txt

COPY pyproject.toml README.md LICENSE app.py ./
COPY arena ./arena
COPY ratings ./ratings
COPY data ./data
RUN python -m pip install --no-deps --no-build-isolation .

# The database and its key live on the volume, and nothing else is written.
RUN useradd --uid 1000 --create-home arena && mkdir -p /data && chown arena:arena /data
USER arena
VOLUME ["/data"]

ENV BAKEOFF_DATABASE=/data/arena.duckdb \
    BAKEOFF_HOST=0.0.0.0 \
    BAKEOFF_PORT=7860

EXPOSE 7860

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]

CMD ["python", "app.py"]
