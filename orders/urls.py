"""The routes of orders."""

from django.urls import path

from orders import views

app_name = "orders"

urlpatterns = [
    path("orders/", views.OrderList.as_view(), name="orders"),
    path("orders/statuses/list", views.StatusLabels.as_view(), name="statuses"),
    path("orders/<uuid:order_id>", views.OrderDetail.as_view(), name="order"),
    path("orders/<uuid:order_id>/status", views.OrderStatus.as_view(), name="order-status"),
    path("orders/<uuid:order_id>/cancel", views.OrderCancellation.as_view(), name="order-cancel"),
]
