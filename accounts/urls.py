"""Accounts' routes, exactly as in the contract."""

from django.urls import path

from accounts.views import books, entry, me, news

app_name = "accounts"
urlpatterns = [
    path("token", entry.Token.as_view(), name="token"),
    path("swagger-admin-token", entry.DemoToken.as_view(), name="demo-token"),
    path("users/register", entry.Registration.as_view(), name="register"),
    path("users/verify", entry.PasswordCheck.as_view(), name="verify"),
    path("users/me", me.Me.as_view(), name="me"),
    path("users/me/profile", me.MyProfile.as_view(), name="my-profile"),
    path("users/me/orders", me.MyOrders.as_view(), name="my-orders"),
    path("users/me/cart", me.MyCart.as_view(), name="my-cart"),
    path("users/me/total-spent", me.MyTotalSpent.as_view(), name="my-total-spent"),
    path("users/me/notifications", news.MyNotifications.as_view(), name="my-notifications"),
    path(
        "users/me/notifications/stream",
        news.NotificationStream.as_view(),
        name="notification-stream",
    ),
    path("books/users", books.UserTotals.as_view(), name="user-totals"),
    path("books/orders", books.OrderRecords.as_view(), name="order-records"),
    path("users/notify/order-status", news.OrderStatusNews.as_view(), name="order-status-news"),
    path(
        "users/notify/order-statuses",
        news.OrderStatusesNews.as_view(),
        name="order-statuses-news",
    ),
]
