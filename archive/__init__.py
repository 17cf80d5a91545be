"""The Django archive: catalogue, ingest, jobs, review, delivery."""
