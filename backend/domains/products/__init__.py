"""产品工厂: brands, series, products and county sub-products as data (A8)."""
