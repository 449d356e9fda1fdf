"""What a check puts into every process of its shop, by PYTHONPATH: nothing of it is in the product.

``CHAOS_<setting>`` stands in for an address of another service, so that a fault proxy can sit
between the two; ``CHAOS_WITHOUT`` names a guard that is switched off (mutants.py).
"""

import os

if "DJANGO_SETTINGS_MODULE" in os.environ:
    for name in ("BACKEND_URL", "CART_SERVICE_URL", "ORDER_SERVICE_URL", "USER_SERVICE_URL"):
        if address := os.environ.get(f"CHAOS_{name}"):
            os.environ[name] = address
    if os.environ.get("CHAOS_WITHOUT"):
        import mutants

        mutants.switch_off(os.environ["CHAOS_WITHOUT"])
