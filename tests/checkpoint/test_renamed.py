"""Every class that had another name is where its new name says."""

import importlib

import pytest

from speechgru.checkpoint.renamed import RENAMED, current_name, with_current_names


@pytest.mark.parametrize("new", RENAMED.values())
def test_what_is_renamed_exists(new):
    module, _, name = new.rpartition(".")
    if name[0].isupper():
        assert hasattr(importlib.import_module(module), name)
    else:
        importlib.import_module(new)


def test_names_are_found_at_any_depth_and_others_stay():
    config = {
        "a": {
            "_target_": "speechgru.model.gru.GRUEncoder",
            "b": "speechgru.model.gru.X",
        }
    }
    assert with_current_names(config) == {
        "a": {
            "_target_": "speechgru.model.encoders.gru.GRUEncoder",
            "b": "speechgru.model.gru.X",
        }
    }
    assert current_name("my.gru.Mine") == "my.gru.Mine"
