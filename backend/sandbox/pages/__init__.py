"""Pages for people: the WeChat phone, the mobile bank, the back office."""
