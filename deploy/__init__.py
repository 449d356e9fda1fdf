"""What runs the shop: the gateway, the processes, the containers."""
