"""What every test may ask for: a database, brokers, a network that breaks."""

pytest_plugins = ["tests.fix_postgres", "tests.fix_broker", "tests.fix_proxy"]
