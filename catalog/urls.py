"""The catalog's addresses."""

from django.urls import path

from catalog import views

app_name = "catalog"

urlpatterns = [
    path("products/", views.ProductList.as_view(), name="product-list"),
    path("products/import", views.ProductImport.as_view(), name="product-import"),
    path("products/categories/list", views.CategoryList.as_view(), name="category-list"),
    path(
        # A category may have a slash in its name.
        "products/by-category/<path:category>",
        views.CategoryProducts.as_view(),
        name="category-products",
    ),
    path("products/<id:product_id>", views.ProductDetail.as_view(), name="product-detail"),
    path("books/stock", views.StockBooks.as_view(), name="stock-books"),
    path("reservations/", views.ReservationList.as_view(), name="reservation-list"),
    path("reservations/moves", views.ReservationMoves.as_view(), name="reservation-moves"),
    path(
        "reservations/<id:order_id>",
        views.ReservationDetail.as_view(),
        name="reservation-detail",
    ),
    path(
        "reservations/<id:order_id>/sold",
        views.ReservationSale.as_view(),
        name="reservation-sale",
    ),
    path(
        "reservations/<id:order_id>/return",
        views.ReservationReturn.as_view(),
        name="reservation-return",
    ),
    path("system/health", views.SystemHealth.as_view(), name="system-health"),
]
