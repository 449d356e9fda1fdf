"""The routes of orders."""

from django.urls import path

from orders import views

app_name = "orders"

urlpatterns = [
    path("orders/", views.OrderList.as_view(), name="orders"),
    path("books/orders", views.Entries.as_view(), name="entries"),
    path("books/audit", views.AuditResult.as_view(), name="audit-result"),
    path("orders/statuses/list", views.StatusLabels.as_view(), name="statuses"),
    path("orders/<id:order_id>", views.OrderDetail.as_view(), name="order"),
    path("orders/<id:order_id>/status", views.OrderStatus.as_view(), name="order-status"),
    path("orders/<id:order_id>/cancel", views.OrderCancellation.as_view(), name="order-cancel"),
]
