"""data.augment=false: a run hears its utterances as they are."""

from speechgru.options import TrainOptions, choose
from speechgru.training.build import without_augmentation


def test_all_that_changes_sound_is_left_out():
    options = TrainOptions(
        corpus=choose("corpus", "yesno"),
        augment={"gain": choose("augment", "gain")},
        features=choose("features", "log_mel", vocal_tract=0.1, n_mels=40),
    )
    plain = without_augmentation(options)
    assert plain.augment == {}
    assert plain.spec_augment.target is None
    assert plain.features.options["vocal_tract"] == 0.0
    assert plain.features.options["n_mels"] == 40


def test_features_of_ones_own_need_not_know_of_vocal_tracts():
    features = choose("features", "log_mel")
    own = {k: v for k, v in features.options.items() if k != "vocal_tract"}
    features = type(features)(features.target, own)
    options = TrainOptions(corpus=choose("corpus", "yesno"), features=features)
    assert without_augmentation(options).features == features
