"""``python -m splashdown``: the command line, where its folder is not on the path."""

from splashdown._cli.main import run

if __name__ == "__main__":
    run()
