"""The routes of carts."""

from django.urls import path

from carts import views

app_name = "carts"

urlpatterns = [
    path("cart/", views.OwnCart.as_view(), name="cart"),
    path("cart/items", views.Items.as_view(), name="items"),
    path("cart/items/<id:item_id>", views.Item.as_view(), name="item"),
    path("cart/checkout", views.Checkout.as_view(), name="checkout"),
    path("products/recent-views", views.RecentlyViewed.as_view(), name="recent-views"),
    path("products/<id:product_id>/view", views.ProductView.as_view(), name="product-view"),
    path("books/checkouts", views.OpenCheckouts.as_view(), name="open-checkouts"),
    path("carts/", views.AllCarts.as_view(), name="carts"),
]
