"""`python -m speechgru` is the command `speechgru`."""

from speechgru.cli.main import main

if __name__ == "__main__":
    main()
