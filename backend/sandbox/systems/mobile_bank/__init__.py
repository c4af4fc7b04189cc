"""手机银行: takes our offers, lets the customer sign, draw and repay, and tells us what happened (A5-05)."""
