"""模型登记与监控: how models come about, who let them in, how they are watched (A3-33, D1-04, D1-05)."""
