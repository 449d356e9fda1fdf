"""The whole shop on one machine without containers: ``python -m deploy.local``."""
