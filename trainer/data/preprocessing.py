"""The two `preprocessing_fn`s, the only place where strings are converted to numbers.

Index 0 always means unknown, missing or rare; known values start at 1.
"""

from typing import Any

import tensorflow as tf
import tensorflow_text as tf_text
import tensorflow_transform as tft

from schema import timeline
from schema.dataset import Dataset
from schema.features import Feature

ITEM_VOCABULARY = "item_id"
USER_VOCABULARY = "user_id"
_SECONDS_PER_DAY = 86_400.0


def preprocess_items(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, Any]:
    """Catalogue Examples -> `item_index` [batch], `item_id`, `title`, each declared feature, and,
    where declared, `available` and `filters` unchanged.

    `custom_config["dataset"]` is the JSON of `schema.dataset.Dataset`.
    """
    dataset = Dataset.model_validate_json(custom_config["dataset"])
    ids = inputs[timeline.ITEM_ID]
    outputs = {
        "item_index": _apply_vocabulary(ids, ITEM_VOCABULARY, 1),
        timeline.ITEM_ID: ids,
        timeline.TITLE: inputs[timeline.TITLE],
    }
    if dataset.data.has_availability:
        outputs[timeline.AVAILABLE] = inputs[timeline.AVAILABLE]
    if dataset.data.items_filter is not None:
        outputs[timeline.FILTERS] = inputs[timeline.name_item_feature(dataset.data.items_filter)]
    for name, feature in dataset.features.items.items():
        key = timeline.name_item_feature(name)
        outputs[key] = _encode_feature(inputs[key], feature, key)
    return outputs


def preprocess_timelines(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, Any]:
    """Timeline Examples -> `user_index` [batch], features as numbers, event lists unchanged."""
    dataset = Dataset.model_validate_json(custom_config["dataset"])
    outputs = {"user_index": _apply_vocabulary(inputs[timeline.USER_ID], USER_VOCABULARY, 1)}
    unchanged = [
        timeline.USER_ID,
        timeline.ITEM_IDS,
        timeline.TIMESTAMPS,
        timeline.POSITIVE,
        timeline.TARGET_FROM,
    ]
    if dataset.labels.has_weights:
        unchanged.append(timeline.WEIGHT)
    if dataset.data.has_impressions:
        unchanged += [timeline.SHOWN, timeline.SHOWN_COUNTS]
    for key in unchanged + [timeline.name_label(name) for name in dataset.labels.ranking]:
        outputs[key] = inputs[key]
    for name, feature in dataset.features.users.items():
        key = timeline.name_user_feature(name)
        outputs[key] = _encode_feature(inputs[key], feature, key)
    for name, feature in dataset.features.context.items():
        key = timeline.name_context(name)
        outputs[key] = _encode_events(inputs[key], feature, key)
    return outputs


def _apply_vocabulary(values: Any, vocabulary: str, min_count: int) -> Any:
    indices = tft.compute_and_apply_vocabulary(
        values, default_value=-1, frequency_threshold=min_count, vocab_filename=vocabulary
    )
    return indices + 1


def _encode_events(values: tf.RaggedTensor, feature: Feature, key: str) -> tf.RaggedTensor:
    """One value per event: [batch, events] -> [batch, events].

    Event lists have a value at every position: "", NaN and timestamp 0 mean missing, and become 0.
    """
    flat = values.flat_values
    if feature.kind == "category":
        return values.with_flat_values(_apply_vocabulary(flat, key, feature.min_count))
    known = ~tf.math.is_nan(flat) if feature.kind == "number" else flat != 0
    standardised = standardise(tf.boolean_mask(flat, known), feature)
    return values.with_flat_values(
        tf.scatter_nd(tf.where(known), standardised, tf.shape(flat, out_type=tf.int64))
    )


def _encode_feature(values: tf.RaggedTensor, feature: Feature, key: str) -> Any:
    """A user or item feature: [batch, any] -> a tensor that depends on the kind.

    category -> [batch] index; set, text -> ragged indices; number, timestamp -> [batch]
    standardised, missing is 0 (the mean); vector -> [batch, size], missing is 0.
    """
    if feature.kind == "category":
        return _squeeze_values(
            values.with_flat_values(_apply_vocabulary(values.flat_values, key, feature.min_count)),
            0,
        )
    if feature.kind == "set":
        return values.with_flat_values(
            _apply_vocabulary(values.flat_values, key, feature.min_count)
        )
    if feature.kind == "text":
        words = split_words(values)
        return words.with_flat_values(_apply_vocabulary(words.flat_values, key, feature.min_count))
    if feature.kind == "vector":
        return values.to_tensor(0.0, shape=[None, feature.size])
    return _squeeze_values(values.with_flat_values(standardise(values.flat_values, feature)), 0.0)


def split_words(values: tf.RaggedTensor) -> tf.RaggedTensor:
    """Texts [batch, texts] -> lower-case words without punctuation [batch, words].

    A word ends at a space, a punctuation mark or a symbol. (tf_text's tokenizers by script or by
    grammar trace into hundreds of ops, and Transform traces this function several times.)
    """
    folded = tf_text.case_fold_utf8(tf_text.normalize_utf8(values.flat_values, "NFKC"))
    words = tf.strings.split(tf.strings.regex_replace(folded, r"[\pP\pS]+", " "))
    return values.with_flat_values(words).merge_dims(1, 2)


def standardise(values: tf.Tensor, feature: Feature) -> tf.Tensor:
    """[values] -> [values] float32: minus the mean of train, divided by its standard deviation.

    A feature that is constant or absent in train is always 0: nothing can be learned from it, and
    without a deviation later values would be unscaled (a timestamp would be thousands of days).
    Sums are in float64: in float32 the result would depend on the order of the rows.
    """
    values = tf.cast(values, tf.float64)
    if feature.kind == "timestamp":
        values /= _SECONDS_PER_DAY
    scaled = tft.scale_to_z_score(values)
    varied = tft.max(values) > tft.min(values)  # a small variance may be a rounding error
    return tf.cast(tf.where(varied, scaled, tf.zeros_like(scaled)), tf.float32)


def _squeeze_values(values: tf.RaggedTensor, missing: float) -> tf.Tensor:
    return tf.squeeze(values.to_tensor(missing, shape=[None, 1]), axis=1)
