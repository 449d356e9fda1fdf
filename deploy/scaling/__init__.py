"""What a shop of so many users needs, on paper: ``python -m deploy.scaling``; docs/scaling.md."""
