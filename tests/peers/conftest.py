"""Compared with libraries too heavy for every run: collected only where asked for, by `make peers`."""


def pytest_ignore_collect(config):
    return None if config.option.markexpr == "peers" else True
