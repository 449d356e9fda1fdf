"""A drill for a running shop: crowds, double clicks and kills, then the audit, then a verdict."""
