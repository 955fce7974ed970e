"""What utterances are written as: one module a target, found by its name.

Each has `ENDING`, of a file, or "" of a folder, and `write(output, utterances)`, which
returns what there is to be said of it, in lines.
"""
