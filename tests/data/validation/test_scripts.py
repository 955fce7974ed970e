import pytest

from speechgru.data.validation.scripts import Scripts, script_of


@pytest.mark.parametrize("character", "々ーºªµ1.")
def test_what_several_scripts_have_is_of_none(character):
    assert script_of(character) is None


def test_a_text_has_the_scripts_of_its_letters():
    scripts = Scripts()
    bits = scripts.find("徐々にアメリカへ")
    assert bits == scripts.find("ア") | scripts.find("に") | scripts.find("徐")
    assert set(scripts.names) == {"CJK", "HIRAGANA", "KATAKANA"}
