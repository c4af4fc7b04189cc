"""The pretend outside world: a separate HTTP service at the other end of every client of ours."""
